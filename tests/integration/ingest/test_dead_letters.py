"""Bad and late data: nothing is dropped, two people correct it, the front door takes it again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

import ingest.folding
from ingest.commands import dead_letters, quarantine, unapplied
from ingest.commands.dead_letters_steps import DeadLetterError
from loanbook.domain.events import PaymentPosted
from loanbook.domain.loan import Loan, fold
from loanbook.domain.money import Minor
from loanbook.kafka.commands import create_topics
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.settings import KafkaSettings
from loanbook.topics import LOAN_EVENTS, slice_of
from tests.audit import differences
from tests.builders import DAY_0, Story, on_day
from tests.faults.conftest import Stream, Workers
from tests.feeding import Feed, add_book, encoded, opened_feed
from tests.integration.ingest.test_flow import sent
from tests.parts import Broker

pytestmark = pytest.mark.integration
LOAN = "L-1"
PLACE = f"{slice_of(LOAN)}/0"
KEY = "secret"


@pytest.fixture
async def feed(database: str) -> AsyncIterator[Feed]:
    async with opened_feed(database, DAY_0) as feed:
        await feed.close_day(on_day(50))
        yield feed


@pytest.fixture
def letters(database: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `dead-letters` and gives exit code and output."""

    async def run(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(dead_letters.main, ["--database-url", database, *words])
        return code, capsys.readouterr().out

    return run


def a_payment(amount: str = "5.00", event_id: str = "p1", book: str = "demo") -> bytes:
    fact = PaymentPosted(
        effective_on=on_day(5), business_on=on_day(5), currency="EUR", amount_minor=Minor(500)
    )
    raw = encoded(LOAN, fact, event_id=event_id, book=book)[1]
    return raw.replace(b'"5.00"', f'"{amount}"'.encode())


async def bury(feed: Feed, *events: bytes) -> None:
    await feed.send_raw({slice_of(LOAN): [(LOAN.encode(), event) for event in events]})


async def value(database: str, query: str) -> Any:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_dead_letter_is_listed_and_shown_as_it_came(feed: Feed, letters: Any) -> None:
    await bury(feed, a_payment("5.123"))
    place = f"{LOAN_EVENTS}/{slice_of(LOAN)}/1"
    code, text = await letters("list", "--json")
    [row] = json.loads(text)
    assert (code, row["place"], row["state"], row["field"]) == (0, place, "open", "data.amount")
    _, text = await letters("show", place)
    assert '"amount":"5.123"' in text
    assert "decimals" in text


async def test_author_and_approver_are_two_people(
    feed: Feed, database: str, letters: Any, tmp_path: Path
) -> None:
    await bury(feed, a_payment("5.123"))
    place = f"{slice_of(LOAN)}/1"
    file = tmp_path / "corrected.json"
    file.write_bytes(a_payment("-5.00"))
    with pytest.raises(DeadLetterError, match="would be a dead letter again"):
        await letters("correct", place, "--file", str(file), "--by", "ann")
    file.write_text(json.dumps(json.loads(a_payment("5.12")), indent=2))
    await letters("correct", place, "--file", str(file), "--by", "ann")
    with pytest.raises(DeadLetterError, match="another person must approve it"):
        await letters("approve", place, "--by", "ann")
    with pytest.raises(asyncpg.CheckViolationError, match="two_people"):
        await value(database, "UPDATE core.dead_letter SET approved_by = corrected_by")
    with pytest.raises(asyncpg.CheckViolationError, match="is_approved"):
        await value(database, "UPDATE core.dead_letter SET replayed_at = now()")
    await letters("approve", place, "--by", "ben")
    assert "approved by ben" in (await letters("show", place))[1]
    await letters("correct", place, "--file", str(file), "--by", "ben")
    assert "approved by nobody yet" in (await letters("show", place))[1]
    steps = await value(
        database, "SELECT string_agg(what || ' ' || done_by, ', ' ORDER BY at) FROM core.audit"
    )
    assert steps == "dead_letter_corrected ann, dead_letter_approved ben, dead_letter_corrected ben"


async def test_letters_of_one_fault_are_corrected_together_once_it_is_gone(
    feed: Feed, database: str, letters: Any
) -> None:
    await bury(feed, a_payment(book="later", event_id="a"), a_payment(book="later", event_id="b"), b"no json")
    with pytest.raises(DeadLetterError, match="unknown book 'later'"):
        await letters("correct", "--reason", "unknown book", "--as-is", "--by", "ann")
    await add_book(database, "later", business_on=DAY_0)
    await letters("correct", "--reason", "unknown book", "--as-is", "--by", "ann")
    await letters("approve", "--reason", "unknown book", "--by", "ben")
    _, text = await letters("list", "--json")
    assert [row["state"] for row in json.loads(text)] == ["approved", "approved", "open"]


async def test_an_id_used_twice_needs_another_id(feed: Feed, letters: Any, tmp_path: Path) -> None:
    await bury(feed, a_payment(), a_payment("7.00"))
    with pytest.raises(DeadLetterError, match="its id is still the one"):
        await letters("correct", f"{slice_of(LOAN)}/2", "--as-is", "--by", "ann")
    file = tmp_path / "corrected.json"
    file.write_bytes(a_payment("7.00", event_id="p2"))
    assert (await letters("correct", f"{slice_of(LOAN)}/2", "--file", str(file), "--by", "ann"))[0] == 0


async def test_unapplied_events_are_listed_with_amount_and_reason(
    feed: Feed, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story(loan_id=LOAN).lent()
    story.paid(2, 1000, currency="USD")
    story.paid(60, 400)
    story.reversed("nothing", 3)
    await feed.send([sent(event) for event in story.events])
    assert await asyncio.to_thread(unapplied.main, ["--database-url", database, "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {(e["reason"], e["type"], e["amount"], e["currency"]) for e in told["events"]}
    assert found == {
        ("wrong_currency", "payment.posted", "10.00", "USD"),
        ("future_dated", "payment.posted", "4.00", "EUR"),
        ("unknown_original", "payment.reversed", None, "EUR"),
    }
    assert sum(each["events"] for each in told["sums"]) == 3


async def test_a_loan_leaves_quarantine_once_its_fold_works(
    feed: Feed, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story = Story(loan_id=LOAN).lent()
    story.paid(40, 60)
    other = Story(loan_id="L-2").lent()

    def broken(book: str, loan_id: str, *rest: Any, **named: Any) -> Loan:
        if loan_id == LOAN:
            raise ZeroDivisionError("a fault of this release")
        return fold(book, loan_id, *rest, **named)

    at = ["--database-url", database]
    with monkeypatch.context() as release:
        release.setattr(ingest.folding, "fold", broken)
        await feed.send([sent(event) for told in (story, other) for event in told.events])
        await feed.close_day(on_day(51))
        assert await asyncio.to_thread(quarantine.main, [*at, "list"]) == 0
        assert "ZeroDivisionError: a fault of this release" in capsys.readouterr().out
        assert await asyncio.to_thread(quarantine.main, [*at, "retry", "--by", "ann"]) == 1
    assert await asyncio.to_thread(quarantine.main, [*at, "retry", "--by", "ann"]) == 0
    assert "1 loans fold again, 0 stay" in capsys.readouterr().out
    await feed.restate()
    assert await differences(database) == []
    assert await value(database, "SELECT sum(paid_minor) FROM core.loan_state") == 60


# With a running worker and gateway


@pytest.fixture
async def stream(broker: Broker, database: str) -> Stream:
    await create_topics(broker.bootstrap_servers)
    await add_book(database, business_on=DAY_0 + timedelta(days=50))
    return Stream(broker.bootstrap_servers, database)


@pytest.fixture
def services(stream: Stream, tmp_path: Path) -> Iterator[Workers]:
    """A worker, and a gateway that wants a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": stream.dsn,
        "KAFKA_BOOTSTRAP_SERVERS": stream.bootstrap_servers,
        "INGEST_WORKER_PORT": "0",
        "INGEST_GATEWAY_PORT": str(port),
        "INGEST_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest(),
    }
    services = Workers(environment, tmp_path / "services.log")
    services.start()
    with services.log.open("ab") as output:
        gateway = subprocess.Popen(
            [sys.executable, "-m", "ingest", "gateway"], env=environment, stdout=output, stderr=output
        )
    services.running.append(gateway)
    yield services
    services.kill()


@pytest.mark.parametrize("way", ["gateway", "kafka"])
async def test_an_approved_correction_goes_through_the_front_door(
    stream: Stream, services: Workers, letters: Any, tmp_path: Path, way: str
) -> None:
    story = Story(loan_id=LOAN).lent()
    await stream.send([sent(event) for event in story.events])
    async with EventProducer(KafkaSettings(bootstrap_servers=stream.bootstrap_servers)) as producer:
        await producer.send(LOAN_EVENTS, LOAN.encode(), a_payment("5.123"))
    dead = "SELECT count(*) FROM core.dead_letter"
    async with asyncio.timeout(60):
        while not await value(stream.dsn, dead):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.2)
    url = f"http://127.0.0.1:{services.environment['INGEST_GATEWAY_PORT']}"
    file = tmp_path / "corrected.json"
    file.write_bytes(a_payment("5.12"))
    place = f"{slice_of(LOAN)}/2"
    await letters("correct", place, "--file", str(file), "--by", "ann")
    await letters("approve", place, "--by", "ben")
    to = ["--to", url, "--api-key", KEY] if way == "gateway" else ["--to", "kafka"]
    if way == "gateway":
        await up(url)
    servers = ["--bootstrap-servers", stream.bootstrap_servers]
    assert (await letters("replay", "--by", "ben", *to, *servers))[1] == "1 sent again, 0 refused\n"
    assert (await letters("replay", "--by", "ben", *to, *servers))[1] == "0 sent again, 0 refused\n"
    await stream.wait_for(3, services.log)
    assert await value(stream.dsn, "SELECT paid_minor FROM core.loan_state") == 512
    assert await differences(stream.dsn) == []


async def up(url: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=url) as client:
        while True:
            try:
                await client.get("/healthz")
            except httpx.HTTPError:
                await asyncio.sleep(0.2)
            else:
                return
