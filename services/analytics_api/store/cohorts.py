"""Reads of loans by cohort, from the tables that the refresh makes when a day has closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics_api.store.queries import Selection
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPart:
    """A part of a book in one currency."""

    book_key: int
    currency_key: int
    selection: Selection

    def keys(self) -> tuple[int | Sequence[str] | None, ...]:
        """As the queries take it: $1 to $5."""
        return (self.book_key, self.currency_key, *self.selection.keys())


async def fetch_cohort_mark(reading: Reading, book_key: int) -> date | None:
    """The close that the cohorts stand for; None until they have been made."""
    rows = await _fetch(reading, "fetch_cohort_mark", book_key)
    return rows[0]["closed_on"] if rows else None


async def fetch_cohorts(reading: Reading, part: BookPart) -> list[Row]:
    """Each cohort with its size and its youngest loan."""
    return await _fetch(reading, "fetch_cohorts", *part.keys())


async def fetch_vintages(reading: Reading, part: BookPart, over_days: int) -> list[Row]:
    """Loans by the age at which they were first late for so long, 30 or 90 days."""
    return await _fetch(reading, "fetch_vintages", *part.keys(), over_days)


async def fetch_first_payments(reading: Reading, part: BookPart, by: str) -> list[Row]:
    """Known first payments and defaults among them, by cohort or owner."""
    return await _fetch(reading, "fetch_first_payments", *part.keys(), by)


async def _fetch(reading: Reading, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
    rows: list[Row] = await reading.connection.fetch(load_sql("analytics_api", name), *arguments)
    return rows
