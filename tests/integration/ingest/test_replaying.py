"""Backdated and reversed payments of plain loans are played as columns, and come out as the fold tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ingest import flow
from loanbook.domain.events import ChargeAdded, LoanCreated, OfficerChanged, PromiseMade
from loanbook.domain.money import Minor
from loanbook.postgres.pool import connect
from tests.audit import differences
from tests.builders import Story, on_day, portions
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent

pytestmark = pytest.mark.integration
TODAY = 100


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, on_day(TODAY)) as feed:
        yield feed


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the events that the general fold had to take."""
    ids: list[str] = []
    fold = flow.fold_changed

    async def watched(unit: Any, locked: Any, fresh: Any, cache: Any) -> Any:
        ids.extend(row.event.event_id for row in fresh)
        return await fold(unit, locked, fresh, cache)

    monkeypatch.setattr("ingest.flow.fold_changed", watched)
    return ids


def lent(number: int = 0) -> Story:
    """A loan of six installments, the first two of which are paid."""
    story = Story(loan_id=f"L-{number}")
    story.tell(LoanCreated, 0, branch="B1", product="P1")
    story.lent((10_000,) * 6)
    story.paid(29, 10_000, entity_id="p0")
    story.paid(63, 10_000, entity_id="p1")
    return story


def running(number: int = 0, **fields: Any) -> Story:
    """A loan of six installments, opened on day 40 with one and a half paid, paid twice since."""
    story = Story(loan_id=f"L-{number}")
    story.running((10_000,) * 6, paid=15_000, day=40, product="P1", **fields)
    story.paid(60, 15_000, entity_id="p0")
    story.paid(91, 5_000, entity_id="p1")
    return story


async def send(feed: Feed, *stories: Story) -> None:
    """Send all that was told; what was sent before is a repetition."""
    await feed.send([sent(event) for story in stories for event in story.events])
    await feed.restate()


async def state(database: str, loan_id: str = "L-0") -> dict[str, Any]:
    connection = await connect(database)
    try:
        row = await connection.fetchrow(
            "SELECT s.* FROM core.loan_state s JOIN core.loan USING (slice, loan_key) WHERE loan_id = $1",
            loan_id,
        )
        return dict(row)
    finally:
        await connection.close()


async def test_a_backdated_payment_is_played_without_the_fold(
    feed: Feed, database: str, folded: list[str]
) -> None:
    story = lent()
    await send(feed, story)
    folded.clear()
    story.paid(31, 4_000, entity_id="late")
    await send(feed, story)
    assert folded == []
    after = await state(database)
    assert (after["paid_minor"], after["last_payment_minor"]) == (24_000, 10_000)
    assert await differences(database) == []


async def test_a_loan_opened_from_a_snapshot_is_played_from_what_it_brought_along(
    feed: Feed, database: str, folded: list[str]
) -> None:
    stories = [running(number) for number in range(3)]
    await send(feed, *stories)
    folded.clear()
    backdated, returned, promised = stories
    backdated.paid(61, 4_000, entity_id="late")
    returned.reversed(returned.events[-2].event_id, TODAY - 1)
    promised.tell(PromiseMade, TODAY - 2, promised_on=on_day(TODAY + 5), amount_minor=Minor(50))
    await send(feed, *stories)
    assert folded == []
    paid = [(await state(database, story.loan_id))["paid_minor"] for story in stories]
    assert paid == [39_000, 20_000, 35_000]
    assert await differences(database) == []


async def test_another_officer_is_noted_without_the_fold_unless_a_later_one_is_known(
    feed: Feed, database: str, folded: list[str]
) -> None:
    taken, retaken = stories = [running(number) for number in range(2)]
    await send(feed, *stories)
    folded.clear()
    taken.tell(OfficerChanged, TODAY - 9, officer="Ada")
    retaken.tell(OfficerChanged, TODAY - 1, officer="Ben")
    await send(feed, *stories)
    assert folded == []
    late = retaken.tell(OfficerChanged, TODAY - 5, officer="Cleo")
    await send(feed, retaken)
    assert folded == [late]
    officers = [(await state(database, story.loan_id))["officer_key"] for story in stories]
    assert 0 < officers[0] < officers[1]
    assert await differences(database) == []


