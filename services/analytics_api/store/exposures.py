"""Reads of one day's portfolio, loan by loan: live, or at a past close as known now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analytics_api.store.queries import BookPart
from analytics_api.store.reading import Reading, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDays:
    """Days past due that make stages: 3 from, 2 over."""

    impaired_from: int = 90
    increased_over: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDay:
    """The running business day, or a closed one."""

    on: date
    live: bool


async def fetch_concentration(
    reading: Reading, part: BookPart, day: MeasuredDay, by: str, top: int
) -> list[Row]:
    """The largest holders, each with the sums over all of them."""
    return await reading.fetch("fetch_concentration", *part.keys(), day.on, day.live, by, top)


async def fetch_provisions(
    reading: Reading, part: BookPart, day: MeasuredDay, rates_bps: Sequence[int], *, on_total: bool
) -> list[Row]:
    """What is set aside, by bucket."""
    keys = (*part.keys(), day.on, day.live, on_total, list(rates_bps))
    return await reading.fetch("fetch_provisions", *keys)


async def fetch_stages(
    reading: Reading, part: BookPart, day: MeasuredDay, days: StageDays, *, charged_off: bool
) -> list[Row]:
    """Loans by stage."""
    keys = (*part.keys(), day.on, day.live, charged_off, days.impaired_from, days.increased_over)
    return await reading.fetch("fetch_stages", *keys)


async def fetch_exposures(
    reading: Reading, part: BookPart, on: date, days: StageDays, *, charged_off: bool
) -> list[Row]:
    """What is exposed now, by stage, bucket and months to the last due day."""
    keys = (*part.keys(), on, charged_off, days.impaired_from, days.increased_over)
    return await reading.fetch("fetch_exposures", *keys)


async def fetch_declining_exposures(reading: Reading, part: BookPart, on: date, days: StageDays) -> list[Row]:
    """What stage 2 exposes in each coming month, by bucket."""
    keys = (*part.keys(), on, days.impaired_from, days.increased_over)
    return await reading.fetch("fetch_declining_exposures", *keys)


async def fetch_roll_months(reading: Reading, part: BookPart, months: int) -> list[Row]:
    """Moves between the latest month ends, added up."""
    return await reading.fetch("fetch_roll_months", part.book_key, part.currency_key, months)
