"""Ledger rows of payments that take the short cut: numbers from columns, texts as they were made ready."""

from __future__ import annotations

import numpy as np

from ingest.locked import Ints
from ingest.plain import PAYMENT
from ingest.sorting_out import Taken
from loanbook.postgres.binary_copy import EPOCH, in_turns, rows_with_texts

LEDGER_COLUMNS = (
    "slice", "loan_key", "source_key", "type_key", "effective_on", "business_on", "known_on", "recorded_at",
    "amount_minor", "kafka_partition", "kafka_offset",
    "sequence", "event_id", "entity_id", "detail",
)  # fmt: skip
"""Of core.event, but for what its defaults say; the last four are the texts of `numbering.Numbered`."""
_TEXTS = 4
_WIDTHS = (2, 8, 2, 2, 4, 4, 4, 8, 8, 2, 8)


def ledger_rows(taken: Taken, which: Ints) -> bytes:
    """Rows of LEDGER_COLUMNS for some payments."""
    which = which[in_turns(taken.numbers["slice"][which])]
    numbers, meaning = taken.numbers[which], taken.meaning[which]
    partitions = np.array([partition.partition for partition in taken.partitions], np.int64)
    columns = (
        numbers["slice"], numbers["loan_key"], meaning["source_key"], PAYMENT,
        numbers["effective"] - EPOCH, numbers["business"] - EPOCH, meaning["today"] - EPOCH,
        numbers["recorded"], numbers["amount"], partitions[taken.segment[which]], numbers["offset"],
    )  # fmt: skip
    texts = taken.records.texts
    return rows_with_texts(
        columns, _WIDTHS, [texts[place] for place in taken.arrived[which].tolist()], _TEXTS
    )
