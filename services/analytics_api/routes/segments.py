"""The book by borrowers' attributes, live or at a past close: who owes, and who is late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.flow.figures import Cell, cell_of, figures_of
from analytics_api.routes.answers import respond
from analytics_api.routes.closes import PortfolioFilter, book_at, find_day, marks_of
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, data_age, find_scope
from analytics_api.schemas.segments import Attribute, SegmentFigures, Segments
from analytics_api.store import Row
from analytics_api.store.segmenting import fetch_segments

router = APIRouter(prefix="/v1", tags=["portfolio"], responses=PROBLEMS)
_UNKNOWN = "unknown"


class SegmentsFilter(PortfolioFilter):
    """Which part of a book, at which day, and by which attribute."""

    by: Annotated[
        Attribute, Field(description="Of the borrower, as known now; `region` is where the borrower lives.")
    ]


@router.get("/segments", response_model=Segments, summary="The book by an attribute of its borrowers")
async def get_segments(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[SegmentsFilter, Query()]
) -> Response:
    """Every figure of each group of borrowers, by name; those of whom nothing is known come last."""

    async def make() -> Segments:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            day = await find_day(reading, scope, wanted)
            rows = await fetch_segments(reading, book_at(scope, day, wanted), wanted.by)
            return Segments(
                book=scope.book,
                currency=scope.currency,
                by=wanted.by,
                **await marks_of(reading, scope, day),
                items=_items(rows, scope.currency),
                data=await data_age(reading, scope.book),
            )

    return await respond(request, parts.answers, make)


def _items(rows: Iterable[Row], currency: str) -> list[SegmentFigures]:
    by_name: dict[str, list[Cell]] = defaultdict(list)
    for row in rows:
        by_name[row["label"]].append(cell_of(row))
    return [
        SegmentFigures(name=name, figures=figures_of(cells, currency))
        for name, cells in sorted(by_name.items(), key=lambda item: (item[0] == _UNKNOWN, item[0]))
        if any(cell.standing for cell in cells)  # nothing was ever disbursed in the others
    ]
