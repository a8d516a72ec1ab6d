"""Reads of how loans moved between closes, from the tables that the refresh makes."""

from __future__ import annotations

from datetime import date

from analytics_api.store.queries import BookPart
from analytics_api.store.reading import Reading, Row


async def fetch_rolls(reading: Reading, part: BookPart, first_on: date, last_on: date) -> list[Row]:
    """Moves of loans from bucket to place between the closes of months, as far as they have been counted."""
    return await reading.fetch("fetch_rolls", *part.keys(), first_on, last_on)
