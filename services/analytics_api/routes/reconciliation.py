"""Whether upstream's own statements about its loans agree with our figures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.flow.reconciling import Comparison, Stated, compare
from analytics_api.routes.answers import respond
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, BookFilter, data_age, find_book
from analytics_api.schemas.parts import money_or_none
from analytics_api.schemas.reconciliation import LoanDrift, NotCompared, Reconciliation, StatedFigures
from analytics_api.store import Reading, Row

router = APIRouter(prefix="/v1", tags=["operations"], responses=PROBLEMS)
_LOANS_A_TIME = 100  # whose ledgers are held at once
_LOANS_MAX = 5000  # folded for one answer, well under a millisecond each


class ReconciliationFilter(BookFilter):
    """Which book, and how much of it."""

    limit: Annotated[
        int, Field(ge=1, le=_LOANS_MAX, description="Loans compared, those with the newest statement first.")
    ] = 1000
    worst: Annotated[int, Field(ge=1, le=500, description="Drifting loans shown.")] = 50
    stale_after_days: Annotated[int, Field(ge=0, le=10_000)] = 35


@router.get(
    "/reconciliation", response_model=Reconciliation, summary="Upstream's statements against our figures"
)
async def get_reconciliation(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[ReconciliationFilter, Query()]
) -> Response:
    """The latest `loan.snapshot` of each loan against our fold at its day: drifting loans, the worst, ages.

    Loans are folded as they are asked for, so an answer compares at most `limit` of them, the newest
    statements first; `complete` says whether that was all.
    """

    async def make() -> Reconciliation:
        async with parts.store.reading() as reading:
            return await _reconciled(reading, await find_book(reading, wanted.book), wanted)

    return await respond(request, parts.answers, make)


async def _reconciled(reading: Reading, book: Row, wanted: ReconciliationFilter) -> Reconciliation:
    today = book["business_on"]
    sums = await reading.sum_snapshots(book["book_key"], today, wanted.stale_after_days)
    rows = await reading.fetch_snapshots(book["book_key"], today, wanted.limit)
    compared = await _compared(reading, book, [row for row in rows if row["quarantine"] is None])
    drifting = sorted((c for c in compared if c.differs_in), key=lambda c: c.loan_id)
    drifting.sort(key=lambda c: c.weight, reverse=True)
    return Reconciliation(
        book=book["book"],
        as_of=today,
        loans_stated=sums["loans"],
        loans_compared=len(compared),
        limit=wanted.limit,
        complete=len(rows) == sums["loans"],
        drifting=len(drifting),
        drifting_in=_by_figure(drifting),
        never_confirmed=sums["never_confirmed"],
        stale=sums["stale"],
        stale_after_days=wanted.stale_after_days,
        oldest_stated_on=sums["oldest_on"],
        newest_stated_on=sums["newest_on"],
        worst=[_drift(item, today) for item in drifting[: wanted.worst]],
        not_compared=[
            NotCompared(loan_id=row["loan_id"], reason=f"quarantined: {row['quarantine']}")
            for row in rows
            if row["quarantine"] is not None
        ],
        data=await data_age(reading, book["book"]),
    )


async def _compared(reading: Reading, book: Row, rows: Sequence[Row]) -> list[Comparison]:
    authorities = await reading.fetch_authorities(book["book_key"])
    compared: list[Comparison] = []
    for start in range(0, len(rows), _LOANS_A_TIME):
        some = rows[start : start + _LOANS_A_TIME]
        ledgers = await reading.fetch_ledgers([(row["slice"], row["loan_key"]) for row in some])
        # In a thread, so that other requests are served between the folds.
        compared += await asyncio.to_thread(_compare_all, book["book"], some, ledgers, authorities)
    return compared


def _compare_all(
    book: str,
    rows: Sequence[Row],
    ledgers: Mapping[tuple[int, int], list[Row]],
    authorities: Mapping[int, int],
) -> list[Comparison]:
    return [compare(book, row, ledgers[row["slice"], row["loan_key"]], authorities) for row in rows]


def _by_figure(drifting: Sequence[Comparison]) -> dict[str, int]:
    counted = Counter(name for item in drifting for name in item.differs_in)
    return {name: counted[name] for name in Stated.__dataclass_fields__}


def _drift(item: Comparison, today: date) -> LoanDrift:
    return LoanDrift(
        loan_id=item.loan_id,
        stated_on=item.stated_on,
        age_days=(today - item.stated_on).days,
        differs_in=item.differs_in,
        stated=_figures(item.stated, item.currency),
        ours=_figures(item.ours, item.currency),
        principal_difference=money_or_none(item.principal_difference, item.currency),
    )


def _figures(stated: Stated, currency: str | None) -> StatedFigures:
    return StatedFigures(
        status=stated.status,
        principal_outstanding=money_or_none(stated.principal_outstanding, currency),
        overdue=money_or_none(stated.overdue, currency),
        days_past_due=stated.days_past_due,
    )
