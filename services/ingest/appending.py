"""Appends differences to the live roll-ups; `merging.py` adds them to the cells later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ingest.locked import Ints
from ingest.records import RollupCell, RollupMeasures
from ingest.rollups import CASH_FIELDS, CashCell, MinuteCell
from loanbook.postgres.binary_copy import EPOCH, copy_rows, integer_rows
from loanbook.postgres.pool import Connection
from loanbook.topics import SLICES

UNMERGED = SLICES  # added to the slice of what is not merged yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A live roll-up: the columns of a difference but for the slice, and how many bytes each has."""

    name: str
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    patience: int = 1  # how many times as many differences may wait as in others


BOOK_NOW = Rollup(
    name="book_now",
    columns=(*RollupCell._fields, *RollupMeasures._fields),
    widths=(2, 2, 4, 4, 2, 2, *[8] * len(RollupMeasures._fields)),
)
CASH_DAY = Rollup(
    name="cash_day",
    columns=(
        *CashCell._fields, "known_on", "due_minor", "due_count", "current_minor", "arrears_minor",
        "advance_minor", "due_collected_minor", "on_time_count",
    ),
    widths=(2, 2, 4, 4, 4, 4, *[8] * len(CASH_FIELDS)),
    patience=4,  # a difference meets its like seldom: of more together fewer cells are written
)  # fmt: skip
CASH_MINUTE = Rollup(
    name="cash_minute",
    columns=(*MinuteCell._fields, "payments", "amount_minor"),
    widths=(2, 2, 4, 8, 8),
)
ROLLUPS = (BOOK_NOW, CASH_DAY, CASH_MINUTE)


def cash_row(cell: CashCell, known_on: date, sums: Iterable[int]) -> list[int]:
    """A difference of the cash of a day, known since another one, as integers."""
    days = (cell.effective_on.toordinal() - EPOCH, known_on.toordinal() - EPOCH)
    return [*cell[:-1], *days, *sums]


async def append_differences(
    connection: Connection, rollup: Rollup, *differences: Ints | Sequence[Sequence[int]]
) -> None:
    """Append rows to a roll-up, days as the server counts them; of one cell there may be several."""
    parts = [np.array(rows, np.int64) for rows in differences if len(rows)]
    if parts:
        rows = np.concatenate(parts)
        slices = rows[:, rollup.columns.index("branch_key")] % SLICES
        data = integer_rows(np.column_stack([slices + UNMERGED, rows]), (2, *rollup.widths))
        columns = ("slice", *rollup.columns)
        await copy_rows(connection, f"{rollup.name}_unmerged", columns, data, schema="core")
