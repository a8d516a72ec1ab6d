"""Verification finds each thing that is wrong by name, and nothing where all is right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from ingest.commands.verify import main, verify
from ingest.recompute.check import Extent, Findings
from loanbook.topics import slice_of
from tests.audit import differences
from tests.builders import DAY_0, Story, on_day
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent, stories

pytestmark = pytest.mark.integration


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    """A book of forty loans that lived through some days, a payment of theirs two weeks late."""
    async with opened_feed(database, DAY_0) as feed:
        await feed.close_day(on_day(80))
        late = Story(loan_id="L-late").lent()
        late.paid(70, 50)
        await feed.send([sent(event) for story in stories(12) for event in story.events])
        await feed.send([sent(event) for event in late.events[:-1]])
        await feed.close_day(on_day(84))
        await feed.send([sent(late.events[-1])])
        await feed.close_day(on_day(90))
        await feed.restate()
        yield feed


async def told(database: str, *statements: str) -> None:
    """Change what the tables hold, by hand."""
    connection = await asyncpg.connect(database)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def found_by(database: str, extent: Extent) -> list[Findings]:
    connection = await asyncpg.connect(database)
    try:
        return await verify(connection, None, extent)
    finally:
        await connection.close()


@pytest.mark.usefixtures("feed")
async def test_a_right_book_has_no_difference(database: str) -> None:
    assert await differences(database) == []
    book, _ = await found_by(database, Extent(sample=None))
    assert (book.loans, book.restating, book.rolling, book.quarantined) == (13, 0, 0, 0)


LATE = "(SELECT loan_key FROM core.loan WHERE loan_id = 'L-late')"
WRONG = {
    f"UPDATE core.loan_state SET paid_minor = paid_minor + 1 WHERE loan_key = {LATE}": (
        "loan_state L-late.paid_minor: stored 51, recomputed 50"
    ),
    f"UPDATE core.loan_state SET days_late = ARRAY[10] WHERE loan_key = {LATE}": ("loan_plan L-late.met_on"),
    "UPDATE core.loan SET borrower_id = 'someone' WHERE loan_id = 'L-late'": (
        "loan L-late.borrower_id: stored someone, recomputed None"
    ),
    "INSERT INTO core.unapplied SELECT slice, loan_key, 'ghost', 'no_schedule', 5"
    " FROM core.loan WHERE loan_id = 'L-late'": "unapplied L-late.ghost: stored ('no_schedule', 5)",
    "UPDATE core.book_now SET principal_minor = principal_minor + 7 WHERE loans > 0": "book_now [EUR",
    "UPDATE core.cash_day SET arrears_minor = arrears_minor + 7": "cash_day [EUR",
    "UPDATE core.book_day SET loans = loans + 1 WHERE loans > 0": "book_day [",
    "UPDATE core.loan_day SET overdue_minor = overdue_minor + 9": "loan_day L-late on 2024-03-31",
    "UPDATE core.stream_position SET duplicates = duplicates + 1 WHERE partition = 3": (
        "stream_position loan.events.v1-3.received"
    ),
    "DELETE FROM core.loan_state WHERE loan_key = (SELECT loan_key FROM core.loan WHERE loan_id = 'L-1')": (
        "loan_state L-1.row: stored None, recomputed there"
    ),
}


@pytest.mark.usefixtures("feed")
async def test_what_was_changed_by_hand_is_named(database: str) -> None:
    await told(database, *WRONG)
    found = await differences(database)
    assert [named for named in WRONG.values() if not any(text.startswith(named) for text in found)] == []


@pytest.mark.usefixtures("feed")
async def test_a_sample_looks_at_states_and_closes(database: str) -> None:
    for place in (0, 2**62, -(2**62)):
        book, _ = await found_by(database, Extent(sample=16, place=place))
        assert 8 <= book.loans <= 13
        assert book.differences == 0
    await told(
        database,
        "UPDATE core.loan_state SET overdue_minor = overdue_minor + 1",
        "UPDATE core.book_day SET paid_minor = paid_minor + 1 WHERE business_on = '2024-03-31'",
    )
    book, _ = await found_by(database, Extent(sample=1))
    assert {"loan_state", "naive", "book_now", "book_day"} >= set(book.by_table)
    assert book.by_table["book_now"] > 0
    assert book.by_table["book_day"] > 0


async def test_loans_that_wait_for_the_sweep_are_no_difference(feed: Feed, database: str) -> None:
    story = Story(loan_id="L-waits")
    story.lent(first_day=91)
    await feed.send([sent(event) for event in story.events])
    await told(
        database,
        "UPDATE core.book SET business_on = business_on + 2",
        "INSERT INTO core.day_roll (book_key, business_on, slice) SELECT book_key, business_on - 1, n"
        " FROM core.book, generate_series(0, 15) n",
    )
    book, _ = await found_by(database, Extent(sample=None))
    assert book.rolling >= 1
    assert [text for text in map(str, book.kept) if "book_day" not in text] == []


async def test_received_is_the_sum_of_its_fates(feed: Feed, database: str) -> None:
    story = Story(loan_id="L-new").lent()
    story.paid(2, 10, currency="USD")  # a payment of the other loans is dated ahead
    events = [sent(event) for event in story.events]
    await feed.send([*events, events[0]])
    await feed.send_raw({slice_of("L-new"): [(b"L-new", b"{}")]})
    *_, streams = await found_by(database, Extent())
    totals = streams.totals
    assert streams.differences == 0
    assert (totals["unapplied"], totals["duplicates"], totals["dead"], totals["other"]) == (2, 1, 1, 48)
    parts = ("applied", "unapplied", "duplicates", "dead", "other")
    assert totals["received"] == sum(totals[name] for name in parts)


@pytest.mark.usefixtures("feed")
async def test_a_run_is_kept_and_its_exit_code_tells(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, ["--database-url", database, "--all"]) == 0
    assert "book demo on 2024-04-01: 13 loans; no difference" in capsys.readouterr().out
    await told(database, "UPDATE core.book_now SET loans = loans + 1")
    assert await asyncio.to_thread(main, ["--database-url", database, "--json", "--book", "demo"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert {each["table"] for each in printed["results"][0]["found"]} == {"book_now"}
    connection = await asyncpg.connect(database, server_settings={"role": "grafana_ro"})
    try:
        rows = await connection.fetch("SELECT * FROM reporting.verification_last ORDER BY book NULLS LAST")
    finally:
        await connection.close()
    assert [(row["book"], row["is_complete"], row["differences"] > 0) for row in rows] == [
        ("demo", False, True),
        (None, False, False),
    ]
