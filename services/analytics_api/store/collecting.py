"""Reads of the measures over a period: tallies by month, the average portfolio, today's cash, moves."""

from __future__ import annotations

from datetime import date

from analytics_api.store.queries import BookPart
from analytics_api.store.reading import Reading, Row


async def fetch_tally_mark(reading: Reading, book_key: int) -> Row | None:
    """The close that a book's tallies stand for; None before the first."""
    rows = await reading.fetch("fetch_tally_mark", book_key)
    return rows[0] if rows else None


async def fetch_tallies(reading: Reading, part: BookPart, by: str, first: date, last: date) -> list[Row]:
    """Items and totals by label, month and measure, from the first month to the last."""
    return await reading.fetch("fetch_tallies", *part.keys(), by, first, last)


async def fetch_resolution(  # noqa: PLR0913 - the parameters of the query
    reading: Reading, part: BookPart, first_on: date, last_on: date, *, as_of: date, days: int
) -> list[Row]:
    """Late installments due in a period, and those met within each number of days, at a close."""
    return await reading.fetch("fetch_resolution", *part.keys(), first_on, last_on, as_of, days)


async def sum_portfolio_closes(
    reading: Reading, part: BookPart, by: str, first_on: date, last_on: date
) -> list[Row]:
    """Principal summed over the closes of each month, by label, and how many closes there were."""
    return await reading.fetch("sum_portfolio_closes", *part.keys(), by, first_on, last_on)


async def fetch_move_marks(reading: Reading, book_key: int, first: date, last: date) -> list[Row]:
    """The months whose moves have been counted, with their closes."""
    return await reading.fetch("fetch_move_marks", book_key, first, last)


async def fetch_move_cells(reading: Reading, part: BookPart, by: str, first: date, last: date) -> list[Row]:
    """Moves by label and month: where loans stood and came to stand, and what became of the late ones."""
    return await reading.fetch("fetch_move_cells", *part.keys(), by, first, last)


async def sum_cash_today(reading: Reading, part: BookPart, day: date) -> Row:
    """What falls due on the running day and what has come in so far."""
    return (await reading.fetch("sum_cash_today", *part.keys(), day))[0]
