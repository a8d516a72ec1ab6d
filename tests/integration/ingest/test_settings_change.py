"""Changed settings of a product count for every worker from one moment on, and its loans are folded again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from ingest.commands.book import main
from tests.audit import differences
from tests.builders import DAY_0, on_day
from tests.feeding import Feed, opened_feed
from tests.integration.ingest.test_flow import sent, stories

pytestmark = pytest.mark.integration
LOANS, PRODUCT = 12, "instalment-free"  # as the stories name it
GIVEN = [
    "add",
    "demo",
    "--currency",
    "EUR",
    "--opens-on",
    DAY_0.isoformat(),
    "--product",
    PRODUCT,
    "--settings",
]


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    """A worker that knows the products as they were when it started."""
    async with opened_feed(database, DAY_0) as feed:
        await feed.close_day(on_day(100))
        yield feed


async def change(database: str, tmp_path: Path, **settings: object) -> int:
    """Change the product's settings by the command."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings))
    words = ["--database-url", database, *GIVEN, str(file), "--by", "an officer"]
    return await asyncio.to_thread(main, words)


async def read(database: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_changed_settings_count_without_a_restart_while_events_flow(
    feed: Feed, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [sent(event) for story in stories(LOANS) for event in story.events]
    await feed.send(events[: len(events) // 2])
    classes = "SELECT loan_key, bucket FROM core.loan_state ORDER BY 1"
    before = await read(database, classes)
    code, _ = await asyncio.gather(
        change(database, tmp_path, grace_days=400, tolerance_minor=7), feed.send(events[len(events) // 2 :])
    )
    assert code == 0
    assert "settings changed: instalment-free" in capsys.readouterr().out
    assert {bucket for _, bucket in before} != {0} == {bucket for _, bucket in await read(database, classes)}
    await feed.close_day(on_day(103))
    await feed.restate()
    assert await differences(database) == []


async def test_what_the_settings_were_is_noted_with_who_changed_them(
    feed: Feed, database: str, tmp_path: Path
) -> None:
    await feed.send([sent(event) for story in stories(2) for event in story.events])
    for grace in (3, 5, 5):
        assert await change(database, tmp_path, grace_days=grace) == 0
    noted = await read(database, "SELECT done_by, details FROM core.audit ORDER BY audit_id")
    assert [(by, json.loads(str(details))) for by, details in noted] == [
        ("an officer", {"book": "demo", "product": PRODUCT, "before": before, "after": after})
        for before, after in [({}, {"grace_days": 3}), ({"grace_days": 3}, {"grace_days": 5})]
    ]
    assert await read(database, "SELECT settings_version FROM core.book") == [(2,)]
