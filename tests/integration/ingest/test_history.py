"""Any past day, twice: as known then and as restated now; the six faults of mixing them are shut out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from ingest.rollups import measures_of
from loanbook.domain.events import DisbursalUndone, LoanCreated, LoanEvent
from loanbook.domain.loan import LoanStatus, fold
from loanbook.domain.settings import ProductSettings
from tests.builders import DAY_0, Story, on_day
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent

pytestmark = pytest.mark.integration


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, DAY_0) as feed:
        yield feed


async def book_at(database: str, day: int, known: int | None = None) -> dict[str, int]:
    """The whole book at a close, as known on a day or now."""
    connection = await asyncpg.connect(database)
    try:
        row = await connection.fetchrow(
            "SELECT coalesce(sum(loans) FILTER (WHERE status = 1), 0) AS active,"
            " coalesce(sum(loans) FILTER (WHERE status = 3), 0) AS closed,"
            " coalesce(sum(principal_minor), 0) AS principal, coalesce(sum(paid_minor), 0) AS paid,"
            " coalesce(sum(overdue_minor), 0) AS overdue FROM core.book_day"
            " WHERE business_on = $1 AND known_on <= $2",
            on_day(day),
            on_day(known) if known is not None else date.max,
        )
        return {name: int(value) for name, value in row.items()}
    finally:
        await connection.close()


async def live_through(feed: Feed, story: Story, days: int, late: dict[str, int] | None = None) -> None:
    """Send each event on its day of booking, or so many days late, and close the days one by one."""
    late = late or {}
    arrivals: dict[int, list[tuple[str, bytes]]] = {}
    for event in story.events:
        day = (event.fact.business_on - DAY_0).days + late.get(event.event_id, 0)
        arrivals.setdefault(day, []).append(sent(event))
    for day in range(days):
        await feed.send(arrivals.get(day, []))
        await feed.restate()
        await feed.close_day(on_day(day))


async def test_closed_loans_do_not_vanish_from_past_days(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.paid(20, 200)
    await live_through(feed, story, 30)
    assert await book_at(database, 10) == {
        "active": 1,
        "closed": 0,
        "principal": 200,
        "paid": 0,
        "overdue": 0,
    }
    assert (await book_at(database, 25))["closed"] == 1


async def test_later_payments_do_not_shrink_earlier_balances(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.paid(30, 100)
    await live_through(feed, story, 40)
    assert (await book_at(database, 29))["principal"] == 200
    assert (await book_at(database, 30))["principal"] == 100


async def test_past_overdue_stays_when_it_is_paid_later(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.paid(45, 100)
    await live_through(feed, story, 50)
    assert (await book_at(database, 40))["overdue"] == 100
    assert (await book_at(database, 45))["overdue"] == 0


async def test_todays_status_does_not_pick_the_formula_of_past_days(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    late = {story.paid(35, 200): 10}
    await live_through(feed, story, 50, late)
    assert await book_at(database, 40, known=40) == figures(active=1, principal=200, overdue=100)
    assert await book_at(database, 40) == {
        "active": 0,
        "closed": 1,
        "principal": 0,
        "paid": 200,
        "overdue": 0,
    }
    assert (await book_at(database, 34))["active"] == 1


async def test_installments_paid_in_advance_do_not_look_overdue(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.paid(5, 100)
    await live_through(feed, story, 40)
    assert (await book_at(database, 35))["overdue"] == 0


async def test_a_cancelled_disbursement_does_not_appear(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.tell(DisbursalUndone, 10)
    await live_through(feed, story, 20)
    assert (await book_at(database, 5, known=5))["principal"] == 200
    assert (await book_at(database, 5))["principal"] == 0


async def test_a_closed_loan_whose_payment_is_reversed_was_never_closed(feed: Feed, database: str) -> None:
    story = Story().lent((100,))
    payment = story.paid(30, 100)
    story.reversed(payment, 40)
    await live_through(feed, story, 45)
    assert (await book_at(database, 35, known=35))["closed"] == 1
    assert (await book_at(database, 35))["closed"] == 0
    assert (await book_at(database, 35))["overdue"] == 100


async def test_every_day_agrees_with_a_fold_of_what_was_known(feed: Feed, database: str) -> None:
    """The closes of 70 days, each as known on three days, against folds from nothing."""
    arrivals = untidy_arrivals(random.Random(11))
    for day in range(70):
        await feed.send([sent(event) for at, event in arrivals if at == day])
        if day % 5 == 0:
            await feed.restate()
        await feed.close_day(on_day(day))
    await feed.restate()
    for day in range(0, 70, 7):
        for seen in (day, min(day + 8, 69), 69):
            known = [event for at, event in arrivals if at <= seen]
            assert await book_at(database, day, known=seen) == folded(known, day), f"{day} known {seen}"


def untidy_arrivals(chance: random.Random) -> list[tuple[int, LoanEvent]]:
    """Events of six loans with the day each comes in: some late, some reversed in the end."""
    arrivals = []
    for number in range(6):
        story = Story(loan_id=f"L-{number}")
        story.tell(LoanCreated, 0, branch=f"B{number % 2}")
        story.lent((100, 100, 100), every_days=15)
        late = {}
        for _ in range(4):
            payment = story.paid(chance.randint(1, 60), chance.randint(50, 150))
            late[payment] = chance.choice([0, 0, 3, 9])
            if chance.random() < 0.3:
                story.reversed(payment, 62)
        arrivals += [
            ((event.fact.business_on - DAY_0).days + late.get(event.event_id, 0), event)
            for event in story.events
        ]
    return arrivals


def folded(known: list[LoanEvent], day: int) -> dict[str, int]:
    """The book at a close, from nothing but these events."""
    sums = Counter(figures())
    for loan_id in {event.loan_id for event in known}:
        events = [event for event in known if event.loan_id == loan_id]
        loan = fold("demo", loan_id, events, ProductSettings(), on_day(day))
        part = measures_of(loan)
        sums["active"] += loan.status == LoanStatus.ACTIVE
        sums["closed"] += loan.status == LoanStatus.CLOSED
        sums["principal"] += part.principal_minor
        sums["paid"] += part.paid_minor
        sums["overdue"] += part.overdue_minor
    return dict(sums)


def figures(**given: int) -> dict[str, int]:
    """Figures of the whole book, 0 where not given."""
    return {"active": 0, "closed": 0, "principal": 0, "paid": 0, "overdue": 0} | given
