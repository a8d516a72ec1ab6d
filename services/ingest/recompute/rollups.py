"""Roll-ups beside the sums they must be, of states, folds and daily histories; and how to put them right.

While every worker runs this same fold, what a roll-up is wrong by stays the same from one transaction
to the next, since each adds exact differences. So it may be worked out in a snapshot, without any lock,
and be added later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from ingest.appending import BOOK_NOW, CASH_DAY, append_differences, cash_row
from ingest.directory import PostgresDirectory
from ingest.recompute.holding import Difference
from ingest.records import Book, ChangedLoan, RollupCell, RollupMeasures
from ingest.restating import days_between
from ingest.rollups import CASH_FIELDS, CashCell
from ingest.rows import keys_of
from ingest.transaction import PostgresUnit
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection

Cash = dict[CashCell, list[int]]


class CellDifference(NamedTuple):
    """A cell of a roll-up with what it holds and what it should, in the order of its columns."""

    table: str
    cell: RollupCell | CashCell
    on: date | None  # the day of the close, for core.book_day
    stored: Sequence[int]
    recomputed: Sequence[int]

    @property
    def missing(self) -> list[int]:
        """What must be added to put it right."""
        return [right - held for held, right in zip(self.stored, self.recomputed, strict=True)]


async def book_now_differences(connection: Connection, book: Book) -> list[CellDifference]:
    """Cells of core.book_now that are not the sum of their loans' states."""
    rows = await connection.fetch(load_sql("ingest", "compare_book_now"), book.book_key)
    return [CellDifference("book_now", _cell(row), None, row["stored"], row["recomputed"]) for row in rows]


async def book_day_differences(
    connection: Connection, book: Book, days: Sequence[date]
) -> list[CellDifference]:
    """Cells of core.book_day on some days, as known now, that the loans' histories contradict."""
    sql = load_sql("ingest", "compare_book_days")
    rows = await connection.fetch(sql, book.book_key, days) if days else []
    return [
        CellDifference("book_day", _cell(row), row["business_on"], row["stored"], row["recomputed"])
        for row in rows
    ]


async def cash_differences(
    connection: Connection, book: Book, cash: Mapping[CashCell, Sequence[int]]
) -> list[CellDifference]:
    """Cells of core.cash_day, over all that was known, that are not the sum of the folds' cash."""
    rows = await connection.fetch(load_sql("ingest", "sum_cash_days"), book.book_key)
    stored = {CashCell(*(row[name] for name in CashCell._fields)): row["measures"] for row in rows}
    nothing = [0] * len(CASH_FIELDS)
    return [
        CellDifference("cash_day", cell, None, stored.get(cell, nothing), cash.get(cell, nothing))
        for cell in sorted(stored.keys() | cash.keys())
        if list(stored.get(cell, nothing)) != list(cash.get(cell, nothing))
    ]


def add_cash(cash: Cash, recomputed: ChangedLoan, directory: PostgresDirectory) -> None:
    """Add the cash of a folded loan to the sums by cell."""
    keys = keys_of(recomputed, directory)
    for day, contribution in recomputed.after.cash.items():
        cell = CashCell(recomputed.book_key, *keys, day)
        values = cash.setdefault(cell, [0] * len(CASH_FIELDS))
        for place, name in enumerate(CASH_FIELDS):
            values[place] += getattr(contribution, name)


async def closed_days(connection: Connection, book: Book) -> list[date]:
    """Every day before the running one that the closes speak of."""
    row = await connection.fetchrow(load_sql("ingest", "select_closed_days"), book.book_key)
    return list(days_between(row["first_on"], book.business_on)) if row["first_on"] else []


async def put_right(
    unit: PostgresUnit, book: Book, found: Sequence[CellDifference], *, seen_on: date
) -> None:
    """Add what is missing to the roll-ups, known since the book's running day; the books are locked.

    `seen_on` is the running day of the snapshot: days closed since then have copied what was wrong.
    """
    now = [d for d in found if d.table == "book_now"]
    await append_differences(unit.connection, BOOK_NOW, [(*d.cell, *d.missing) for d in now])
    past = [d for d in found if d.table == "book_day"]
    past += [d._replace(on=day) for day in days_between(seen_on, book.business_on) for d in now]
    days = [(d.on, book.business_on, *d.cell, *d.missing) for d in past]
    await unit.insert_many("add_book_days", days)
    marks = sorted({d.on for d in past if d.on is not None})
    await unit.insert_many("mark_restated", [(book.book_key, on, book.business_on, 0) for on in marks])
    cash = [cash_row(d.cell, book.business_on, d.missing) for d in found if isinstance(d.cell, CashCell)]
    await append_differences(unit.connection, CASH_DAY, cash)


class Names:
    """The names behind the keys of a cell, for people."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._names = {(row["kind"], row["key"]): row["name"] for row in rows}

    @classmethod
    async def load(cls, connection: Connection) -> Names:
        """Read all names."""
        return cls(await connection.fetch(load_sql("ingest", "select_directory")))

    def differences(self, found: CellDifference) -> list[Difference]:
        """A cell's difference, column by column, with the cell in words."""
        columns = CASH_FIELDS if isinstance(found.cell, CashCell) else RollupMeasures._fields
        both = zip(columns, found.stored, found.recomputed, strict=True)
        key = self._words(found)
        return [
            Difference(found.table, key, column, held, right) for column, held, right in both if held != right
        ]

    def _words(self, found: CellDifference) -> str:
        cell = found.cell
        words = [str(found.on)] if found.on else []
        words += [self._names.get((kind, getattr(cell, f"{kind}_key")), "-")
                  for kind in ("currency", "branch", "product")]  # fmt: skip
        if isinstance(cell, CashCell):
            words.append(str(cell.effective_on))
        else:
            words += [f"bucket {cell.bucket}", f"status {cell.status}"]
        return f"[{', '.join(words)}]"


def _cell(row: Mapping[str, Any]) -> RollupCell:
    return RollupCell(*(row[name] for name in RollupCell._fields))
