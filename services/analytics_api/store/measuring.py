"""Reads of measures that look at loans one by one, at several closes or over their whole life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from analytics_api.store.reading import Reading, Row
from loanbook.postgres.load_sql import load_sql


async def fetch_rolls(
    reading: Reading, book_key: int, currency_key: int, pairs: Sequence[tuple[date, date]]
) -> list[Row]:
    """Moves of loans from bucket to place between the two closes of each pair."""
    openings, closings = [first for first, _ in pairs], [last for _, last in pairs]
    return await _fetch(reading, "fetch_rolls", book_key, currency_key, openings, closings)


async def _fetch(reading: Reading, name: str, *arguments: Any) -> list[Row]:  # noqa: ANN401 - whatever the query takes
    rows: list[Row] = await reading.connection.fetch(load_sql("analytics_api", name), *arguments)
    return rows
