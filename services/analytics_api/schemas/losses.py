"""Answers about one day's portfolio: who holds it, what is set aside for it, what may be lost."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.measures import MeasureSchema, PlaceName
from analytics_api.schemas.parts import Money, Ratio, Schema
from analytics_api.schemas.portfolio import BucketName

Percent = Annotated[str, Field(examples=["12.5"])]
StageNumber = Literal[1, 2, 3]


class DaySchema(MeasureSchema):
    """A measure of one day."""

    as_of: Annotated[date, Field(description="The running business day where live, else a closed day.")]
    live: bool


class Holder(Schema):
    """One holder of the portfolio; its share of the loans more than 30 days past due stands beside."""

    name: str
    loans: int
    principal_outstanding: Money
    share: Annotated[Ratio, Field(description="Of the portfolio.")]
    par30_loans: int
    par30_principal: Money
    par30_share: Annotated[Ratio, Field(description="Of all principal more than 30 days past due.")]


class Concentration(DaySchema):
    """How the portfolio is spread; branch and product as of the day, officer and borrower the newest."""

    by: str
    holders: int
    loans: int
    principal_outstanding: Annotated[Money, Field(description="Denominator of the shares.")]
    herfindahl: Annotated[Ratio, Field(description="Sum of the squared shares; 1: one holds it all.")]
    par30_loans: int
    par30_principal: Money
    par30_herfindahl: Ratio
    top_share: Annotated[Ratio, Field(description="Of the portfolio, held by those listed.")]
    top: Annotated[list[Holder], Field(description="The largest ones.")]


class BucketProvision(Schema):
    """What is set aside for a class of lateness."""

    bucket: BucketName
    percent: Percent
    loans: int
    principal_outstanding: Money
    base: Annotated[Money, Field(description="What the percent is taken of, loan by loan.")]
    provision: Money


class Provisions(DaySchema):
    """Provisions by class of lateness, and how much of the principal at risk they cover."""

    basis: Literal["principal", "outstanding"]
    buckets: list[BucketProvision]
    loans: int
    principal_outstanding: Money
    provision: Money
    par30_loans: int
    par30_principal: Annotated[Money, Field(description="Denominator of the coverage.")]
    risk_coverage: Annotated[Ratio, Field(description="Provisions over principal over 30 days past due.")]


class StageRules(Schema):
    """When a loan is in which stage; charged-off loans, where asked for, are in stage 3."""

    impaired_from_days: Annotated[int, Field(description="Stage 3 from so many days past due.")]
    increased_over_days: Annotated[
        int, Field(description="Stage 2 over so many, or when the terms were ever eased.")
    ]


class Stage(Schema):
    """Loans of an IFRS 9 stage."""

    stage: StageNumber
    loans: int
    share_of_loans: Ratio
    principal_outstanding: Money
    share_of_principal: Ratio
    exposure: Annotated[Money, Field(description="Principal, and overdue interest, fees and penalties.")]


class Stages(DaySchema):
    """The portfolio by IFRS 9 stage."""

    rules: StageRules
    charged_off: bool
    loans: int
    principal_outstanding: Money
    exposure: Money
    stages: list[Stage]


class MonthlyMove(Schema):
    """How a bucket's loans stood a month later, over all months looked at."""

    bucket: BucketName
    loans: Annotated[int, Field(description="At the openings; with none it is taken that loans stay.")]
    to: dict[PlaceName, Ratio]
    default_probability_12m: Ratio


class LossAssumptions(Schema):
    """What the estimate rests on."""

    months: Annotated[int, Field(description="Pairs of month ends added up.")]
    first_on: date | None
    last_on: date | None
    monthly_moves: Annotated[list[MonthlyMove], Field(description="By count; powers give the probabilities.")]
    default: Annotated[str, Field(description="What absorbs: over 90 days past due, charged or written off.")]
    loss_given_default: float
    annual_discount_rate: float
    rules: StageRules


class StageLoss(Schema):
    """Expected loss of a stage: of 12 months in stage 1, of the lifetime in 2, of all in 3."""

    stage: StageNumber
    loans: int
    exposure: Money
    default_probability: Annotated[Ratio, Field(description="Mean, weighted by exposure.")]
    expected_loss: Money
    coverage: Annotated[Ratio, Field(description="Expected loss over exposure.")]


class ExpectedCreditLoss(DaySchema):
    """An estimate from observed moves between month ends; not an accounting figure."""

    label: Literal["estimate"]
    assumptions: LossAssumptions
    charged_off: bool
    stages: list[StageLoss]
    loans: int
    exposure: Money
    expected_loss: Money
    coverage: Ratio
