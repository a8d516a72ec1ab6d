"""Measures of a period, month by month as of the last close: collection, punctuality, write-offs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.flow.collecting import (
    MonthTallies,
    by_part,
    collection_of,
    days_to_resolve,
    punctuality_of,
    resolution_of,
    today_of,
    write_offs_of,
)
from analytics_api.flow.rolling import month_end
from analytics_api.flow.tallies import RESOLVED_DAYS_MAX
from analytics_api.routes.answers import respond
from analytics_api.routes.measures import MonthsFilter, marks, months_wanted, part_of
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, Scope, find_scope
from analytics_api.schemas.collection import (
    Collection,
    CollectionPart,
    Punctuality,
    PunctualityPart,
    Resolution,
    WriteOffPart,
    WriteOffs,
)
from analytics_api.store import Reading
from analytics_api.store.collecting import (
    fetch_resolution,
    fetch_tallies,
    fetch_tally_mark,
    sum_cash_today,
    sum_portfolio_closes,
)
from analytics_api.store.queries import BookPart
from loanbook.domain.portfolio.collection import MISSED_AFTER_DAYS

router = APIRouter(prefix="/v1/measures", tags=["measures"], responses=PROBLEMS)
Figure = TypeVar("Figure")


class PeriodFilter(MonthsFilter):
    """And how to split it."""

    by: Annotated[
        Literal["branch", "region", "product"] | None, Field(description="Split into parts; whole if absent.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The months asked for, and the close that their figures stand for; None before the first."""

    scope: Scope
    part: BookPart
    by: str  # what to split it by, "" for not at all
    months: list[date]
    as_of: date | None


@router.get("/collection", response_model=Collection, summary="What fell due and what came in, by month")
async def get_collection(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[PeriodFilter, Query()]
) -> Response:
    """Collection efficiency, current and total, of closed days; today stands beside it, so far."""

    async def make() -> Collection:
        async with parts.store.reading() as reading:
            period, told = await _period(reading, wanted)
            today, currency = period.scope.business_on, period.scope.currency
            return Collection(
                **told,
                today=today_of(today, await sum_cash_today(reading, period.part, today), currency),
                parts=[
                    CollectionPart(part=part, months=months)
                    for part, months in await _parts(reading, period, collection_of)
                ],
            )

    return await respond(request, parts.answers, make)


@router.get("/punctuality", response_model=Punctuality, summary="How installments went, by month")
async def get_punctuality(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[PeriodFilter, Query()]
) -> Response:
    """Installments on time, late, missed and open, on-time rates by count and amount, average delays."""

    async def make() -> Punctuality:
        async with parts.store.reading() as reading:
            period, told = await _period(reading, wanted)
            return Punctuality(
                **told,
                missed_after_days=MISSED_AFTER_DAYS,
                parts=[
                    PunctualityPart(part=part, months=months)
                    for part, months in await _parts(reading, period, punctuality_of)
                ],
            )

    return await respond(request, parts.answers, make)


@router.get("/resolution", response_model=Resolution, summary="How soon late installments were met")
async def get_resolution(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[MonthsFilter, Query()]
) -> Response:
    """Of installments late by a day or more, the share met within each number of days, 1 to 90."""

    async def make() -> Resolution:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            as_of, told = await _marks(reading, scope)
            months = months_wanted(scope, wanted.from_, wanted.to)
            first_on, last_on = months[0], month_end(months[-1])
            rows = (
                []
                if as_of is None
                else await fetch_resolution(
                    reading, part_of(scope, wanted), first_on, last_on, as_of=as_of, days=RESOLVED_DAYS_MAX
                )
            )
            curve = resolution_of(rows, scope.currency)
            return Resolution(
                **told,
                first_on=first_on,
                last_on=last_on,
                days_to_95_percent=days_to_resolve(curve),
                curve=curve,
            )

    return await respond(request, parts.answers, make)


@router.get("/write-offs", response_model=WriteOffs, summary="What was lost and what came back, by month")
async def get_write_offs(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[PeriodFilter, Query()]
) -> Response:
    """Write-off ratios over the average portfolio, and recovery rates by month of the write-off."""

    async def make() -> WriteOffs:
        async with parts.store.reading() as reading:
            period, told = await _period(reading, wanted)
            found = await _parts(reading, period, write_offs_of, with_portfolio=True)
            return WriteOffs(**told, parts=[WriteOffPart(part=part, months=months) for part, months in found])

    return await respond(request, parts.answers, make)


async def _period(reading: Reading, wanted: PeriodFilter) -> tuple[Period, dict[str, Any]]:
    scope = await find_scope(reading, wanted.book, wanted.currency)
    as_of, told = await _marks(reading, scope)
    months = months_wanted(scope, wanted.from_, wanted.to)
    period = Period(
        scope=scope,
        part=part_of(scope, wanted),
        by=wanted.by or "",
        months=[month for month in months if as_of is not None and month <= as_of],
        as_of=as_of,
    )
    return period, told | {"by": wanted.by}


async def _marks(reading: Reading, scope: Scope) -> tuple[date | None, dict[str, Any]]:
    """The close that the tallies stand for, and what a measure of theirs says about itself."""
    mark = await fetch_tally_mark(reading, scope.book_key)
    as_of = mark["as_of"] if mark else None
    told = await marks(reading, scope, as_of)
    return as_of, told | {"waiting_loans": mark["waiting_loans"] if mark else 0}


async def _parts(
    reading: Reading,
    period: Period,
    figure: Callable[[MonthTallies, str], Figure],
    *,
    with_portfolio: bool = False,
) -> list[tuple[str | None, list[Figure]]]:
    """A figure for each part and month; the whole has no name. Nothing before the first close."""
    if period.as_of is None or not period.months:
        return []
    first, last = period.months[0], period.months[-1]
    tallies = await fetch_tallies(reading, period.part, period.by, first, last)
    until = min(month_end(last), period.as_of)
    portfolio = (
        await sum_portfolio_closes(reading, period.part, period.by, first, until) if with_portfolio else ()
    )
    return [
        (label if period.by else None, [figure(month, period.scope.currency) for month in months])
        for label, months in by_part(period.months, period.as_of, tallies, portfolio).items()
    ]
