"""The demonstration on real parts: history, live, and on from where it stopped."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from ingest.commands import demo
from ingest.commands.demo_feeds import files_feed
from loanbook.synthetic.settings import add_months
from tests.stack import Stack, stack
from tests.unit.ingest.test_import_rows import MAPPING, a_folder

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("running")]
__all__ = ["stack"]
SMALL = ["--loans", "60", "--months", "1", "--seconds-per-day", "0.2"]


@pytest.fixture(scope="module")
def running(stack: Stack) -> None:
    stack.start("ingest")


async def play(stack: Stack, *arguments: str) -> int:
    addresses = [
        "--database-url",
        stack.dsn,
        "--bootstrap-servers",
        stack.environment["KAFKA_BOOTSTRAP_SERVERS"],
    ]
    return await asyncio.to_thread(demo.main, [*arguments, *addresses])


async def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(stack.dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_a_made_up_book_loads_its_history_goes_live_and_goes_on_after_a_stop(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await play(stack, *SMALL, "--live-days", "2") == 0
    assert "history: " in capsys.readouterr().out
    ((opened_on, replaying),) = await rows(
        stack, "SELECT opened_on, replaying FROM core.book WHERE book = 'demo'"
    )
    live_from = add_months(opened_on, 1)
    await stack.until_day("demo", live_from + timedelta(days=2))
    assert replaying is False
    first = await ledger(stack)

    assert await play(stack, "--seconds-per-day", "0.2", "--live-days", "2") == 0
    assert "history: " not in capsys.readouterr().out
    await stack.until_day("demo", live_from + timedelta(days=4))
    second = await ledger(stack)
    assert first.items() <= second.items()
    assert set(second.values()) == {1}
    assert await rows(stack, "SELECT reason, field FROM core.dead_letter") == []
    assert await rows(stack, "SELECT reason FROM core.unapplied") == []
    created = [event_id for event_id in second if event_id.endswith("-created")]
    assert len(created) >= 60
    assert await rows(stack, "SELECT count(*) FROM core.branch WHERE region IS NOT NULL") == [(8,)]


async def ledger(stack: Stack) -> Counter[str]:
    """How often each event id stands in the ledger."""
    found = await rows(stack, "SELECT event_id, count(*) FROM core.event GROUP BY 1")
    return Counter(dict(found))


async def test_a_lenders_files_are_played_day_by_day_each_event_counting_once(
    stack: Stack, tmp_path: Path
) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    lines = ["id,loan,amount,at", *[f"P{n},L1,1.00,2026-01-{n % 9 + 6:02}" for n in range(100)]]
    a_folder(folder)
    (folder / "payments.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    mapping = tmp_path / "own.toml"
    mapping.write_bytes(msgspec.toml.encode(MAPPING))
    chosen = ["--book", str(folder), "--mapping", str(mapping), "--seconds-per-day", "0.05"]
    assert await play(stack, *chosen, "--live-days", "99") == 0
    sent = [event for day in files_feed(folder, str(mapping), 0).days(date.min) for event in day.events]
    assert len(sent) > len({event.value for event in sent}) == 107
    await stack.until_day("tiny", date(2026, 1, 14) + timedelta(days=6))
    counted = """
        SELECT count(*) FROM core.event JOIN core.loan USING (slice, loan_key) JOIN core.book USING (book_key)
        WHERE book = 'tiny'"""
    assert await rows(stack, counted) == [(106,)]
    paid = """
        SELECT paid_minor + overpaid_minor FROM core.loan_state JOIN core.loan USING (slice, loan_key)
        WHERE loan_id = 'L1'"""
    assert await rows(stack, paid) == [(10_000,)]
