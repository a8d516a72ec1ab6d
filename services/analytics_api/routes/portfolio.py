"""The book as a whole, and by branch, region and product; live, or at a past close."""

from __future__ import annotations

import asyncio
import calendar
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Literal, TypedDict

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.errors import InvalidRequestError, NotFoundError
from analytics_api.flow.figures import (
    PastStanding,
    at_risk,
    cell_of,
    defaulted_share,
    figures_of,
    standing_of,
)
from analytics_api.routes.answers import respond
from analytics_api.routes.closes import Day, PortfolioFilter, book_at, find_day, marks_of
from analytics_api.routes.wiring import (
    PROBLEMS,
    Admitted,
    AppParts,
    PartFilter,
    Parts,
    Scope,
    data_age,
    find_scope,
)
from analytics_api.schemas.parts import money
from analytics_api.schemas.portfolio import Breakdown, Change, Figures, PartFigures, Portfolio
from analytics_api.store import Reading, Row
from analytics_api.store.segmenting import fetch_oldest_due

_PARTS_KEPT = 1024

router = APIRouter(prefix="/v1", tags=["portfolio"], responses=PROBLEMS)
By = Literal["branch", "region", "product"]
Cells = tuple[Row, ...]  # of one part
Before = tuple[date, dict[str, Cells]]  # an earlier close, and its cells by part
PartSort = Literal[
    "principal_outstanding", "total_outstanding", "overdue", "par_30", "par_90", "defaulted", "name"
]


class WholeFilter(PortfolioFilter):
    """As PortfolioFilter, and whether the oldest arrears of a closed day are asked for."""

    oldest: Annotated[
        bool,
        Field(
            description="Tell days_past_due_max of a closed day, too, and of the running one to the second:"
            " looks at every loan."
        ),
    ] = False


class Oldest(TypedDict):
    """The oldest arrears, and since when that is known."""

    days_past_due_max: int | None
    days_past_due_max_at: datetime | None


class BreakdownFilter(PortfolioFilter):
    """As PortfolioFilter, with a ranking."""

    sort: PartSort = "principal_outstanding"
    order: Literal["asc", "desc"] = "desc"
    compare_to: Annotated[date | None, Field(description="An earlier close; a month before if absent.")] = (
        None
    )


@router.get("/portfolio", response_model=Portfolio, summary="A book, or a part of it, at one day")
async def get_portfolio(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[WholeFilter, Query()]
) -> Response:
    """Totals, standings, buckets, portfolio at risk over 0, 30, 60 and 90 days, and the arrears rate."""

    async def make() -> Portfolio:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            day = await find_day(reading, scope, wanted)
            rows = await _cells(reading, scope, day, wanted, "")
            figures = figures_of([cell_of(row) for row in rows], scope.currency)
            return Portfolio(
                book=scope.book,
                currency=scope.currency,
                **await marks_of(reading, scope, day),
                **await _days_past_due_max(reading, scope, day, wanted),
                figures=figures,
                data=await data_age(reading, scope.book),
            )

    return await respond(request, parts.answers, make)


@router.get("/branches", response_model=Breakdown, summary="The book by branch")
async def get_branches(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[BreakdownFilter, Query()]
) -> Response:
    """Every figure of each branch, ranked, with the change against an earlier close."""
    return await _breakdown(request, parts, wanted, "branch")


@router.get("/regions", response_model=Breakdown, summary="The book by region")
async def get_regions(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[BreakdownFilter, Query()]
) -> Response:
    """Every figure of each region, ranked, with the change against an earlier close."""
    return await _breakdown(request, parts, wanted, "region")


@router.get("/products", response_model=Breakdown, summary="The book by product")
async def get_products(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[BreakdownFilter, Query()]
) -> Response:
    """Every figure of each product, ranked, with the change against an earlier close."""
    return await _breakdown(request, parts, wanted, "product")


async def _breakdown(request: Request, parts: Parts, wanted: BreakdownFilter, by: By) -> Response:
    async def make() -> Breakdown:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            day = await find_day(reading, scope, wanted)
            rows = await _cells(reading, scope, day, wanted, by)
            before = await _before(reading, scope, day, wanted, by)
            # Beside the loop: of many branches it takes long enough to hold other answers up.
            items = await asyncio.to_thread(_items, rows, before, scope.currency)
            return Breakdown.model_construct(  # not checked: of many branches that takes as long as making it
                book=scope.book,
                currency=scope.currency,
                by=by,
                **await marks_of(reading, scope, day),
                sort=wanted.sort,
                items=_ranked(items, wanted),
                data=await data_age(reading, scope.book),
            )

    return await respond(request, parts.answers, make)


