"""Plain loans are held to their ledger rows as columns: no stored figure is believed, all else is folded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import ingest.recompute.cash
import ingest.recompute.refold
from ingest.recompute.holding import hold
from ingest.rows import STATE_COLUMNS
from loanbook.domain.events import (
    BranchMoved,
    ChargeAdded,
    LoanApproved,
    LoanCreated,
    LoanOpenedFromSnapshot,
    OfficerChanged,
    PromiseMade,
)
from loanbook.domain.money import Minor
from loanbook.postgres.pool import connect
from tests.audit import differences
from tests.builders import Story, on_day, portions, some_periods
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent
from tests.integration.ingest.test_refold import refold
from tests.integration.ingest.test_verify import told

pytestmark = pytest.mark.integration
TODAY = 100
# What a refold says of the row itself: when it was worked out, and by which code.
OF_THE_RUN = {"slice", "loan_key", "as_of", "version", "fold_version"}
PLAN = ("schedule_version", "due_on", "kind", "principal_due", "interest_due", "fee_due", "penalty_due")
CHANGED = {
    "integer": "coalesce({0}, 0) + 1", "smallint": "{0} + 1", "bigint": "{0} + 1", "boolean": "NOT {0}",
    "date": "coalesce({0}, '2024-01-01') + 1", "text": "coalesce({0}, '') || 'x'", "bytea": r"{0} || '\x00'",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
}  # fmt: skip


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, on_day(TODAY)) as feed:
        yield feed


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the loans that the general fold has to take."""
    names: list[str] = []

    async def watched(*arguments: Any) -> Any:
        held = await hold(*arguments)
        names.extend(loan.loan_id for loan in held)
        return held

    monkeypatch.setattr(ingest.recompute.refold, "hold", watched)
    monkeypatch.setattr(ingest.recompute.cash, "hold", watched)
    return names


def lent(name: str) -> Story:
    """A loan of four installments, of which the first was paid late."""
    story = Story(loan_id=name)
    story.tell(LoanCreated, 0, branch="B1", product="P1", officer="O1", borrower_id="C1", term_days=120)
    story.lent((10_000,) * 4)
    story.paid(33, 10_000, entity_id="p0")
    return story


def taken_over(name: str, paid: int = 12_000) -> Story:
    """A loan of four installments that came with a snapshot."""
    story = Story(loan_id=name)
    story.tell(
        LoanOpenedFromSnapshot,
        70,
        disbursed_on=on_day(0),
        disbursed_minor=Minor(40_000),
        paid_minor=Minor(paid),
        periods=some_periods((10_000,) * 4),
        branch="B2",
        annual_rate_bps=900,
    )
    return story


def plain_stories() -> list[Story]:
    """Plain loans of every sort."""
    untouched, closed, overpaid, returned, moved = map(
        lent, ("untouched", "closed", "overpaid", "returned", "moved")
    )
    closed.paid(50, 30_000)
    overpaid.paid(50, 30_500)
    overpaid.paid(51, 100)
    returned.reversed(returned.paid(60, 10_000, entity_id="p1"), 62)
    returned.reversed(returned.paid(61, 2_000), 63, manual=False)
    moved.tell(LoanApproved, 0, currency=None)
    moved.tell(BranchMoved, 40, branch="B3")
    moved.tell(OfficerChanged, 41, officer="O2")
    moved.tell(PromiseMade, 42, promised_on=on_day(50), amount_minor=Minor(5))
    snapshots = [taken_over("taken-over"), taken_over("unpaid", 0), taken_over("ended", 41_000)]
    snapshots[0].paid(80, 9_000)
    return [untouched, closed, overpaid, returned, moved, *snapshots]


async def send(feed: Feed, *stories: Story) -> None:
    await feed.send([sent(event) for story in stories for event in story.events])
    await feed.restate()


