"""Reads and writes of the refresh that look at loans one by one: tallies, and moves between month ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql

LoanKey = tuple[int, int]  # slice and loan key
_LOAN_COLUMNS = (
    "slice", "loan_key", "book_key", "currency_key", "branch_key", "product_key", "version", "close",
)  # fmt: skip
_ENTRY_WIDTH, _CELL_WIDTH = 5, 11
_MONTH_COLUMNS = ("book_key", "month", "opening_on", "closing_on", "as_of", "restated")


async def fetch_untallied(reading: Reading, limit: int) -> list[Row]:
    """Loans that changed since they were tallied, with the close to fold them at."""
    return await reading.fetch("fetch_untallied", limit)


async def save_tallies(reading: Reading, loans: Sequence[Row], entries: Sequence[tuple[Any, ...]]) -> None:
    """Put entries (place of the loan from 1, day, measure, items, total) in the place of older ones."""
    columns = [[row[name] for row in loans] for name in _LOAN_COLUMNS]
    await _execute(reading, "save_tallies", *columns, *_turned(entries, _ENTRY_WIDTH))


async def mark_tallied(reading: Reading, *, folded: bool, complete: bool) -> None:
    """Say which close the sums of each book stand for, and how many loans still wait: none if complete."""
    await _execute(reading, "mark_tallied", folded, complete)


async def sum_tally_months(reading: Reading, *, complete: bool) -> None:
    """Sum up months where another day has closed, or loans were folded anew and none waits any more."""
    for name in ("clear_tally_months", "fill_tally_months", "mark_summed"):
        await _execute(reading, name, complete)


async def fetch_uncounted_month(reading: Reading, watched_days: int) -> Row | None:
    """The newest month of any book whose moves are to be counted; None when all are."""
    rows = await reading.fetch("fetch_uncounted_month", watched_days)
    return rows[0] if rows else None


async def fetch_moves(reading: Reading, book_key: int, opening_on: date, closing_on: date) -> list[Row]:
    """Moves between two closes: of each loan late at either of them, and the others summed up."""
    return await reading.fetch("fetch_moves", book_key, opening_on, closing_on)


async def fetch_relapsed(
    reading: Reading, loans: Sequence[LoanKey], first_on: date, last_on: date, over_days: int
) -> set[LoanKey]:
    """Which of the loans were more than so many days past due at a close between the days."""
    slices, keys = [slice_ for slice_, _ in loans], [key for _, key in loans]
    rows = await reading.fetch("fetch_relapsed", slices, keys, first_on, last_on, over_days)
    return {(row["slice"], row["loan_key"]) for row in rows}


async def save_moves(reading: Reading, month: Row, cells: Sequence[tuple[int, ...]]) -> None:
    """Put a month's cells, in the order of the table's columns, in the place of older ones."""
    await _execute(reading, "clear_moves", month["book_key"], month["month"])
    of_month = [month[name] for name in _MONTH_COLUMNS]
    await _execute(reading, "save_moves", *of_month, *_turned(cells, _CELL_WIDTH))


def _turned(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[index] for row in rows] for index in range(width)]


async def _execute(reading: Reading, name: str, *arguments: Any) -> None:  # noqa: ANN401 - whatever the query takes
    await reading.connection.execute(load_sql("analytics_api", name), *arguments)
