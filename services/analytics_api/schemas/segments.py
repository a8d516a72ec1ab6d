"""Answers about the book by who the borrowers are."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.parts import DatedSchema, Schema
from analytics_api.schemas.portfolio import Figures

Attribute = Literal["age_band", "dependents", "education", "employment", "gender", "housing", "region"]


class SegmentFigures(Schema):
    """Loans of borrowers who are alike in one attribute."""

    name: Annotated[str, Field(description="`unknown` for borrowers that did not say, or are not known.")]
    figures: Figures


class Segments(DatedSchema):
    """A book by an attribute of its borrowers; small groups are shown, too: mind who reads it."""

    book: str
    currency: str
    by: Attribute
    as_of: date
    live: bool
    known_on: date | None
    restated: bool
    restated_known_on: date | None
    restating_loans: int
    items: list[SegmentFigures]
