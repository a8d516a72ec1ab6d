"""What the routes work with, and what a request's words mean: book, currency, day, part of the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from analytics_api.errors import InvalidRequestError, NotFoundError
from analytics_api.routes.access import Caller, admit
from analytics_api.routes.answers import AnswerCache
from analytics_api.schemas.parts import DataAge, Problem
from analytics_api.store import LoanPictures, PostgresAnalyticsStore, Reading, Row, Selection

EVENTS_TOPIC = "loan.events.v1"
OFFSET_MAX = 100_000
LIMIT_MAX = 500
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Names = Annotated[list[Name], Field(max_length=200)]
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX)]
Offset = Annotated[int, Field(ge=0, le=OFFSET_MAX)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in (
        (401, "No key, or an unknown one."),
        (404, "Not there; `errors` names the field."),
        (422, "A field cannot be used; `errors` names it."),
        (429, "Over the rate of this key."),
        (503, "The database does not answer."),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the installation takes where a request for provisions or losses names nothing else."""

    provision_percents: tuple[str, ...]  # current, 1-30, 31-60, 61-90, 91+
    loss_given_default: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the app hands to its routes."""

    store: PostgresAnalyticsStore
    answers: AnswerCache
    pictures: LoanPictures
    clock: Callable[[], datetime]
    assumptions: Assumptions


async def the_parts(request: Request) -> Parts:  # a plain function would be run in a thread
    """The parts that the app's lifespan opened."""
    parts: Parts = request.app.state.parts
    return parts


AppParts = Annotated[Parts, Depends(the_parts)]
Admitted = Annotated[Caller, Depends(admit)]


class BookFilter(BaseModel):
    """Which book; needed only where there are several."""

    model_config = ConfigDict(extra="forbid")

    book: Name | None = None


class PartFilter(BookFilter):
    """Which part of which book."""

    currency: Annotated[Currency | None, Field(description="The book's own if absent.")] = None
    region: Names = Field(default_factory=list)
    branch: Names = Field(default_factory=list)
    product: Names = Field(default_factory=list)

    def selection(self) -> Selection:
        """The part asked for."""
        return Selection(
            regions=self.region or None, branches=self.branch or None, products=self.product or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A book and a currency, found in the database."""

    book: str
    book_key: int
    business_on: date
    currency: str
    currency_key: int


async def find_scope(reading: Reading, book: str | None, currency: str | None = None) -> Scope:
    """The book and currency meant; raises NotFoundError, InvalidRequestError naming the field."""
    row = _the_book(await reading.fetch_scope(book, currency), book)
    if row["currency_key"] is None:
        wanted = currency or row["default_currency"]
        raise NotFoundError.of("currency", f"nothing is known in {wanted}")
    return Scope(
        book=row["book"],
        book_key=row["book_key"],
        business_on=row["business_on"],
        currency=row["currency"],
        currency_key=row["currency_key"],
    )


async def find_book(reading: Reading, book: str | None) -> Row:
    """The book meant, whatever its currencies; raises NotFoundError, InvalidRequestError."""
    return _the_book(await reading.fetch_scope(book, None), book)


async def data_age(reading: Reading, book: str) -> DataAge:
    """How fresh a book's figures are."""
    day = (await reading.fetch_days(book))[0]
    topics = {row["topic"]: row for row in await reading.fetch_freshness(book)}
    events = topics.get(EVENTS_TOPIC)
    return DataAge(
        data_age_seconds=events["data_age_seconds"] if events else None,
        caught_up_at=events["caught_up_at"] if events else None,
        business_on=day["business_on"],
        day_state=day["day_state"],
        replaying=day["replaying"],
    )


def _the_book(rows: Sequence[Row], book: str | None) -> Row:
    if not rows:
        raise NotFoundError.of("book", f"there is no book {book!r}" if book else "there is no book yet")
    if len(rows) > 1:
        names = ", ".join(row["book"] for row in rows)
        raise InvalidRequestError.of("book", f"name one of: {names}")
    return rows[0]
