"""Answers about how loans move between classes and how cohorts age."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.parts import DatedSchema, Money, Ratio, Schema
from analytics_api.schemas.portfolio import BucketName

PlaceName = Literal["current", "1-30", "31-60", "61-90", "91+", "closed", "charged_off", "written_off"]


class MeasureSchema(DatedSchema):
    """What the answers about measures have in common."""

    book: str
    currency: str
    as_of: Annotated[date | None, Field(description="The last close looked at, as known now.")]
    restating_loans: Annotated[int, Field(description="Loans whose late events are not yet in it.")]


class Move(Schema):
    """Where loans of a bucket stood at the close; closed, charged off and written off are not left again."""

    place: PlaceName
    principal: Annotated[Money, Field(description="At the opening, of the loans that came to stand here.")]
    roll_rate: Annotated[Ratio, Field(description="Of the bucket's opening principal.")]
    loans: int
    transition: Annotated[Ratio, Field(description="Of the bucket's loans.")]


class BucketMoves(Schema):
    """A row of the matrix; its shares add up to 1."""

    bucket: BucketName
    opening_principal: Annotated[Money, Field(description="Denominator of the roll rates.")]
    opening_loans: Annotated[int, Field(description="Denominator of the transitions.")]
    to: list[Move]


class MonthMoves(Schema):
    """From the last close of the month before to the last close of a month."""

    month: Annotated[str, Field(examples=["2026-03"])]
    opening_on: date
    closing_on: date
    to_date: Annotated[bool, Field(description="The running month, up to its last close.")]
    buckets: list[BucketMoves]


class RollRates(MeasureSchema):
    """Roll rates by amount and the transition matrix by count; months without two closes are left out."""

    months: list[MonthMoves]
