"""Ledger rows of payments that take the short cut, as whole columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ingest.plain import PAYMENT, PlainBatch
from ingest.sorting_out import TOGETHER
from loanbook.postgres.binary_copy import Column, days, integers, texts


def ledger_columns(batch: PlainBatch) -> Iterator[list[Column]]:
    """Columns of core.event, as EVENT_COLUMNS names them, for the payments of a batch, part by part."""
    for start in range(0, len(batch.rows), TOGETHER):
        yield _columns(batch, slice(start, start + TOGETHER))


def _columns(batch: PlainBatch, part: slice) -> list[Column]:
    rows, place = batch.rows[part], batch.place[part]
    effective, business, sequence, recorded = (column[part] for column in batch.order)
    facts = [row.event.fact for row in rows]
    records = [row.record for row in rows]
    is_unnumbered = np.array([row.event.sequence is None for row in rows])
    return [
        integers(batch.loans["slice"][place], 2),
        integers(batch.loans["loan_key"][place], 8),
        integers(np.array([row.source_key for row in rows]), 2),
        texts([row.event.event_id.encode() for row in rows]),
        integers(np.full(len(rows), PAYMENT), 2),
        days(effective),
        days(business),
        days(batch.today[place]),
        integers(recorded, 8),
        integers(sequence, 8, is_unnumbered),
        integers(batch.amounts[part], 8),
        texts([fact.entity_id.encode() if fact.entity_id is not None else None for fact in facts]),
        integers(np.ones(len(rows)), 4),
        integers(np.zeros(len(rows)), 1),
        texts([row.data for row in rows]),
        integers(np.array([record.partition.partition for record in records]), 2),
        integers(np.array([record.offset for record in records]), 8),
    ]
