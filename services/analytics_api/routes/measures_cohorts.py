"""Measures over the life of cohorts, at the last close as known now: vintages, first-payment defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from analytics_api.flow.cohorts import curves_of, first_payments_of
from analytics_api.routes.answers import respond
from analytics_api.routes.measures import marks, part_of
from analytics_api.routes.wiring import PROBLEMS, Admitted, AppParts, PartFilter, find_scope
from analytics_api.schemas.cohorts import FirstPaymentDefaults, Vintages
from analytics_api.store.cohorts import (
    fetch_cohort_mark,
    fetch_cohorts,
    fetch_first_payments,
    fetch_vintages,
)

router = APIRouter(prefix="/v1/measures", tags=["measures"], responses=PROBLEMS)
_AGES_MAX = 120


class VintagesFilter(PartFilter):
    """Which part of which book, how late and how old."""

    over_days: Annotated[Literal["30", "90"], Field(description="More than so many days past due, ever.")] = (
        "30"
    )
    ages: Annotated[int, Field(ge=1, le=_AGES_MAX, description="Months (weeks) from age 0 on.")] = 24


class FirstPaymentFilter(PartFilter):
    """Which part of which book, by what."""

    by: Literal["cohort", "branch", "region", "product", "officer"] = "cohort"


@router.get("/vintages", response_model=Vintages, summary="How cohorts age: the share ever late")
async def get_vintages(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[VintagesFilter, Query()]
) -> Response:
    """Ever more than 30 or 90 days past due by age, by count and by disbursed amount, cohort by cohort."""

    async def make() -> Vintages:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            part = part_of(scope, wanted)
            as_of = await fetch_cohort_mark(reading, scope.book_key)
            cohorts = await fetch_cohorts(reading, part)
            over_days = int(wanted.over_days)
            passed = await fetch_vintages(reading, part, over_days)
            return Vintages(
                **await marks(reading, scope, as_of),
                over_days=over_days,
                cohorts=curves_of(cohorts, passed, as_of=as_of, ages=wanted.ages, currency=scope.currency)
                if as_of is not None
                else [],
            )

    return await respond(request, parts.answers, make)


@router.get(
    "/first-payment-default", response_model=FirstPaymentDefaults, summary="First payments that never came"
)
async def get_first_payment_default(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[FirstPaymentFilter, Query()]
) -> Response:
    """First-payment defaults over the loans for which it is known, by cohort, branch, officer and more."""

    async def make() -> FirstPaymentDefaults:
        async with parts.store.reading() as reading:
            scope = await find_scope(reading, wanted.book, wanted.currency)
            part = part_of(scope, wanted)
            rows = await fetch_first_payments(reading, part, wanted.by)
            return FirstPaymentDefaults(
                **await marks(reading, scope, await fetch_cohort_mark(reading, scope.book_key)),
                by=wanted.by,
                total=first_payments_of(rows, "total", scope.currency),
                parts=[first_payments_of([row], row["label"], scope.currency) for row in rows],
            )

    return await respond(request, parts.answers, make)
