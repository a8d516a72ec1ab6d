"""Ledger rows of payments that take the short cut, as whole columns."""

from __future__ import annotations

import numpy as np

from ingest.plain import PAYMENT, PlainBatch
from loanbook.postgres.binary_copy import Column, days, integers, texts

LEDGER_COLUMNS = (
    "slice", "loan_key", "source_key", "event_id", "type_key", "effective_on", "business_on",
    "known_on", "recorded_at", "sequence", "amount_minor", "entity_id", "entity_version", "detail",
    "kafka_partition", "kafka_offset",
)  # fmt: skip


def ledger_columns(batch: PlainBatch) -> list[Column]:
    """Columns of core.event for the payments of a batch; see rows.event_row for one event of any kind."""
    rows, place = batch.rows, batch.place
    effective, business, sequence, recorded = batch.order
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
        integers(batch.amounts, 8),
        texts([fact.entity_id.encode() if fact.entity_id is not None else None for fact in facts]),
        integers(np.ones(len(rows)), 4),
        texts([row.data for row in rows]),
        integers(np.array([record.partition.partition for record in records]), 2),
        integers(np.array([record.offset for record in records]), 8),
    ]
