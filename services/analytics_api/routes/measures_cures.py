"""Cures, relapses and moves by installments missed, between month-end closes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from analytics_api.flow.curing import MonthMoved, cures_of, missed_of, moved_by_part
from analytics_api.routes.answers import respond
from analytics_api.routes.measures import MonthsFilter, marks, months_wanted, part_of
from analytics_api.routes.measures_collection import PeriodFilter
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, Scope, find_scope
from analytics_api.schemas.cures import Cures, CuresPart, MissedRollRates
from analytics_api.store import Reading
from analytics_api.store.collecting import fetch_move_cells, fetch_move_marks
from loanbook.domain.portfolio.missed import RELAPSE_DAYS, RELAPSE_OVER_DAYS

router = APIRouter(prefix="/v1/measures", tags=["measures"], responses=PROBLEMS)


@router.get("/cures", response_model=Cures, summary="What became of late loans, by month")
async def get_cures(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[PeriodFilter, Query()]
) -> Response:
    """Cure rates by count and amount; restructures, waivers and write-offs apart; relapses of the cured."""

    async def make() -> Cures:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            moved = await _moved(reading, scope, wanted, wanted.by)
            return Cures(
                **await marks(reading, scope, _last_close(moved)),
                by=wanted.by,
                relapse_days=RELAPSE_DAYS,
                relapse_over_days=RELAPSE_OVER_DAYS,
                parts=[
                    CuresPart(part=label if wanted.by else None, months=[cures_of(month) for month in months])
                    for label, months in moved.items()
                ],
            )

    return await respond(request, parts.answers, make)


@router.get(
    "/missed-roll-rates", response_model=MissedRollRates, summary="Moves by installments missed, by month"
)
async def get_missed_roll_rates(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[MonthsFilter, Query()]
) -> Response:
    """Roll rates and transitions between numbers of installments missed, which no length of month changes."""

    async def make() -> MissedRollRates:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            moved = await _moved(reading, scope, wanted)
            return MissedRollRates(
                **await marks(reading, scope, _last_close(moved)),
                months=[missed_of(month) for months in moved.values() for month in months],
            )

    return await respond(request, parts.answers, make)


async def _moved(
    reading: Reading, scope: Scope, wanted: MonthsFilter, by: str | None = None
) -> dict[str, list[MonthMoved]]:
    months = months_wanted(scope, wanted.from_, wanted.to)
    counted = await fetch_move_marks(reading, scope.book_key, months[0], months[-1])
    cells = await fetch_move_cells(reading, part_of(scope, wanted), by or "", months[0], months[-1])
    return moved_by_part(counted, cells, scope.currency)


def _last_close(moved: dict[str, list[MonthMoved]]) -> date | None:
    return max((month.mark["closing_on"] for months in moved.values() for month in months), default=None)
