"""Real books of which a tenth comes days late: each past day as known then and restated, by the whole stack.

The figures to be met are counted in tests/real_books.py from the lender's files and from the days on
which this test sends their events.
"""

from __future__ import annotations

import asyncio
import json
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from ingest.commands.import_events import read_events
from ingest.commands.import_rows import ImportEvent
from ingest.commands.mapping import Mapping, load_mapping
from ingest.commands.sending import open_sink
from tests import real_books, real_measures
from tests.real_books import BOOKS, CURRENCIES, DAY, Happening, View
from tests.stack import DATA, Stack

pytestmark = [pytest.mark.integration, pytest.mark.e2e]
SEED, LATE_SHARE, LATE_DAYS_MAX = 20, 0.1, 30
CLOSES_EVERY = {
    "loan_payments_500": 1,
    "superlender": 7,
    "airtime_loans": 7,
}  # the days between are closed, too
LOOKS = 25  # days that are also asked for as known on a day between then and now
LOANS_OF_A_KIND = 2
LEDGER_ROWS = """
SELECT count(*) FROM core.event JOIN core.loan USING (slice, loan_key) JOIN core.book USING (book_key)
WHERE book = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateBook:
    """What happened in a book with the days on which it came, and the events to send on those days."""

    name: str
    told: list[Happening]
    closes: list[date]
    mail: dict[date, list[ImportEvent]]

    @property
    def days(self) -> list[date]:
        """Every closed day."""
        first = min(item.counts_on for item in self.told)
        return [first + number * DAY for number in range((self.closes[-1] - first).days + 1)]

    @property
    def late(self) -> list[Happening]:
        """What came after the close of the day from which it counts."""
        return [item for item in self.told if item.came_on > item.counts_on]

    def told_anew_on(self, day: date, known_on: date = date.max) -> date | None:
        """When the last event came that counts by a day and missed its close."""
        came = [item.came_on for item in self.late if item.counts_on <= day < item.came_on <= known_on]
        return max(came, default=None)


def a_late_book(name: str, book: str, mapping: Mapping) -> LateBook:
    """The same tenth late each time; a half of it was booked late, the other half was only sent late."""
    messages = {key_of(event): event for event in read_events(DATA / name, mapping, book).events}
    happened = sorted(real_books.happenings(name), key=lambda item: item.counts_on)
    first_day, last_day, every = happened[0].counts_on, max(real_books.expected(name)), CLOSES_EVERY[name]
    spans = (last_day - first_day).days // every
    closes = [last_day - number * every * DAY for number in reversed(range(spans + 1))]
    chance = random.Random(f"{SEED}/{name}")
    told, mail = [], defaultdict(list)
    for item in happened:
        is_late, is_booked_late = chance.random() < LATE_SHARE, chance.random() < 0.5
        sent_on = item.counts_on + is_late * chance.randint(1, LATE_DAYS_MAX) * DAY
        place = bisect_left(closes, sent_on)  # the business day on which these closes have it come
        came_on = closes[place - 1] + DAY if place else first_day
        booked_on = item.counts_on
        if is_booked_late and came_on > item.counts_on:
            booked_on += chance.randint(1, (came_on - item.counts_on).days) * DAY
        told.append(replace(item, booked_on=booked_on, came_on=came_on))
        event = messages.pop((item.loan_id, item.kind, item.payment_id))
        mail[came_on].append(booked(event, booked_on))
    mail[first_day] += messages.values()  # borrowers
    return LateBook(name=name, told=told, closes=closes, mail=mail)


def key_of(event: ImportEvent) -> tuple[str, str, str]:
    """Loan, type and, of a payment, its id."""
    message = json.loads(event.value)
    payment = message["data"].get("entity_id") if message["type"] == "payment.posted.v1" else None
    return message["subject"], message["type"], payment or ""


def booked(event: ImportEvent, on: date) -> ImportEvent:
    """The event as upstream booked it on a day."""
    message = json.loads(event.value)
    message["data"]["business_date"] = str(on)
    return replace(event, value=json.dumps(message).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Asks the API about one late book."""

    book: str
    client: httpx.AsyncClient
    late_book: LateBook

    async def portfolio(self, day: date, **known: str) -> dict[str, Any]:
        """The whole book at a close."""
        return await self.ask("portfolio", as_of=str(day), oldest=True, **known)

    async def ask(self, path: str, **query: Any) -> dict[str, Any]:
        """An answer about the book."""
        answer = await self.client.get(f"/v1/{path}", params={"book": self.book, **query})
        assert answer.status_code == HTTPStatus.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def portfolios(self, known: str) -> dict[date, dict[str, Any]]:
        """The whole book at every close."""
        answers: dict[date, dict[str, Any]] = {}
        days = self.late_book.days
        for start in range(0, len(days), 8):
            some = days[start : start + 8]
            answers |= zip(
                some, await asyncio.gather(*(self.portfolio(day, known=known) for day in some)), strict=True
            )
        return answers

    async def loan(self, loan_id: str, day: date, known: View) -> dict[str, Any] | None:
        """A loan at a day; None before anything is known of it."""
        query = {"book": self.book, "as_of": str(day), "known": known}
        answer = await self.client.get(f"/v1/loans/{loan_id}", params=query)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            assert [error["field"] for error in answer.json()["errors"]] == ["as_of"]
            return None
        assert answer.status_code == HTTPStatus.OK, answer.text
        return loan_figures(answer.json())