async def _days_past_due_max(reading: Reading, scope: Scope, day: Day, wanted: WholeFilter) -> Oldest:
    if not (day.live or wanted.oldest):
        return Oldest(days_past_due_max=None, days_past_due_max_at=None)
    oldest_due_on, known_at = await fetch_oldest_due(
        reading, book_at(scope, day, wanted), exactly=wanted.oldest
    )
    days = (day.as_of - oldest_due_on).days if oldest_due_on else 0
    return Oldest(days_past_due_max=max(days, 0), days_past_due_max_at=known_at)


async def _cells(reading: Reading, scope: Scope, day: Day, wanted: PartFilter, by: str) -> list[Row]:
    keys = (scope.book_key, scope.currency_key, wanted.selection(), by)
    if day.live:
        return await reading.fetch_cells_now(*keys)
    return await reading.fetch_cells_on(*keys, day=day.as_of, known_on=day.known_on)


async def _before(reading: Reading, scope: Scope, day: Day, wanted: BreakdownFilter, by: By) -> Before | None:
    close = wanted.compare_to
    if close is None:
        close = await reading.fetch_last_close(scope.book_key, month_before(day.as_of))
    elif close >= day.as_of:
        raise InvalidRequestError.of("compare_to", f"is not before {day.as_of}")
    elif await reading.fetch_last_close(scope.book_key, close) != close:
        raise NotFoundError.of("compare_to", f"{close} has not been closed by this book")
    if close is None:
        return None
    then = Day(as_of=close, live=False, known_on=day.known_on)
    return close, _by_label(await _cells(reading, scope, then, wanted, by))


def month_before(day: date) -> date:
    """The same day of the month before, or its last day."""
    year, month = (day.year - 1, 12) if day.month == 1 else (day.year, day.month - 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _by_label(rows: Iterable[Row]) -> dict[str, Cells]:
    cells: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        cells[row["label"]].append(row)
    return {label: tuple(of_part) for label, of_part in cells.items()}


# Of many parts most are as they were a second ago, or at least at the earlier close: their cells are the key.
@lru_cache(maxsize=_PARTS_KEPT)
def _figures(cells: Cells, currency: str) -> Figures | None:
    """Figures of a part; None where nothing was ever disbursed."""
    summed = [cell_of(row) for row in cells]
    is_told = any(cell.loans and cell.standing for cell in summed)
    return figures_of(summed, currency) if is_told else None


@lru_cache(maxsize=_PARTS_KEPT)
def _standing(cells: Cells) -> PastStanding:
    return standing_of([cell_of(row) for row in cells])


def _items(rows: list[Row], before: Before | None, currency: str) -> list[PartFigures]:
    return [
        PartFigures(
            name=label,
            title=cells[0]["name"],
            region=cells[0]["region"],
            figures=figures,
            change=_change(label, figures, before, currency),
        )
        for label, cells in _by_label(rows).items()
        if (figures := _figures(cells, currency)) is not None
    ]


def _change(name: str, now: Figures, before: Before | None, currency: str) -> Change | None:
    cells = before[1].get(name) if before else None
    if before is None or cells is None:
        return None
    then = _standing(cells)
    par_now, par_then = at_risk(now, 30)["ratio"], then.par_30
    known = par_now is not None and par_then is not None
    return Change(
        as_of=before[0],
        principal_outstanding=money(then.principal_minor, currency),
        par_30=par_then,
        par_30_change=round((par_now or 0) - (par_then or 0), 6) if known else None,
        defaulted_share=then.defaulted_share,
    )


def _ranked(items: list[PartFigures], wanted: BreakdownFilter) -> list[PartFigures]:
    descending = wanted.order == "desc"
    items.sort(key=lambda item: item["name"])
    items.sort(key=lambda item: _rank(item, wanted.sort), reverse=descending)
    return items


def _rank(item: PartFigures, sort: PartSort) -> tuple[bool, float | str]:
    figures = item["figures"]
    value: float | str | None
    match sort:
        case "name":
            value = item["name"]
        case "par_30" | "par_90":
            value = at_risk(figures, int(sort[4:]))["ratio"]
        case "defaulted":
            value = defaulted_share(figures)
        case "principal_outstanding" | "total_outstanding" | "overdue":
            value = float(figures["totals"][sort]["amount"])
    return (value is not None, 0 if value is None else value)
