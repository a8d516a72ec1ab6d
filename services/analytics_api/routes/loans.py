"""The list of loans, and one loan with its whole story."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal, Self

import structlog
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, model_validator

from analytics_api.errors import InvalidRequestError, NotFoundError
from analytics_api.flow.figures import BAND_NAMES, BUCKET_NAMES, STATUS_NAMES
from analytics_api.routes.answers import respond
from analytics_api.routes.loan_parts import loan_detail, loan_row
from analytics_api.routes.past_loan import past_loan_detail
from analytics_api.routes.wiring import (
    PROBLEMS,
    Admitted,
    AppParts,
    BookFilter,
    Limit,
    Name,
    Offset,
    PartFilter,
    data_age,
    find_book,
    find_scope,
)
from analytics_api.schemas.loans import BandName, KnownName, LoanDetail, LoanList, SortName, StatusName
from analytics_api.schemas.parts import Problem, page_of
from analytics_api.schemas.portfolio import BucketName
from analytics_api.store import LoanQuery, Row, pick

router = APIRouter(prefix="/v1", tags=["loans"], responses=PROBLEMS)
log = structlog.get_logger()
_DAYS_MAX = 100_000
DaysPastDue = Annotated[int | None, Field(ge=0, le=_DAYS_MAX)]


class LoanFilter(PartFilter):
    """Which loans, in which order, and which page."""

    status: list[StatusName] = Field(default_factory=list)
    bucket: list[BucketName] = Field(default_factory=list)
    band: list[BandName] = Field(default_factory=list)
    days_past_due_min: DaysPastDue = None
    days_past_due_max: DaysPastDue = None
    overdue: Annotated[bool, Field(description="Only loans that owe something overdue.")] = False
    sort: SortName = "days_past_due"
    order: Literal["asc", "desc"] = "desc"
    limit: Limit = 50
    offset: Offset = 0

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        lowest, highest = self.days_past_due_min, self.days_past_due_max
        if lowest is not None and highest is not None and lowest > highest:
            msg = "days_past_due_min is over days_past_due_max"
            raise ValueError(msg)
        return self


class LoanDay(BookFilter):
    """Of which book, at which day, and by whose knowledge."""

    as_of: Annotated[date | None, Field(description="A day up to the business day; live if absent.")] = None
    known: Annotated[
        KnownName | None,
        Field(
            description="With as_of. now (default): all that is known today, as restated; then: what had come"
            " by that day; booked: what upstream had booked by that day."
        ),
    ] = None

    def is_live(self, business_on: date) -> bool:
        """Whether the stored state is meant; raises InvalidRequestError."""
        known_now = self.known in {None, "now"}
        if self.as_of is None:
            if not known_now:
                raise InvalidRequestError.of("known", "needs as_of")
            return True
        if self.as_of > business_on:
            raise InvalidRequestError.of("as_of", f"is after the business day, {business_on}")
        return self.as_of == business_on and known_now


@router.get("/loans", response_model=LoanList, summary="Loans, filtered, sorted and paged")
async def get_loans(
    request: Request, parts: AppParts, _: Admitted, wanted: Annotated[LoanFilter, Query()]
) -> Response:
    """A page of loans with their state and score; amounts of each loan in its own currency.

    Which loans, their order and their total are of `listed_at`, a minute ago at most; what is told of each is
    live, and one that has ceased to pass the filter since is left out.
    """

    async def make() -> LoanList:
        async with parts.store.reading() as reading:
            book = await find_book(reading, wanted.book)
            scope = await find_scope(reading, book["book"], wanted.currency) if wanted.currency else None
            query = _query(wanted, book, scope.currency_key if scope else None)
        picture = await parts.pictures.picture_of(book["book_key"])
        picked = await asyncio.to_thread(pick, picture, query)
        async with parts.store.reading() as reading:
            rows = await reading.fetch_loans(query, picked.slices, picked.loan_keys)
            return LoanList(
                book=book["book"],
                as_of=book["business_on"],
                listed_at=picked.taken_at,
                sort=wanted.sort,
                order=wanted.order,
                page=page_of(picked.total, wanted.limit, wanted.offset),
                items=[loan_row(row) for row in rows],
                data=await data_age(reading, book["book"]),
            )

    return await respond(request, parts.answers, make)


def _query(wanted: LoanFilter, book: Row, currency_key: int | None) -> LoanQuery:
    return LoanQuery(
        book_key=book["book_key"],
        business_on=book["business_on"],
        currency_key=currency_key,
        selection=wanted.selection(),
        statuses=[STATUS_NAMES.index(name) for name in wanted.status] or None,
        buckets=[BUCKET_NAMES.index(name) for name in wanted.bucket] or None,
        bands=[BAND_NAMES.index(name) for name in wanted.band] or None,
        days_past_due_min=wanted.days_past_due_min,
        days_past_due_max=wanted.days_past_due_max,
        overdue_only=wanted.overdue,
        sort=wanted.sort,
        descending=wanted.order == "desc",
        limit=wanted.limit,
        offset=wanted.offset,
    )


@router.get(
    "/loans/{loan_id}",
    summary="One loan with its whole story",
    responses={409: {"model": Problem, "description": "Quarantined: no past day of it can be folded."}},
)
async def get_loan(
    parts: AppParts,
    caller: Admitted,
    loan_id: Annotated[Name, Path()],
    wanted: Annotated[LoanDay, Query()],
) -> LoanDetail:
    """Facts, installments, transactions with portions, events with their three dates, score, alerts.

    With as_of the loan as it was at the close of that day, folded from its ledger, without score and alerts.
    Each reading is noted in the log with the id of the key.
    """
    async with parts.store.reading() as reading:
        book = await find_book(reading, wanted.book)
        live = wanted.is_live(book["business_on"])
        place = await reading.find_loan(book["book_key"], loan_id)
        log.info(
            "loan_read", key_id=caller.key_id, book=book["book"], loan_id=loan_id, found=place is not None
        )
        if place is None:
            raise NotFoundError.of("loan_id", f"there is no loan {loan_id!r} in {book['book']}")
        row = await reading.fetch_loan(*place)
        if live or wanted.as_of is None:
            return await loan_detail(reading, row)
        return await past_loan_detail(reading, row, wanted.as_of, wanted.known or "now")
