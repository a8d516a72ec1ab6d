"""Answers about what fell due and what came in, how punctually, and what was lost, month by month."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.measures import MeasureSchema
from analytics_api.schemas.parts import Money, Ratio, Schema

OutcomeName = Literal["on_time", "late", "missed", "open"]
PartName = Annotated[str | None, Field(description="Branch, region or product; null for the whole.")]


class PeriodSchema(MeasureSchema):
    """What the answers about months have in common: figures as of the last close, as known after it."""

    by: Literal["branch", "region", "product"] | None
    waiting_loans: Annotated[
        int, Field(description="Loans with news that are not yet in the figures; 0 soon after each close.")
    ]


class MonthSchema(Schema):
    """The days that a month's figures stand for."""

    month: Annotated[str, Field(examples=["2026-03"])]
    first_on: date
    last_on: Annotated[date, Field(description="In the running month the last close.")]
    to_date: Annotated[bool, Field(description="The running month, so far.")]


class CollectionMonth(MonthSchema):
    """Both efficiencies: the current one stays below or at 1, the total one may pass it."""

    loans: Annotated[int, Field(description="With an installment due in the month.")]
    installments: int
    due: Annotated[Money, Field(description="Denominator of both.")]
    collected: Annotated[
        Money, Field(description="Cash paid by `last_on`, whenever it came, for what fell due in the month.")
    ]
    current_efficiency: Ratio
    cash: Annotated[Money, Field(description="All cash of the month: arrears, current and in advance.")]
    total_efficiency: Ratio


class CollectionPart(Schema):
    """The months of a book or of a part of it."""

    part: PartName
    months: list[CollectionMonth]


class CollectionToday(Schema):
    """The running day so far; not to be judged before its close."""

    day: date
    installments: int
    due: Annotated[Money, Field(description="Falls due today.")]
    collected: Annotated[Money, Field(description="Paid of it so far, credits included.")]
    collected_share: Ratio
    cash: Annotated[Money, Field(description="All cash of today so far.")]


class Collection(PeriodSchema):
    """Collection efficiency by month, and today so far."""

    today: CollectionToday
    parts: list[CollectionPart]


class OutcomeShare(Schema):
    """How many installments went one way."""

    outcome: OutcomeName
    installments: int
    amount: Annotated[Money, Field(description="What was due on them.")]


class Delay(Schema):
    """Days from the due day to the day it was met, of the installments met in the month."""

    met: int
    late: int
    days: Annotated[int, Field(description="Numerator of both means; early and on time count 0.")]
    mean_days: Annotated[float | None, Field(description="Over all met; null if none was.")]
    mean_days_of_late: Annotated[float | None, Field(description="Over the late ones alone.")]


class ResolutionPoint(Schema):
    """How many late installments were met within so many days of their due day."""

    within_days: int
    late: Annotated[int, Field(description="Due so long ago that it is known; denominator.")]
    met: int
    ratio_by_count: Ratio
    late_amount: Money
    met_amount: Money
    ratio: Ratio


class Resolution(MeasureSchema):
    """What became of installments late by a day or more."""

    waiting_loans: int
    first_on: Annotated[date, Field(description="Of the due days.")]
    last_on: date
    days_to_95_percent: Annotated[
        int | None, Field(description="By count; null where 95 % were not met within 90 days.")
    ]
    curve: list[ResolutionPoint]


class PunctualityMonth(MonthSchema):
    """Of the installments due in the month and before `as_of`: on time, late, missed, still open."""

    outcomes: list[OutcomeShare]
    decided: Annotated[int, Field(description="On time, late and missed: denominator by count.")]
    decided_amount: Annotated[Money, Field(description="Denominator by amount.")]
    on_time_rate: Annotated[Ratio, Field(description="By count.")]
    on_time_rate_by_amount: Ratio
    delay: Delay


class PunctualityPart(Schema):
    """The months of a book or of a part of it."""

    part: PartName
    months: list[PunctualityMonth]


class Punctuality(PeriodSchema):
    """Installment outcomes, on-time rates and delays by month."""

    missed_after_days: int
    parts: list[PunctualityPart]


class WriteOffMonth(MonthSchema):
    """Losses of the month over the average portfolio; and what came back of its write-offs, whenever."""

    lost_loans: int
    lost: Annotated[Money, Field(description="Charged off in the month, else written off in it.")]
    average_portfolio: Annotated[
        Money | None,
        Field(description="Mean principal outstanding of the closes, without charged-off loans."),
    ]
    closes: Annotated[int, Field(description="Closes the mean is of.")]
    write_off_ratio: Annotated[
        Ratio, Field(description="Lost over the average portfolio, of these days alone.")
    ]
    annualized_ratio: Annotated[Ratio, Field(description="The same times 365 over the days of the period.")]
    days: int
    written_off_loans: Annotated[int, Field(description="The month's cohort of write-offs.")]
    written_off: Money
    recovered_loans: int
    recovered: Annotated[Money, Field(description="On the cohort, up to `as_of`.")]
    recovery_rate: Ratio


class WriteOffPart(Schema):
    """The months of a book or of a part of it."""

    part: PartName
    months: list[WriteOffMonth]


class WriteOffs(PeriodSchema):
    """Write-off ratios and recovery rates by month."""

    parts: list[WriteOffPart]
