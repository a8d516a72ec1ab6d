"""Answers about reconciliation: upstream's statements beside our figures, and loans nobody vouches for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.parts import DatedSchema, Money, Schema
from analytics_api.schemas.portfolio import BucketName

StaleReason = Literal["not_rolled", "drifting", "unheard"]
SplitName = BucketName | Literal["stale"]


class StatedFigures(Schema):
    """What one side says of a loan; null where it says nothing."""

    status: str | None
    principal_outstanding: Money | None
    overdue: Money | None
    days_past_due: int | None


class LoanDrift(Schema):
    """A loan of which upstream's latest statement and our figures differ."""

    loan_id: str
    stated_on: Annotated[date, Field(description="Both sides' figures are of the close of this day.")]
    age_days: Annotated[int, Field(description="Of the statement, at the business day.")]
    differs_in: Annotated[list[str], Field(examples=[["principal_outstanding", "days_past_due"]])]
    stated: Annotated[StatedFigures, Field(description="Upstream's own figures.")]
    ours: Annotated[StatedFigures, Field(description="Folded from what upstream had booked by then.")]
    principal_difference: Annotated[Money | None, Field(description="Ours less upstream's.")]


class NotCompared(Schema):
    """A loan whose statement could not be compared, and why."""

    loan_id: str
    reason: str


class StaleLoans(Schema):
    """Active loans whose figures nobody vouches for, under their first reason."""

    reason: StaleReason
    loans: int
    principal: Money


class SplitBucket(Schema):
    """Active loans by days past due; stale ones are a bucket of their own, whatever their days."""

    bucket: SplitName
    loans: int
    principal: Money


class Reconciliation(DatedSchema):
    """How far upstream's statements about its loans agree with our figures, as of the last refresh."""

    book: str
    as_of: date
    compared_at: Annotated[datetime | None, Field(description="Of the last refresh; null before the first.")]
    loans_stated: Annotated[int, Field(description="Loans with a statement by upstream.")]
    waiting: Annotated[int, Field(description="Of these, still to be compared: the refresh is at it.")]
    complete: Annotated[bool, Field(description="No statement waits.")]
    drifting: Annotated[int, Field(description="Loans that differ in anything.")]
    drifting_in: Annotated[dict[str, int], Field(description="Loans by the figure that differs.")]
    drift: Annotated[list[Money], Field(description="Differences of principal, without signs, by currency.")]
    never_confirmed: Annotated[int, Field(description="Running loans without any statement.")]
    oldest_stated_on: Annotated[date | None, Field(description="Of running loans.")]
    newest_stated_on: date | None
    oldest_unconfirmed_on: Annotated[
        date | None,
        Field(description="Since when a running loan has not been confirmed: its statement, else its start."),
    ]
    stale: list[StaleLoans]
    buckets: Annotated[list[SplitBucket], Field(description="Sums to the outstanding principal.")]
    worst: Annotated[list[LoanDrift], Field(description="By the size of the principal difference.")]
    not_compared: list[NotCompared]
