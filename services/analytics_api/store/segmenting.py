"""Reads that look at loans one by one: by borrowers' attributes, and for the oldest due date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from analytics_api.store.queries import Selection
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAt:
    """A part of a book at a day; `known_on` None is as known now."""

    book_key: int
    currency_key: int
    selection: Selection
    day: date
    known_on: date | None
    live: bool


async def fetch_segments(reading: Reading, at: BookAt, by: str) -> list[Row]:
    """The cells of each part that borrowers' attributes make of a book."""
    keys = (at.book_key, at.currency_key, *at.selection.keys(), by, at.day, at.known_on, at.live)
    return await reading.fetch("fetch_segments", *keys)


async def fetch_oldest_due(
    reading: Reading, at: BookAt, *, exactly: bool
) -> tuple[date | None, datetime | None]:
    """The oldest due date an active loan is behind with (None: none is late), and since when that is known.

    Of the running day it comes from the minute's table, made at that moment, where that is young and will do.
    """
    part = (at.book_key, at.currency_key, *at.selection.keys())
    connection = reading.connection
    if at.live and not exactly:
        row = await connection.fetchrow(load_sql("analytics_api", "fetch_oldest_due_now"), *part)
        if row is not None:
            return row["past_due_on"], row["refreshed_at"]
    sql = load_sql("analytics_api", "fetch_oldest_due")
    return await connection.fetchval(sql, *part, at.day, at.known_on, at.live), None
