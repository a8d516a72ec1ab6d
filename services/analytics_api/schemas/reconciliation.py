"""Answers about reconciliation: upstream's statements beside our own figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from analytics_api.schemas.parts import DatedSchema, Money, Schema


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


class Reconciliation(DatedSchema):
    """How far upstream's statements about its loans agree with our figures."""

    book: str
    as_of: date
    loans_stated: Annotated[int, Field(description="Loans with a statement by upstream.")]
    loans_compared: Annotated[int, Field(description="Of these, the newest; at most `limit`.")]
    limit: int
    complete: Annotated[bool, Field(description="Every loan with a statement was looked at.")]
    drifting: Annotated[int, Field(description="Of the compared loans, those that differ in anything.")]
    drifting_in: Annotated[dict[str, int], Field(description="Loans by the figure that differs.")]
    never_confirmed: Annotated[int, Field(description="Running loans without any statement.")]
    stale: Annotated[int, Field(description="Running loans whose statement is older than stale_after_days.")]
    stale_after_days: int
    oldest_stated_on: date | None
    newest_stated_on: date | None
    worst: Annotated[list[LoanDrift], Field(description="By the size of the principal difference.")]
    not_compared: list[NotCompared]