def loan_figures(answer: dict[str, Any]) -> dict[str, Any]:
    """What is compared of a loan; one that is not paid out yet has no amounts."""
    facts = answer["facts"]
    found = {"status": facts["status"]}
    if facts["status"] == "pending":
        return found
    names = ("disbursed", "paid", "total_outstanding", "principal_outstanding", "overdue")
    amounts = {name: real_books.amount(facts[name]) for name in names}
    return found | amounts | {"days_past_due": facts["days_past_due"], "branch": answer["branch"]}


def loan_counted(items: Iterable[Happening], day: date, view: View) -> dict[str, Any] | None:
    """The same, counted from what a view knows of the loan."""
    seen = [item for item in items if item.known_on(view) <= day and item.counts_on <= day]
    at = real_books.stand(seen, day)
    if at is None:
        return {"status": "pending"} if seen else None
    return {
        "status": "active" if at.is_open else "closed",
        "disbursed": at.disbursed,
        "paid": at.paid,
        "total_outstanding": at.outstanding,
        "principal_outstanding": at.principal,
        "overdue": at.outstanding if at.past_due_on else 0,
        "days_past_due": at.days_past_due,
        "branch": at.branch,
    }


@pytest.fixture(scope="module", params=BOOKS)
async def desk(stack: Stack, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A book that has lived through its late events, with nothing left to tell anew."""
    name = str(request.param)
    if not (DATA / name).is_dir():
        pytest.skip(f"the book {name} is not here")
    if not stack.processes:
        stack.start("ingest", "analytics")
    book, mapping = f"{name}-late", load_mapping(name)
    late_book = a_late_book(name, book, mapping)
    opens_on = str(late_book.days[0])
    done = stack.command("book", "add", book, "--currency", CURRENCIES[name], "--opens-on", opens_on)
    assert done.returncode == 0, done.stderr
    await send(stack, book, mapping, late_book)
    async with httpx.AsyncClient(base_url=stack.analytics, timeout=30) as client:
        yield Desk(book=book, client=client, late_book=late_book)


async def send(stack: Stack, book: str, mapping: Mapping, late_book: LateBook) -> None:
    """Send each event on the day it comes, end the days, and wait until every past day is told anew."""
    opening = [late_book.days[0], *(day + DAY for day in late_book.closes)]
    async with open_sink(stack.environment["KAFKA_BOOTSTRAP_SERVERS"]) as sink:
        for opens_on, closes_on in zip(opening, [*late_book.closes, None], strict=True):
            assert await sink.send(late_book.mail[opens_on]) == []
            if closes_on is not None:
                await sink.close_day(book, mapping.source, closes_on)
    await stack.until_day(book, late_book.closes[-1] + DAY)
    await stack.until(lambda: stack.value(LEDGER_ROWS, book), lambda seen: seen == len(late_book.told))
    await stack.until(lambda: stack.get("/v1/freshness"), lambda seen: seen["restating"] == 0)


async def test_a_tenth_of_the_book_comes_late(desk: Desk) -> None:
    late = desk.late_book.late
    assert 0.07 < len(late) / len(desk.late_book.told) < 0.11
    assert len({item.kind for item in late}) == 4
    assert 0.3 < sum(item.booked_on > item.counts_on for item in late) / len(late) < 0.7


async def test_every_day_as_known_then_holds_only_what_had_come(desk: Desk) -> None:
    answers = await desk.portfolios("then")
    for day, wanted in real_books.days_of(desk.late_book.told, desk.late_book.days, "then", {}):
        assert real_books.answered(answers[day]) == without_splits(wanted), day
        assert (answers[day]["known_on"], answers[day]["restated"]) == (str(day), False)


async def test_every_day_restated_is_as_if_all_had_come_in_time_and_says_so(desk: Desk) -> None:
    answers = await desk.portfolios("now")
    for day, wanted in real_books.days_of(desk.late_book.told, desk.late_book.days, "now", {}):
        assert real_books.answered(answers[day]) == without_splits(wanted), day
        told_on = desk.late_book.told_anew_on(day)
        assert (answers[day]["restated"], answers[day]["restated_known_on"]) == (
            told_on is not None,
            None if told_on is None else str(told_on),
        )
        assert answers[day]["restating_loans"] == 0
    for day, block in real_books.expected(desk.late_book.name).items():
        assert real_books.answered(answers[day]) == without_splits(block), day


async def test_a_day_may_be_asked_for_as_known_on_any_later_day(desk: Desk) -> None:
    days, chance = desk.late_book.days, random.Random(SEED)
    loans = real_books.by_loan(desk.late_book.told)
    for day in chance.sample(days, LOOKS):
        known_on = day + chance.randint(1, 2 * LATE_DAYS_MAX) * DAY
        sums: real_books.Sums = Counter()
        for items in loans.values():
            at = real_books.stand([item for item in items if item.came_on <= known_on], day)
            sums.update(real_books.share(at, {}))
        answer = await desk.portfolio(day, known_on=str(known_on))
        assert real_books.answered(answer) == without_splits(real_books.figures(sums, day)), (day, known_on)
        told_on = desk.late_book.told_anew_on(day, known_on)
        assert answer["restated_known_on"] == (None if told_on is None else str(told_on))


async def test_a_late_loan_reads_as_restated_as_received_and_as_booked(desk: Desk) -> None:
    loans, days = real_books.by_loan(desk.late_book.told), set(desk.late_book.days)
    differing: Counter[str] = Counter()
    for item in some_late(desk.late_book):
        turns = {item.counts_on, item.booked_on, item.came_on, item.counts_on + LATE_DAYS_MAX * DAY}
        for day in sorted(days & {turn + step * DAY for turn in turns for step in (-1, 0, 1)}):
            views: tuple[View, ...] = ("now", "then", "booked")
            wanted = {view: loan_counted(loans[item.loan_id], day, view) for view in views}
            found = {view: await desk.loan(item.loan_id, day, view) for view in views}
            assert found == wanted, (item, day)
            differing.update(view for view in views[1:] if wanted[view] != wanted["now"])
    assert min(differing["then"], differing["booked"]) > LOANS_OF_A_KIND


async def test_measures_are_those_of_the_domain_over_the_folded_loans(stack: Stack, desk: Desk) -> None:
    messages = (event.value for mail in desk.late_book.mail.values() for event in mail)
    await real_measures.refresh(stack.dsn)
    await real_measures.check_measures(desk.ask, real_measures.folds_of(messages), desk.late_book.closes[-1])


def some_late(late_book: LateBook) -> list[Happening]:
    """Some of each kind that came late and were booked late, but not on the day they came."""
    kinds: dict[str, list[Happening]] = defaultdict(list)
    for item in late_book.late:
        if item.counts_on < item.booked_on < item.came_on:
            kinds[item.kind].append(item)
    chance = random.Random(SEED)
    return [item for found in kinds.values() for item in chance.sample(found, LOANS_OF_A_KIND)]


def without_splits(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of the book as a whole."""
    return {name: value for name, value in figures.items() if not name.startswith("by_")}
