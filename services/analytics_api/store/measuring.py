"""Reads of how loans moved between closes, from the tables that the refresh makes."""

from __future__ import annotations

from datetime import date
from typing import Any

from analytics_api.store.cohorts import BookPart
from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql


async def fetch_rolls(reading: Reading, part: BookPart, first_on: date, last_on: date) -> list[Row]:
    """Moves of loans from bucket to place between the closes of months, as far as they have been counted."""
    return await _fetch(reading, "fetch_rolls", *part.keys(), first_on, last_on)


async def _fetch(reading: Reading, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
    rows: list[Row] = await reading.connection.fetch(load_sql("analytics_api", name), *arguments)
    return rows
