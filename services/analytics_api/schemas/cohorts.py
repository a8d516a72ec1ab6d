"""Answers about loans by cohort: how they age, and how their first payments went."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.measures import MeasureSchema
from analytics_api.schemas.parts import Money, Ratio, Schema

CohortUnit = Annotated[
    Literal["month", "week"],
    Field(description="Of first disbursement; weeks for terms up to 90 days. Ages count in the same."),
]


class VintageCell(Schema):
    """A cohort at an age; null as long as its last loan is not that old."""

    age: int
    loans: Annotated[int | None, Field(description="That were ever over the threshold by this age.")]
    ratio_by_count: Ratio
    disbursed: Annotated[Money | None, Field(description="To those loans.")]
    ratio: Annotated[Ratio, Field(description="Of the disbursed amount.")]


class VintageCurve(Schema):
    """A cohort from age 0 on; the shares never fall."""

    cohort_on: Annotated[date, Field(description="The first day of the month, the Monday of the week.")]
    unit: CohortUnit
    youngest_on: Annotated[date, Field(description="The cohort's last disbursement.")]
    loans: Annotated[int, Field(description="Denominator by count.")]
    disbursed: Annotated[Money, Field(description="Denominator by amount.")]
    cells: list[VintageCell]


class Vintages(MeasureSchema):
    """Vintage curves, cohort by cohort, months before weeks; lateness is what it was at a close."""

    over_days: Annotated[int, Field(description="Strictly more than this, ever.")]
    cohorts: list[VintageCurve]


class FirstPayments(Schema):
    """First payments of a cohort or an owner; only those due for long enough are known."""

    name: Annotated[str, Field(description="The cohort's first day, or the owner's name.")]
    unit: CohortUnit | None
    loans: Annotated[int, Field(description="All of them, known or not.")]
    known_loans: Annotated[int, Field(description="Denominator by count.")]
    defaulted_loans: int
    ratio_by_count: Ratio
    known_disbursed: Annotated[Money, Field(description="Denominator by amount.")]
    defaulted_disbursed: Money
    ratio: Annotated[Ratio, Field(description="Of the disbursed amount.")]


class FirstPaymentDefaults(MeasureSchema):
    """First installments not met 30 days after their due day; 7 days for terms up to 90 days."""

    by: Annotated[str, Field(description="Owners are the loans' newest.")]
    total: FirstPayments
    parts: list[FirstPayments]