async def test_the_past_of_plain_loans_is_told_anew_without_the_fold(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, snapshot = lent(0), running(1)
    await send(feed, contract, snapshot)
    for day in range(TODAY, TODAY + 35):
        await feed.close_day(on_day(day))
    monkeypatch.delattr("ingest.restate_sweep.refold")
    contract.paid(TODAY + 1, 30_000, booked=TODAY + 35, entity_id="late")
    snapshot.paid(95, 7_000, booked=TODAY + 35, entity_id="late")
    snapshot.reversed(snapshot.events[-2].event_id, TODAY + 35)
    await send(feed, contract, snapshot)
    monkeypatch.undo()
    assert await differences(database) == []


async def test_what_came_before_a_snapshot_or_splits_it_goes_the_general_way(
    feed: Feed, database: str, folded: list[str]
) -> None:
    early, split = running(0), running(1, paid_before=portions(principal=15_000))
    await send(feed, early, split)
    folded.clear()
    early.paid(39, 100, entity_id="x")
    split.paid(61, 100, entity_id="y")
    await send(feed, early, split)
    assert len(folded) == 2
    assert await differences(database) == []


async def test_a_reversal_by_hand_is_played_and_counted(feed: Feed, database: str, folded: list[str]) -> None:
    story = lent()
    await send(feed, story)
    folded.clear()
    undone = story.events[-1].event_id
    story.reversed(undone, TODAY - 1)
    await send(feed, story)
    assert folded == []
    after = await state(database)
    assert (after["paid_minor"], after["returned_payments"], after["named_ids"]) == (10_000, 1, [undone])
    assert await differences(database) == []


async def test_many_histories_are_played_at_once(feed: Feed, database: str, folded: list[str]) -> None:
    stories = [lent(number) for number in range(5)]
    await send(feed, *stories)
    folded.clear()
    first, second, third, fourth, _ = stories
    first.paid(20, 25_000, entity_id="a")
    first.paid(TODAY, 100, entity_id="b")
    second.reversed(second.events[-2].event_id, TODAY)
    second.paid(64, 10_000, entity_id="c")
    third.paid(40, 80_000, entity_id="d")
    fourth.paid(TODAY, 1_000, entity_id="e")
    await send(feed, *stories)
    assert folded == []
    assert (await state(database, "L-2"))["overpaid_minor"] == 40_000
    assert await differences(database) == []


async def test_what_only_the_fold_knows_goes_the_general_way(
    feed: Feed, database: str, folded: list[str]
) -> None:
    charged, early, split = stories = [lent(number) for number in range(3)]
    charged.tell(ChargeAdded, 70, charge_id="c", name="fee", amount_minor=Minor(500), due_on=on_day(75))
    await send(feed, *stories)
    folded.clear()
    charged.paid(50, 100, entity_id="x")
    early.paid(-1, 100, entity_id="y")
    split.paid(50, 100, entity_id="z", portions=portions(principal=100))
    await send(feed, *stories)
    assert len(folded) == len(stories)
    assert await differences(database) == []


async def test_a_state_that_the_payments_do_not_explain_is_folded(
    feed: Feed, database: str, folded: list[str]
) -> None:
    story = lent()
    await send(feed, story)
    folded.clear()
    connection = await connect(database)
    await connection.execute("UPDATE core.loan_state SET last_payment_minor = 1")
    await connection.close()
    story.paid(31, 4_000, entity_id="late")
    await send(feed, story)
    assert folded == [story.events[-1].event_id]
    assert await differences(database) == []


async def test_a_payment_told_again_under_a_later_time_counts_once_and_holds_nobody_up(
    feed: Feed, database: str, folded: list[str]
) -> None:
    story, other = lent(0), lent(1)
    await send(feed, story, other)
    folded.clear()
    again = msgspec.structs.replace(
        story.events[-1], recorded_at=story.events[-1].recorded_at + timedelta(hours=1)
    )
    other.paid(TODAY, 500, entity_id="new")
    outcome = await feed.send([sent(again), sent(other.events[-1])])
    assert (outcome.applied, outcome.duplicates, folded) == (1, 1, [])
    assert (await state(database))["paid_minor"] == 20_000
    assert await differences(database) == []
