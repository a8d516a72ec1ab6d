"""What several answers are made of: money, ages, pages, problems."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from loanbook.domain.money import format_minor


class Schema(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# On what an answer has by the thousand, a dict with a schema: making it costs a fifth of a checked model.
strict = with_config(ConfigDict(extra="forbid"))


@strict
class Money(TypedDict):
    """An amount, exact, with all digits of its currency."""

    amount: Annotated[str, Field(examples=["12.50"], pattern=r"^-?\d+(\.\d+)?$")]
    currency: Annotated[str, Field(examples=["EUR"])]


def money(minor: int, currency: str) -> Money:
    """An amount of minor units."""
    return Money(amount=format_minor(minor, currency), currency=currency)


def money_or_none(minor: int | None, currency: str | None) -> Money | None:
    """An amount, or None where it or its currency is not known."""
    return None if minor is None or currency is None else money(minor, currency)


Ratio = Annotated[
    float | None, Field(description="0 to 1 (or more), 6 decimals; null where the denominator is 0.")
]
Days = Annotated[int, Field(ge=0, description="Days since the oldest unpaid due date; 0 when current.")]


class DataAge(Schema):
    """How fresh the figures are: the age of the partition that is furthest behind."""

    data_age_seconds: Annotated[
        float | None, Field(description="null until every partition has once been read to its end.")
    ]
    caught_up_at: datetime | None
    business_on: Annotated[date, Field(description="The running business day of the book.")]
    day_state: Annotated[str, Field(examples=["open", "closing 9/16", "rolling 9/16"])]
    replaying: Annotated[bool, Field(description="History is being loaded.")]


class DatedSchema(Schema):
    """Base of the answers that say how fresh they are."""

    data: DataAge


class Page(Schema):
    """Which part of a list this is."""

    total: int
    limit: int
    offset: int
    next_offset: int | None


def page_of(total: int, limit: int, offset: int) -> Page:
    """The page, with where the next one starts."""
    following = offset + limit
    return Page(total=total, limit=limit, offset=offset, next_offset=following if following < total else None)


class ProblemField(Schema):
    """One field of a request, and what is wrong with it."""

    field: str
    reason: str


class Problem(Schema):
    """Problem details (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemField] = Field(default_factory=list)