async def columns_of(database: str, table: str) -> list[tuple[str, str, str]]:
    """Table, name and type of each column."""
    connection = await connect(database)
    try:
        rows = await connection.fetch(
            "SELECT column_name, CASE data_type WHEN 'ARRAY' THEN udt_name ELSE data_type END AS kind"
            " FROM information_schema.columns WHERE table_schema = 'core' AND table_name = $1",
            table,
        )
        return [(table, row["column_name"], row["kind"]) for row in rows]
    finally:
        await connection.close()


def changed(name: str, kind: str) -> str:
    """SQL that gives another value of a column."""
    if kind.startswith("_"):
        added = {"_text": "'x'", "_date": "date '2030-01-01'"}.get(kind, "7")
        return f"array_append(coalesce({name}, '{{}}'), {added})"
    return CHANGED[kind].format(name)


async def test_plain_loans_are_refolded_without_the_fold(
    feed: Feed, database: str, folded: list[str]
) -> None:
    await send(feed, *plain_stories())
    await feed.close_day(on_day(TODAY + 30))
    assert await refold(database) == 0
    assert folded == []
    assert await differences(database) == []


async def test_cash_of_plain_loans_is_settled_without_the_fold(
    feed: Feed, database: str, folded: list[str]
) -> None:
    await send(feed, *plain_stories())
    await told(database, "UPDATE core.cash_day SET due_minor = 0, arrears_minor = 1, on_time_count = 2")
    assert await refold(database, "--rollups") == 0
    assert folded == []
    assert await differences(database) == []


async def test_what_says_more_than_a_plain_loan_goes_to_the_fold(
    feed: Feed, database: str, folded: list[str]
) -> None:
    split, charged, foreign, ahead, early = map(lent, ("split", "charged", "foreign", "ahead", "early"))
    split.paid(50, 100, portions=portions(principal=100))
    charged.tell(ChargeAdded, 50, charge_id="c", amount_minor=Minor(500), due_on=on_day(50), is_penalty=True)
    foreign.paid(50, 100, currency="USD")
    ahead.paid(TODAY + 5, 100)
    early.paid(-3, 100)
    await send(feed, split, charged, foreign, ahead, early)
    assert await refold(database, "--check") == 0
    assert set(folded) == {"split", "charged", "foreign", "ahead", "early"}
    await told(
        database, "UPDATE core.loan_state SET is_plain = true, unapplied = 0", "DELETE FROM core.unapplied"
    )
    folded.clear()
    assert await refold(database, "--check") == 1
    assert set(folded) == {"split", "charged", "foreign", "ahead", "early"}


async def test_every_column_changed_by_hand_is_found_and_put_right(feed: Feed, database: str) -> None:
    columns = [c for c in await columns_of(database, "loan_state") if c[1] in set(STATE_COLUMNS) - OF_THE_RUN]
    columns += [c for c in await columns_of(database, "loan_plan") if c[1] in {*PLAN, "waived"}]
    facts = {"borrower_id", "disbursed_on", "annual_rate_bps", "term_days", "packed"}
    columns += [c for c in await columns_of(database, "loan") if c[1] in facts]
    stories = [lent(f"L-{n}") if n % 2 else taken_over(f"L-{n}") for n in range(len(columns))]
    for story in stories[::3]:
        story.reversed(story.paid(90, 3_000), 91)
    await send(feed, *stories)
    assert len(columns) == len(STATE_COLUMNS) - len(OF_THE_RUN) + len(PLAN) + 1 + len(facts)
    await told(
        database,
        *(
            f"UPDATE core.{table} t SET {name} = {changed(f't.{name}', kind)} FROM core.loan l"
            f" WHERE l.loan_id = 'L-{n}' AND (t.slice, t.loan_key) = (l.slice, l.loan_key)"
            for n, (table, name, kind) in enumerate(columns)
        ),
    )
    assert await refold(database, "--check") == 1
    assert await refold(database) == 0
    connection = await connect(database)
    try:
        runs = await connection.fetch("SELECT differing FROM core.refold_run ORDER BY run_id")
    finally:
        await connection.close()
    assert [run["differing"] for run in runs] == [len(columns), len(columns)]
    await feed.restate()
    assert await refold(database, "--check") == 0
    assert await differences(database) == []
