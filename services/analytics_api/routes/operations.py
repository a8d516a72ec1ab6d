"""What does not count, what could not be taken, and how fresh everything is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from analytics_api.routes.answers import respond
from analytics_api.routes.wiring import (
    EVENTS_TOPIC,
    PROBLEMS,
    Admitted,
    AppParts,
    BookFilter,
    Limit,
    Name,
    Names,
    Offset,
    data_age,
    find_book,
)
from analytics_api.schemas.operations import (
    BookFreshness,
    DeadLetter,
    DeadLetterList,
    EventFates,
    Freshness,
    MartFreshness,
    TopicFreshness,
    UnappliedEvent,
    UnappliedList,
    UnappliedSum,
)
from analytics_api.schemas.parts import money_or_none, page_of
from analytics_api.store import Row
from loanbook.postgres.ledger import TYPE_NAMES

router = APIRouter(prefix="/v1", tags=["operations"], responses=PROBLEMS)


class UnappliedFilter(BookFilter):
    """Which events that do not count, and which page of them."""

    branch: Names = Field(default_factory=list)
    reason: Names = Field(default_factory=list)
    limit: Limit = 50
    offset: Offset = 0


class DeadLetterFilter(BaseModel):
    """Which dead letters, and which page of them; the book of one cannot always be read."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Name | None, Field(description="A part of the reason.")] = None
    waiting: Annotated[bool, Field(description="Only those not replayed.")] = True
    limit: Limit = 50
    offset: Offset = 0


@router.get("/unapplied", response_model=UnappliedList, summary="Events kept that do not count")
async def get_unapplied(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[UnappliedFilter, Query()]
) -> Response:
    """Sums by reason, and the events, the largest amounts first."""

    async def make() -> UnappliedList:
        async with parts.store.reading() as reading:
            book = await find_book(reading, wanted.book)
            branches = wanted.branch or None
            page = (wanted.limit, wanted.offset)
            rows = await reading.fetch_unapplied(book["book_key"], branches, wanted.reason or None, page)
            sums = await reading.sum_unapplied(book["book_key"], branches)
            return UnappliedList(
                book=book["book"],
                as_of=book["business_on"],
                sums=[_unapplied_sum(row) for row in sums],
                page=page_of(rows[0]["total"] if rows else 0, *page),
                items=[_unapplied_event(row) for row in rows],
                data=await data_age(reading, book["book"]),
            )

    return await respond(request, parts.answers, make)


@router.get("/dead-letters", summary="Messages that could not be taken")
async def get_dead_letters(
    parts: AppParts, _: Admitted, wanted: Annotated[DeadLetterFilter, Query()]
) -> DeadLetterList:
    """A page of dead letters with reason and field, without their bytes."""
    page = (wanted.limit, wanted.offset)
    async with parts.store.reading() as reading:
        rows = await reading.fetch_dead_letters(wanted.reason, page, waiting_only=wanted.waiting)
    return DeadLetterList(
        page=page_of(rows[0]["total"] if rows else 0, *page),
        items=[_dead_letter(row) for row in rows],
        read_at=parts.clock(),
    )


@router.get("/freshness", response_model=Freshness, summary="How fresh everything is")
async def get_freshness(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[BookFilter, Query()]
) -> Response:
    """Topics by the partition that is furthest behind, business days, what became of all events, marts."""

    async def make() -> Freshness:
        async with parts.store.reading() as reading:
            if wanted.book is not None:
                await find_book(reading, wanted.book)
            days = await reading.fetch_days(wanted.book)
            topics = {row["topic"]: row for row in await reading.fetch_freshness(wanted.book)}
            fates = await reading.count_fates()
            marts = await reading.fetch_marts()
        return _freshness(parts.clock(), days, topics, fates, marts)

    return await respond(request, parts.answers, make)


def _freshness(
    read_at: datetime, days: Sequence[Row], topics: Mapping[str, Row], fates: Row, marts: Sequence[Row]
) -> Freshness:
    first = next(iter(topics.values()), None)
    events = topics.get(EVENTS_TOPIC)
    return Freshness(
        read_at=read_at,
        data_age_seconds=events["data_age_seconds"] if events else None,
        outbox_waiting=first["outbox_waiting"] if first else 0,
        restating=first["restating"] if first else 0,
        books=[BookFreshness(**dict(row)) for row in days],
        topics=[
            TopicFreshness(**{n: row[n] for n in TopicFreshness.model_fields}) for row in topics.values()
        ],
        events=EventFates(**{name: fates[name] for name in EventFates.model_fields}),
        marts=[MartFreshness(**dict(row)) for row in marts],
    )


def _unapplied_sum(row: Row) -> UnappliedSum:
    return UnappliedSum(
        reason=row["reason"],
        events=row["events"],
        amount=money_or_none(row["amount_minor"], row["currency"]),
    )


def _unapplied_event(row: Row) -> UnappliedEvent:
    return UnappliedEvent(
        loan_id=row["loan_id"],
        branch=row["branch"],
        event_id=row["event_id"],
        type=TYPE_NAMES.get(row["type_key"]),
        reason=row["reason"],
        amount=money_or_none(row["amount_minor"], row["currency"]),
        effective_on=row["effective_on"],
        business_on=row["business_on"],
        known_on=row["known_on"],
        ingested_at=row["ingested_at"],
    )


def _dead_letter(row: Row) -> DeadLetter:
    names = (name for name in DeadLetter.model_fields if name != "offset")
    return DeadLetter(offset=row["kafka_offset"], **{name: row[name] for name in names})
