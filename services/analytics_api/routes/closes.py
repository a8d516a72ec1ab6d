"""Which day a request about the book means, and what its answer says about that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from analytics_api.errors import InvalidRequestError, NotFoundError
from analytics_api.routes.wiring import PartFilter, Scope
from analytics_api.store import Reading
from analytics_api.store.segmenting import BookAt


class PortfolioFilter(PartFilter):
    """Which part of a book, and at which day."""

    as_of: Annotated[date | None, Field(description="A closed day; live if absent.")] = None
    known_on: Annotated[
        date | None,
        Field(description="With as_of: as known at the close of this day; as known now if absent."),
    ] = None
    known: Annotated[
        Literal["now", "then"] | None, Field(description="With as_of; then: known_on is as_of.")
    ] = None

    def knowledge(self) -> date | None:
        """Known until this day; None is now."""
        return self.as_of if self.known == "then" else self.known_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The day that figures stand for."""

    as_of: date
    live: bool
    known_on: date | None = None


class DayMarks(TypedDict):
    """What an answer says about the day of its figures."""

    as_of: date
    live: bool
    known_on: date | None
    restated: bool
    restated_known_on: date | None
    restating_loans: int


async def find_day(reading: Reading, scope: Scope, wanted: PortfolioFilter) -> Day:
    """The day asked for; raises NotFoundError, InvalidRequestError naming the field."""
    if wanted.known is not None and wanted.known_on is not None:
        raise InvalidRequestError.of("known", "cannot be given together with known_on")
    if wanted.as_of is None or wanted.as_of == scope.business_on:
        given = next(
            (name for name in ("known_on", "known") if getattr(wanted, name) not in {None, "now"}), None
        )
        if given is not None:
            raise InvalidRequestError.of(given, "needs as_of, a closed day")
        return Day(as_of=scope.business_on, live=True)
    if wanted.as_of > scope.business_on:
        raise InvalidRequestError.of("as_of", f"is after the business day, {scope.business_on}")
    if wanted.known_on is not None and wanted.known_on < wanted.as_of:
        raise InvalidRequestError.of("known_on", "is before as_of")
    if await reading.fetch_last_close(scope.book_key, wanted.as_of) != wanted.as_of:
        raise NotFoundError.of("as_of", f"{wanted.as_of} has not been closed by this book")
    return Day(as_of=wanted.as_of, live=False, known_on=wanted.knowledge())


async def marks_of(reading: Reading, scope: Scope, day: Day) -> DayMarks:
    """What an answer says about its day, and whether it was told anew."""
    told = None if day.live else await reading.fetch_restatement(scope.book_key, day.as_of, day.known_on)
    known_on = told["restated_known_on"] if told else None
    return DayMarks(
        as_of=day.as_of,
        live=day.live,
        known_on=day.known_on,
        restated=known_on is not None,
        restated_known_on=known_on,
        restating_loans=told["restating_loans"] if told else 0,
    )


def book_at(scope: Scope, day: Day, wanted: PartFilter) -> BookAt:
    """The part of the book asked for, at the day found."""
    return BookAt(
        book_key=scope.book_key,
        currency_key=scope.currency_key,
        selection=wanted.selection(),
        day=day.as_of,
        known_on=day.known_on,
        live=day.live,
    )
