"""Answers about a book or a part of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from analytics_api.schemas.parts import DatedSchema, Days, Money, Ratio, strict

StandingName = Literal[
    "performing", "underperforming", "defaulted", "fully_paid", "charged_off", "written_off"
]
BucketName = Literal["current", "1-30", "31-60", "61-90", "91+"]


@strict
class Totals(TypedDict):
    """The book in five figures; loans that were never disbursed are not counted."""

    disbursed: Money
    disbursed_loans: int
    paid: Annotated[Money, Field(description="Cash received and not reversed.")]
    fully_paid_loans: int
    principal_outstanding: Annotated[Money, Field(description="Gross loan portfolio: active loans only.")]
    total_outstanding: Annotated[
        Money, Field(description="All that active loans owe, future interest included.")
    ]
    active_loans: int
    overdue: Money
    overdue_loans: int


@strict
class Standing(TypedDict):
    """Loans that stand alike, as a share of all disbursed loans."""

    standing: StandingName
    loans: int
    share_of_loans: Ratio
    disbursed: Money
    share_of_disbursed: Ratio
    principal_outstanding: Money


@strict
class Bucket(TypedDict):
    """Active loans of one class of lateness."""

    bucket: BucketName
    loans: int
    share_of_loans: Ratio
    principal_outstanding: Money
    share_of_principal: Ratio
    total_outstanding: Money
    overdue: Money


@strict
class PortfolioAtRisk(TypedDict):
    """Whole principal of loans more than so many days past due, over all principal; and the same by count."""

    over_days: Annotated[int, Field(description="Strictly more than this; 0 is one day or more.")]
    ratio: Ratio
    numerator: Money
    denominator: Money
    ratio_by_count: Ratio
    loans: int
    loans_of: int


@strict
class ArrearsRate(TypedDict):
    """Overdue principal over all principal: not portfolio at risk, which counts the whole loan."""

    ratio: Ratio
    numerator: Money
    denominator: Money


@strict
class NonPerforming(TypedDict):
    """Principal more than 90 days past due or charged off, over all principal and what was charged off."""

    ratio: Ratio
    numerator: Money
    denominator: Money


@strict
class Figures(TypedDict):
    """All figures of a book or a part of it."""

    totals: Totals
    standings: list[Standing]
    buckets: list[Bucket]
    portfolio_at_risk: list[PortfolioAtRisk]
    arrears_rate: ArrearsRate
    non_performing: NonPerforming
    estimated: Annotated[
        bool, Field(description="Some principal is pro rata, since the feed gives no components.")
    ]
    estimated_loans: int


class Portfolio(DatedSchema):
    """A book at one day."""

    model_config = ConfigDict(json_schema_extra={"description": "A book, or a part of it, at one day."})

    book: str
    currency: str
    as_of: Annotated[date, Field(description="Figures at the close of this day; the running day is live.")]
    live: bool
    known_on: Annotated[date | None, Field(description="As known then; null: as known now.")]
    restated: Annotated[bool, Field(description="Events that came after the close have changed this day.")]
    restated_known_on: Annotated[
        date | None, Field(description="The business day on which the last of them came.")
    ]
    restating_loans: Annotated[int, Field(description="Loans whose late events are not yet in this day.")]
    days_past_due_max: Annotated[
        Days | None,
        Field(description="Of the active loans, 0 when none is late; of a closed day only with `oldest`."),
    ]
    days_past_due_max_at: Annotated[
        datetime | None,
        Field(
            description="When the minute's table that tells it was made; null: told by the loans themselves."
        ),
    ]
    figures: Figures


@strict
class Change(TypedDict):
    """Against an earlier close."""

    as_of: date
    principal_outstanding: Money
    par_30: Ratio
    par_30_change: Ratio
    defaulted_share: Ratio


@strict
class PartFigures(TypedDict):
    """One branch, region or product."""

    name: str
    title: Annotated[str | None, Field(description="A branch's name, where one is known.")]
    region: str | None
    figures: Figures
    change: Annotated[Change | None, Field(description="null where that day has no close.")]


class Breakdown(DatedSchema):
    """A book by branch, region or product, ranked."""

    book: str
    currency: str
    by: Literal["branch", "region", "product"]
    as_of: date
    live: bool
    known_on: date | None
    restated: bool
    restated_known_on: date | None
    restating_loans: int
    sort: str
    items: list[PartFigures]
