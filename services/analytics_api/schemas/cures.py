"""Answers about cures, relapses, and moves by installments missed, between month-end closes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.collection import PartName
from analytics_api.schemas.measures import MeasureSchema
from analytics_api.schemas.parts import Money, Ratio, Schema
from analytics_api.schemas.portfolio import BucketName

MissedName = Literal["0", "1", "2", "3", "4+"]
MissedPlaceName = Literal["0", "1", "2", "3", "4+", "closed", "charged_off", "written_off"]


class MovesMonth(Schema):
    """From the last close of the month before to the last close of a month."""

    month: Annotated[str, Field(examples=["2026-03"])]
    opening_on: date
    closing_on: date
    to_date: Annotated[bool, Field(description="The running month, up to its last close.")]


class Loans(Schema):
    """So many loans, with their principal at the opening."""

    loans: int
    principal: Money


class Relapses(Schema):
    """Cured loans that were late again at a close in the days after the month."""

    last_on: Annotated[date, Field(description="The last close looked at.")]
    loans: int
    rate_by_count: Annotated[Ratio, Field(description="Of the cured loans.")]
    principal: Money
    rate: Annotated[Ratio, Field(description="Of the cured principal.")]


class BucketCures(Schema):
    """What became of the loans of a bucket."""

    bucket: BucketName
    opening: Annotated[Loans, Field(description="Denominators.")]
    cured: Annotated[Loans, Field(description="At 0 days past due, or paid in full, by money.")]
    cure_rate_by_count: Ratio
    cure_rate: Annotated[Ratio, Field(description="By principal at the opening.")]
    by_restructure: Annotated[Loans, Field(description="Current only because terms were changed: no cures.")]
    by_waiver: Annotated[Loans, Field(description="Current only because a debt was given up: no cures.")]
    written_off: Loans
    relapsed: Annotated[
        Relapses | None, Field(description="null until the days they are watched for are closed.")
    ]


class CuresMonth(MovesMonth):
    """A month, by bucket at its opening."""

    buckets: list[BucketCures]


class CuresPart(Schema):
    """The months of a book or of a part of it."""

    part: PartName
    months: list[CuresMonth]


class Cures(MeasureSchema):
    """Cure rates and relapses by month; months not yet counted, or without two closes, are left out."""

    by: Literal["branch", "region", "product"] | None
    relapse_days: Annotated[int, Field(description="For which cured loans are watched.")]
    relapse_over_days: Annotated[int, Field(description="A relapse is more days past due than these.")]
    parts: list[CuresPart]


class MissedMove(Schema):
    """Where loans stood at the close."""

    place: MissedPlaceName
    principal: Annotated[Money, Field(description="At the opening, of the loans that came to stand here.")]
    roll_rate: Annotated[Ratio, Field(description="Of the row's opening principal.")]
    loans: int
    transition: Annotated[Ratio, Field(description="Of the row's loans.")]


class MissedMoves(Schema):
    """A row of the matrix; its shares add up to 1."""

    missed: Annotated[MissedName, Field(description="Installments missed at the opening.")]
    opening: Annotated[Loans, Field(description="Denominators.")]
    to: list[MissedMove]


class MissedMonth(MovesMonth):
    """A month's matrix."""

    rows: list[MissedMoves]


class MissedRollRates(MeasureSchema):
    """Roll rates by installments missed: those that fell due since the oldest unpaid due day, it included."""

    months: list[MissedMonth]
