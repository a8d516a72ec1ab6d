"""Batches of events on a real Postgres: each counts once, whatever is repeated, shuffled or cut."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ingest.day_markers import spread_marker
from ingest.store import PostgresLoanStore
from loanbook.domain.events import LoanCreated, LoanEvent, PaymentPosted
from loanbook.domain.money import Minor
from loanbook.topics import LOAN_EVENTS, SLICES, slice_of
from tests.audit import differences
from tests.builders import DAY_0, Story, on_day, some_periods
from tests.feeding import CLUSTER, Feed, day_closed, encoded, opened_feed

pytestmark = pytest.mark.integration


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, DAY_0) as feed:
        yield feed


def sent(event: LoanEvent) -> tuple[str, bytes]:
    return encoded(
        event.loan_id,
        event.fact,
        event_id=event.event_id,
        source=event.source,
        recorded_at=event.recorded_at,
        sequence=event.sequence,
    )


def stories(count: int) -> list[Story]:
    """Loans in two branches, paid early, in time, late, twice or not at all, some with a return."""
    chance = random.Random(7)
    told = []
    for number in range(count):
        story = Story(loan_id=f"L-{number}")
        story.tell(LoanCreated, 0, branch=f"B{number % 2}", product="instalment-free")
        story.lent((10_000, 10_000, 10_000))
        for installment in range(chance.randint(0, 3)):
            day = 30 * (installment + 1) + chance.randint(-5, 40)
            payment = story.paid(day, 10_000, entity_id=f"p{installment}")
            if chance.random() < 0.2:
                story.reversed(payment, day + 3)
        told.append(story)
    return told


async def row(database: str, query: str) -> asyncpg.Record:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchrow(query)
    finally:
        await connection.close()


async def test_events_reach_state_and_rollups(feed: Feed, database: str) -> None:
    await feed.close_day(on_day(99))
    outcome = await feed.send([sent(event) for story in stories(40) for event in story.events])
    assert outcome.dead == 0
    assert outcome.applied > 120
    assert await differences(database) == []
    total = await row(
        database, "SELECT sum(loans) AS loans, sum(principal_minor) AS principal FROM core.book_now"
    )
    assert total["loans"] == 40
    assert total["principal"] > 0


async def test_a_repeated_batch_changes_nothing(feed: Feed, database: str) -> None:
    events = [sent(event) for story in stories(10) for event in story.events]
    await feed.send(events)
    before = await row(
        database, "SELECT sum(version) AS versions, sum(paid_minor) AS paid FROM core.loan_state"
    )
    outcome = await feed.send(events)
    after = await row(
        database, "SELECT sum(version) AS versions, sum(paid_minor) AS paid FROM core.loan_state"
    )
    assert (outcome.applied, outcome.duplicates) == (0, len(events))
    assert after == before


async def test_shuffled_events_in_small_batches_give_the_same_state(feed: Feed, database: str) -> None:
    await feed.close_day(on_day(120))
    events = [sent(event) for story in stories(15) for event in story.events]
    events += events[::10]
    random.Random(3).shuffle(events)
    for start in range(0, len(events), 7):
        await feed.send(events[start : start + 7])
    assert await differences(database) == []


async def test_an_id_used_again_with_other_content_is_a_dead_letter(feed: Feed, database: str) -> None:
    fact = PaymentPosted(effective_on=DAY_0, business_on=DAY_0, currency="EUR", amount_minor=Minor(100))
    other = PaymentPosted(effective_on=DAY_0, business_on=DAY_0, currency="EUR", amount_minor=Minor(200))
    await feed.send([encoded("L-1", fact, event_id="same")])
    outcome = await feed.send([encoded("L-1", other, event_id="same")])
    assert (outcome.conflicts, outcome.dead) == (1, 1)
    letter = await row(database, "SELECT reason, field, raw FROM core.dead_letter")
    assert letter["field"] == "id"
    assert b'"2.00"' in letter["raw"]


async def test_the_same_fact_under_a_new_id_counts_once(feed: Feed, database: str) -> None:
    story = Story().lent()
    story.paid(0, 100, entity_id="p1")
    story.paid(0, 100, entity_id="p1")
    await feed.send([sent(event) for event in story.events])
    state = await row(database, "SELECT paid_minor FROM core.loan_state")
    ledger = await row(
        database, "SELECT count(*) AS events, count(*) FILTER (WHERE is_copy) AS copies FROM core.event"
    )
    assert state["paid_minor"] == 100
    assert (ledger["events"], ledger["copies"]) == (4, 1)


async def test_a_gap_before_a_batch_is_refused_and_nothing_written(feed: Feed, database: str) -> None:
    story = Story().lent()
    events = [sent(event) for event in story.events]
    feed.next_offset[slice_of(story.loan_id)] = 5
    outcome = await feed.send(events)
    assert [(str(p), offset) for p, offset in outcome.refused] == [(f"{LOAN_EVENTS}-{slice_of('L-1')}", 0)]
    assert (await row(database, "SELECT count(*) AS n FROM core.event"))["n"] == 0


async def test_what_was_applied_before_is_trimmed(feed: Feed, database: str) -> None:
    story = Story().lent()
    events = [sent(event) for event in story.events]
    await feed.send(events)
    feed.next_offset[slice_of(story.loan_id)] = 0
    story.paid(0, 50)
    outcome = await feed.send([*events, sent(story.events[-1])])
    assert (outcome.applied, outcome.duplicates) == (1, 0)
    assert (await row(database, "SELECT paid_minor FROM core.loan_state"))["paid_minor"] == 50


async def test_bad_records_become_dead_letters_and_the_rest_counts(feed: Feed, database: str) -> None:
    good = sent(Story().lent().events[0])
    number = slice_of(good[0])
    wrong_book = encoded("L-1", Story().lent().events[0].fact, book="nobody's")[1]
    outcome = await feed.send_raw(
        {number: [(b"k", b"not json"), (b"k", wrong_book), (good[0].encode(), good[1])]}
    )
    assert (outcome.applied, outcome.dead) == (1, 2)
    letters = await row(
        database, "SELECT array_agg(field ORDER BY kafka_offset) AS fields FROM core.dead_letter"
    )
    assert letters["fields"] == [None, "book"]


async def test_a_closed_day_rolls_loans_and_keeps_the_close(feed: Feed, database: str) -> None:
    story = Story().lent((10_000, 10_000, 10_000))
    await feed.send([sent(event) for event in story.events])
    await feed.close_day(on_day(30))
    state = await row(database, "SELECT as_of, bucket, past_due_on, overdue_minor FROM core.loan_state")
    assert (state["bucket"], state["past_due_on"], state["overdue_minor"]) == (1, on_day(30), 10_000)
    assert state["as_of"] == on_day(31)
    await feed.close_day(on_day(60))
    assert (await row(database, "SELECT bucket FROM core.loan_state"))["bucket"] == 2
    closes = await row(
        database,
        "SELECT count(DISTINCT business_on) AS days,"
        " max(overdue_minor) FILTER (WHERE business_on = '2024-02-15') AS late"
        " FROM core.book_day",
    )
    assert (closes["days"], closes["late"]) == (61, 10_000)
    assert await differences(database) == []


async def test_closing_a_day_again_or_out_of_order_changes_nothing(feed: Feed, database: str) -> None:
    await feed.send([sent(event) for event in Story().lent().events])
    await feed.close_day(on_day(5))
    await feed.close_day(on_day(5))
    await feed.close_day(on_day(2))
    assert (await row(database, "SELECT business_on FROM core.book"))["business_on"] == on_day(6)


async def test_a_future_dated_payment_counts_from_its_day(feed: Feed, database: str) -> None:
    story = Story().lent((100, 100))
    story.paid(3, 100, booked=0)
    await feed.send([sent(event) for event in story.events])
    state = await row(database, "SELECT paid_minor, unapplied_minor, next_boundary_on FROM core.loan_state")
    assert (state["paid_minor"], state["unapplied_minor"]) == (0, 100)
    await feed.close_day(DAY_0 + timedelta(days=2))
    state = await row(database, "SELECT paid_minor, unapplied_minor FROM core.loan_state")
    assert (state["paid_minor"], state["unapplied_minor"]) == (100, 0)
    assert await differences(database) == []


async def test_a_worker_knows_names_that_another_one_met_first(feed: Feed, database: str) -> None:
    other = await PostgresLoanStore.open(database, CLUSTER)
    story = Story(loan_id="L-7")
    story.tell(LoanCreated, 0, branch="B-new", product="P-new", source="elsewhere")
    story.lent()
    await feed.send([sent(event) for event in story.events])
    payment = story.paid(0, 50)
    feed.store = other
    feed.cache.clear()
    outcome = await feed.send([sent(event) for event in story.events if event.event_id == payment])
    await other.close()
    assert outcome.applied == 1
    assert await differences(database) == []


async def test_a_worker_notices_that_another_one_wrote_a_new_plan(feed: Feed, database: str) -> None:
    first, other = feed.store, await PostgresLoanStore.open(database, CLUSTER)
    story = Story().lent((100, 100))
    story.paid(0, 50, sequence=1)
    await feed.send([sent(event) for event in story.events])
    story.planned(some_periods((60, 140)), version=2, sequence=2)
    feed.store = other
    await feed.send([sent(event) for event in story.events[-1:]])
    story.paid(0, 40, sequence=3)
    feed.store = first
    await feed.send([sent(event) for event in story.events[-1:]])
    await other.close()
    assert (await row(database, "SELECT is_plain FROM core.loan_state"))["is_plain"]
    assert await differences(database) == []


async def test_a_lone_end_of_day_is_spread_to_every_partition(feed: Feed, database: str) -> None:
    await feed.send([sent(event) for event in Story().lent().events])
    await feed.send_raw({3: [(None, day_closed(DAY_0))]})
    assert await feed.roll() == 0
    await spread_marker(feed.store, "demo", DAY_0, datetime(2024, 1, 2, tzinfo=UTC))
    connection = await asyncpg.connect(database)
    markers = await connection.fetch(
        "SELECT partition, payload FROM core.outbox WHERE topic = $1", LOAN_EVENTS
    )
    await connection.close()
    assert {row["partition"] for row in markers} == set(range(SLICES)) - {3}
    await feed.send_raw({row["partition"]: [(None, row["payload"])] for row in markers})
    await feed.roll()
    assert (await row(database, "SELECT business_on FROM core.book"))["business_on"] == on_day(1)
