"""What the fault tests share: worker processes, a stream of events, and the wait for the end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from loanbook.domain.events import LoanCreated
from loanbook.kafka.commands import create_topics
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.settings import KafkaSettings
from loanbook.topics import LOAN_EVENTS, SLICES
from tests.audit import differences
from tests.builders import DAY_0, Story, on_day
from tests.feeding import add_book, day_closed, encoded
from tests.parts import Broker

DYING_WORKER = Path(__file__).parent / "dying_worker.py"
_DEADLINE = timedelta(seconds=90)
_OWNERS = "SELECT count(DISTINCT owner) FROM core.stream_position"
_IS_BEHIND = "SELECT business_on > $1 FROM core.book"
_ROLLS = "SELECT business_on, sum(loans)::int AS loans FROM core.day_roll GROUP BY 1 ORDER BY 1"


@dataclass
class Workers:
    """Worker processes of a test; whatever is left is killed at its end."""

    environment: dict[str, str]
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, or the dying worker when told how it fails."""
        command = [str(DYING_WORKER), *arguments] if arguments else ["-m", "ingest", "worker"]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                env=self.environment | environment,
                stdout=output,
                stderr=output,
            )
        self.running.append(process)
        return process

    async def wait_for_word(self, word: str) -> None:
        """Wait until a worker has said it in its log."""
        async with asyncio.timeout(_DEADLINE.total_seconds()):
            while word not in self.log.read_text(errors="replace"):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        """Kill (-9) whatever runs."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)


@dataclass
class Stream:
    """A book of loans, its events on a real topic, and the audit of what became of them."""

    bootstrap_servers: str
    dsn: str
    sent: int = 0

    async def send(
        self, events: Sequence[tuple[str, bytes]], *, chunk: int = 200, pause_s: float = 0
    ) -> None:
        """Publish loan events in chunks, so that they come in many batches."""
        async with EventProducer(KafkaSettings(bootstrap_servers=self.bootstrap_servers)) as producer:
            for start in range(0, len(events), chunk):
                part = events[start : start + chunk]
                outcomes = await producer.send_many(
                    [(LOAN_EVENTS, key.encode(), data, None) for key, data in part]
                )
                assert not [o for o in outcomes if isinstance(o, Exception)]
                self.sent += len(part)
                await asyncio.sleep(pause_s)

    async def close_day(self, number: int) -> None:
        """Close a day in every partition."""
        async with EventProducer(KafkaSettings(bootstrap_servers=self.bootstrap_servers)) as producer:
            await producer.send_many(
                [(LOAN_EVENTS, None, day_closed(on_day(number)), n) for n in range(SLICES)]
            )

    async def ledger(self) -> int:
        """Events in the ledger."""
        return int(str(await self._value("SELECT count(*) FROM core.event")))

    async def wait_for(self, events: int, log: Path) -> None:
        """Wait until so many events are in the ledger."""
        await self._wait(lambda: self._value("SELECT count(*) FROM core.event"), events, log)

    async def wait_for_day(self, number: int, log: Path) -> None:
        """Wait until the book stands at a day and every loan was rolled."""
        await self._wait(lambda: self._value("SELECT business_on FROM core.book"), on_day(number), log)
        await self._wait(
            lambda: self._value("SELECT count(*) FROM core.day_roll WHERE swept_at IS NULL"), 0, log
        )

    async def wait_for_owners(self, workers: int, log: Path) -> None:
        """Wait until the partitions are shared by so many workers."""
        await self._wait(lambda: self._value(_OWNERS), workers, log)

    async def wait_until_behind(self, number: int, log: Path) -> None:
        """Wait until the book has left a day; it may be days further by then."""
        await self._wait(lambda: self._value(_IS_BEHIND, on_day(number)), True, log)

    async def changes(self) -> int:
        """How often a loan's state was written."""
        return int(str(await self._value("SELECT sum(version) FROM core.loan_state")))

    async def rolls(self) -> list[tuple[date, int]]:
        """The days closed, and how many loans were brought to each next one."""
        async with connected(self.dsn) as connection:
            rows = await connection.fetch(_ROLLS)
        return [(row["business_on"], row["loans"]) for row in rows]

    async def assert_exact(self, events: int) -> None:
        """Every event counted once, and ledger = fold = state = roll-ups."""
        assert await self.ledger() == events
        assert await differences(self.dsn) == []

    async def _wait(self, look: Callable[[], object], wanted: object, log: Path) -> None:
        deadline = time.monotonic() + _DEADLINE.total_seconds()
        seen: object = None
        while time.monotonic() < deadline:
            try:
                seen = await look()  # type: ignore[misc]
            except (OSError, asyncpg.PostgresError) as error:
                seen = error
            if seen == wanted:
                return
            await asyncio.sleep(0.1)
        tail = log.read_text(errors="replace")[-4000:] if log.exists() else "no log"
        pytest.fail(f"waited for {wanted}, saw {seen}\n{tail}")

    async def _value(self, query: str, *arguments: object) -> object:
        async with connected(self.dsn) as connection:
            return await connection.fetchval(query, *arguments)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def a_book_of_events(loans: int = 300, seed: int = 5) -> list[tuple[str, bytes]]:
    """Loans with payments, returns, backdated bookings and every tenth event twice, shuffled a little."""
    chance = random.Random(seed)
    events: list[tuple[str, bytes]] = []
    for number in range(loans):
        story = Story(loan_id=f"L-{number:05}")
        story.tell(LoanCreated, 0, branch=f"B{number % 3}", product="P")
        story.lent((10_000,) * 6)
        for installment in range(chance.randint(1, 4)):
            day = chance.randint(0, 100)
            payment = story.paid(day, chance.randint(1, 15_000), entity_id=f"p{installment}")
            if chance.random() < 0.1:
                story.reversed(payment, day)
        events += [
            encoded(e.loan_id, e.fact, event_id=f"{story.loan_id}-{e.event_id}", recorded_at=e.recorded_at)
            for e in story.events
        ]
    events += events[::10]
    chance.shuffle(events)
    return events


def unique(events: Sequence[tuple[str, bytes]]) -> int:
    """How many different events these are."""
    return len(set(events))


@pytest.fixture
async def stream(broker: Broker, database: str) -> Stream:
    """Topics on a broker of the test's own and a book in a database of its own."""
    await create_topics(broker.bootstrap_servers)
    await add_book(database, business_on=DAY_0 + timedelta(days=100))
    return Stream(broker.bootstrap_servers, database)


@pytest.fixture
def workers(stream: Stream, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on the stream's parts."""
    environment = os.environ | {
        "DATABASE_URL": stream.dsn,
        "KAFKA_BOOTSTRAP_SERVERS": stream.bootstrap_servers,
        "INGEST_WORKER_PORT": "0",
        "INGEST_BATCH_RECORDS": "100",
        "INGEST_SESSION_TIMEOUT": "PT6S",
    }
    workers = Workers(environment, tmp_path / "worker.log")
    yield workers
    workers.kill()
