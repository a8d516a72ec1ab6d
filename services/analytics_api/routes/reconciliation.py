"""Whether upstream's own statements about its loans agree with our figures, and which loans are stale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.flow.figures import BUCKET_NAMES
from analytics_api.routes.answers import respond
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, BookFilter, data_age, find_book
from analytics_api.schemas.parts import money, money_or_none
from analytics_api.schemas.reconciliation import (
    LoanDrift,
    NotCompared,
    Reconciliation,
    SplitBucket,
    SplitName,
    StaleLoans,
    StatedFigures,
)
from analytics_api.store import Reading, Row

router = APIRouter(prefix="/v1", tags=["operations"], responses=PROBLEMS)
_MART = "reconciliation"
_SPLIT_NAMES: tuple[SplitName, ...] = (*BUCKET_NAMES, "stale")
_COMPARED = ("status", "principal_outstanding", "overdue", "days_past_due")


class ReconciliationFilter(BookFilter):
    """Which book, and how much of it."""

    worst: Annotated[int, Field(ge=1, le=500, description="Drifting loans shown.")] = 50


@router.get(
    "/reconciliation", response_model=Reconciliation, summary="Upstream's statements against our figures"
)
async def get_reconciliation(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[ReconciliationFilter, Query()]
) -> Response:
    """The latest `loan.snapshot` of each loan against our fold at its day: drifting and stale loans.

    Comparisons are made by the refresh as statements and late events come; `waiting` are those it has not
    got to, `compared_at` is when the sums were made.
    """

    async def make() -> Reconciliation:
        async with parts.store.reading() as reading:
            return await _reconciled(reading, await find_book(reading, wanted.book), wanted)

    return await respond(request, parts.answers, make)


async def _reconciled(reading: Reading, book: Row, wanted: ReconciliationFilter) -> Reconciliation:
    key, today = book["book_key"], book["business_on"]
    sums = await reading.sum_statements(key)
    made_at = {row["mart"]: row["refreshed_at"] for row in await reading.fetch_marts()}
    return Reconciliation(
        book=book["book"],
        as_of=today,
        compared_at=made_at.get(_MART),
        loans_stated=_total(sums, "stated"),
        waiting=_total(sums, "waiting"),
        complete=not _total(sums, "waiting"),
        drifting=_total(sums, "drifting"),
        drifting_in={name: _total(sums, name) for name in _COMPARED},
        drift=[money(row["drift_minor"], row["currency"]) for row in sums if row["currency"]],
        never_confirmed=_total(sums, "never_confirmed"),
        oldest_stated_on=min(_days(sums, "oldest_stated_on"), default=None),
        newest_stated_on=max(_days(sums, "newest_stated_on"), default=None),
        oldest_unconfirmed_on=min(_days(sums, "oldest_unconfirmed_on"), default=None),
        stale=[_stale(row) for row in await reading.sum_stale(key)],
        buckets=[_bucket(row) for row in await reading.sum_buckets(key)],
        worst=[_drift(row, today) for row in await reading.fetch_drifts(key, wanted.worst)],
        not_compared=[
            NotCompared(loan_id=row["loan_id"], reason=f"quarantined: {row['quarantine']}")
            for row in await reading.fetch_uncompared(key, wanted.worst)
        ],
        data=await data_age(reading, book["book"]),
    )


def _total(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _days(rows: Sequence[Row], name: str) -> list[date]:
    return [row[name] for row in rows if row[name] is not None]


def _stale(row: Row) -> StaleLoans:
    return StaleLoans(
        reason=row["reason"], loans=row["loans"], principal=money(row["principal_minor"], row["currency"])
    )


def _bucket(row: Row) -> SplitBucket:
    return SplitBucket(
        bucket=_SPLIT_NAMES[row["bucket"]],
        loans=row["loans"],
        principal=money(row["principal_minor"], row["currency"]),
    )


def _drift(row: Row, today: date) -> LoanDrift:
    ours, stated = row["our_principal_minor"], row["stated_principal_minor"]
    difference = None if ours is None or stated is None else ours - stated
    return LoanDrift(
        loan_id=row["loan_id"],
        stated_on=row["stated_on"],
        age_days=(today - row["stated_on"]).days,
        differs_in=row["differs_in"],
        stated=_figures(row, "stated"),
        ours=_figures(row, "our"),
        principal_difference=money_or_none(difference, row["currency"]),
    )


def _figures(row: Row, side: str) -> StatedFigures:
    return StatedFigures(
        status=row[f"{side}_status"],
        principal_outstanding=money_or_none(row[f"{side}_principal_minor"], row["currency"]),
        overdue=money_or_none(row[f"{side}_overdue_minor"], row["currency"]),
        days_past_due=row[f"{side}_days_past_due"],
    )
