"""Measures between closes and over the life of cohorts, restated: as known now."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.errors import InvalidRequestError
from analytics_api.flow.rolling import closes_of, month_after, month_end, moves_of
from analytics_api.routes.answers import respond
from analytics_api.routes.wiring import (
    PROBLEMS,
    Admitted,
    AppParts,
    PartFilter,
    Scope,
    data_age,
    find_scope,
)
from analytics_api.schemas.measures import RollRates
from analytics_api.store import Reading
from analytics_api.store.measuring import fetch_rolls
from analytics_api.store.queries import BookPart

router = APIRouter(prefix="/v1/measures", tags=["measures"], responses=PROBLEMS)
MONTHS_MAX = 24
_MONTHS = 6
Month = Annotated[str, Field(pattern=r"^[1-9]\d{3}-(0[1-9]|1[0-2])$", examples=["2026-03"])]


class MonthsFilter(PartFilter):
    """Which months of which part."""

    from_: Annotated[Month | None, Field(alias="from", description="Five months before `to` if absent.")] = (
        None
    )
    to: Annotated[Month | None, Field(description="The running month if absent.")] = None


@router.get("/roll-rates", response_model=RollRates, summary="How loans moved between month-end closes")
async def get_roll_rates(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[MonthsFilter, Query()]
) -> Response:
    """Roll rates weighted by the opening principal, and transitions by count, month by month."""

    async def make() -> RollRates:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            asked = months_wanted(scope, wanted.from_, wanted.to)
            rows = await fetch_rolls(reading, part_of(scope, wanted), asked[0], month_end(asked[-1]))
            months = closes_of(rows, scope.business_on)
            return RollRates(
                **await marks(reading, scope, months[-1].closing_on if months else None),
                months=[moves_of(month, rows, scope.currency) for month in months],
            )

    return await respond(request, parts.answers, make)


def part_of(scope: Scope, wanted: PartFilter) -> BookPart:
    """The part asked for, as the store takes it."""
    return BookPart(book_key=scope.book_key, currency_key=scope.currency_key, selection=wanted.selection())


async def marks(reading: Reading, scope: Scope, day: date | None) -> dict[str, Any]:
    """What every measure says about its book, its day and the age of its data."""
    told = await reading.fetch_restatement(scope.book_key, day or scope.business_on, None)
    return {
        "book": scope.book,
        "currency": scope.currency,
        "as_of": day,
        "restating_loans": told["restating_loans"],
        "data": await data_age(reading, scope.book),
    }


def months_wanted(scope: Scope, from_: str | None, to: str | None) -> list[date]:
    """The first days of the months asked for; raises InvalidRequestError naming the field."""
    running = scope.business_on.replace(day=1)
    last = _month(to) if to else running
    first = _month(from_) if from_ else month_after(last, 1 - _MONTHS)
    if last > running:
        raise InvalidRequestError.of("to", f"is after the running month, {running:%Y-%m}")
    if first > last:
        raise InvalidRequestError.of("from", "is after to")
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if count > MONTHS_MAX:
        raise InvalidRequestError.of("from", f"asks for more than {MONTHS_MAX} months")
    return [month_after(first, number) for number in range(count)]


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")
