"""Reads of the measures over a period: tallies by month, the average portfolio, today's cash, moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics_api.store.queries import Selection
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class PartQuery:
    """Which part of which book, and by what it is to be split ("" for not at all)."""

    book_key: int
    currency_key: int
    selection: Selection
    by: str


async def fetch_tally_mark(reading: Reading, book_key: int) -> Row | None:
    """The close that a book's tallies stand for; None before the first."""
    rows = await _fetch(reading, "fetch_tally_mark", book_key)
    return rows[0] if rows else None


async def fetch_tallies(reading: Reading, query: PartQuery, first: date, last: date) -> list[Row]:
    """Items and totals by label, month and measure, from the first month to the last."""
    return await _fetch(reading, "fetch_tallies", *_keys(query), query.by, first, last)


async def fetch_resolution(  # noqa: PLR0913 - the parameters of the query
    reading: Reading, query: PartQuery, first_on: date, last_on: date, *, as_of: date, days: int
) -> list[Row]:
    """Late installments due in a period, and those met within each number of days, at a close."""
    return await _fetch(reading, "fetch_resolution", *_keys(query), first_on, last_on, as_of, days)


async def sum_portfolio_closes(
    reading: Reading, query: PartQuery, first_on: date, last_on: date
) -> list[Row]:
    """Principal summed over the closes of each month, by label, and how many closes there were."""
    return await _fetch(reading, "sum_portfolio_closes", *_keys(query), query.by, first_on, last_on)


async def fetch_move_marks(reading: Reading, book_key: int, first: date, last: date) -> list[Row]:
    """The months whose moves have been counted, with their closes."""
    return await _fetch(reading, "fetch_move_marks", book_key, first, last)


async def fetch_move_cells(reading: Reading, query: PartQuery, first: date, last: date) -> list[Row]:
    """Moves by label and month: where loans stood and came to stand, and what became of the late ones."""
    return await _fetch(reading, "fetch_move_cells", *_keys(query), query.by, first, last)


async def sum_cash_today(reading: Reading, query: PartQuery, day: date) -> Row:
    """What falls due on the running day and what has come in so far."""
    return (await _fetch(reading, "sum_cash_today", *_keys(query), day))[0]


def _keys(query: PartQuery) -> tuple[Any, ...]:
    return (query.book_key, query.currency_key, *query.selection.keys())


async def _fetch(reading: Reading, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
    rows: list[Row] = await reading.connection.fetch(load_sql("analytics_api", name), *arguments)
    return rows
