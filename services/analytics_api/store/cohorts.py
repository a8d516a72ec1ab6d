"""Reads of loans by cohort, from the tables that the refresh makes when a day has closed."""

from __future__ import annotations

from datetime import date

from analytics_api.store.queries import BookPart
from analytics_api.store.reading import Reading, Row


async def fetch_cohort_mark(reading: Reading, book_key: int) -> date | None:
    """The close that the cohorts stand for; None until they have been made."""
    rows = await reading.fetch("fetch_cohort_mark", book_key)
    return rows[0]["closed_on"] if rows else None


async def fetch_cohorts(reading: Reading, part: BookPart) -> list[Row]:
    """Each cohort with its size and its youngest loan."""
    return await reading.fetch("fetch_cohorts", *part.keys())


async def fetch_vintages(reading: Reading, part: BookPart, over_days: int) -> list[Row]:
    """Loans by the age at which they were first late for so long, 30 or 90 days."""
    return await reading.fetch("fetch_vintages", *part.keys(), over_days)


async def fetch_first_payments(reading: Reading, part: BookPart, by: str) -> list[Row]:
    """Known first payments and defaults among them, by cohort or owner."""
    return await reading.fetch("fetch_first_payments", *part.keys(), by)
