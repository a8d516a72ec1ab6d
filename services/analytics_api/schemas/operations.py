"""Answers about the flow of events: what does not count, what could not be taken, how fresh it all is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from analytics_api.schemas.parts import DatedSchema, Money, Page, Schema


class UnappliedEvent(Schema):
    """An event that is kept and does not count, with the reason."""

    loan_id: str
    branch: str
    event_id: str
    type: str | None
    reason: str
    amount: Money | None
    effective_on: date | None
    business_on: date | None
    known_on: date | None
    ingested_at: datetime | None


class UnappliedSum(Schema):
    """Events that do not count for one reason."""

    reason: str
    events: int
    amount: Money | None


class UnappliedList(DatedSchema):
    """Sums by reason, and a page of the events."""

    book: str
    as_of: date
    sums: list[UnappliedSum]
    page: Page
    items: list[UnappliedEvent]


class DeadLetter(Schema):
    """A message that could not be taken; its bytes stay in the store."""

    topic: str
    partition: int
    offset: int
    reason: str
    field: str | None
    size_bytes: int
    first_seen: datetime
    corrected_by: str | None
    approved_by: str | None
    replayed_at: datetime | None


class DeadLetterList(Schema):
    """A page of dead letters."""

    page: Page
    items: list[DeadLetter]
    read_at: datetime


class TopicFreshness(Schema):
    """How far one topic has been read."""

    topic: str
    partitions: int
    paused: Annotated[int, Field(description="Partitions stopped with a named error.")]
    caught_up_at: datetime | None
    data_age_seconds: float | None


class BookFreshness(Schema):
    """How far one book's business day has rolled."""

    book: str
    business_on: date
    day_state: Annotated[str, Field(examples=["open", "closing 9/16", "rolling 9/16"])]
    replaying: bool


class MartFreshness(Schema):
    """When a table of the refresh was last made."""

    mart: str
    refreshed_at: datetime
    age_seconds: float
    took_ms: int


class EventFates(Schema):
    """What became of every record received: the others add up to `received`, or `missing` is not 0."""

    received: int
    applied: int
    unapplied: Annotated[int, Field(description="Kept, and waiting for what they lack.")]
    quarantined: Annotated[int, Field(description="Kept, of loans whose events could not be folded.")]
    duplicates: int
    dead: int
    other: Annotated[int, Field(description="Ends of days, borrowers and branches.")]
    missing: int


class Freshness(Schema):
    """How fresh everything is."""

    read_at: datetime
    data_age_seconds: Annotated[float | None, Field(description="Of loan.events.v1, worst partition.")]
    outbox_waiting: int
    restating: Annotated[int, Field(description="Loans whose past days wait to be restated.")]
    books: list[BookFreshness]
    topics: list[TopicFreshness]
    events: EventFates
    marts: list[MartFreshness]


class Health(Schema):
    """Whether the process lives, or can serve."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str] = Field(default_factory=dict)
