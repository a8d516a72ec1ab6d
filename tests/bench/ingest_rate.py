"""How fast events go from the topic to committed state, and how soon one payment shows.

`make bench` runs it on an embedded Kafka and PostgreSQL of its own, prints a table and writes one JSON
file. Rates are of a filled topic: from the worker's first row to its last, one worker process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from embedded.kafka import KafkaBroker
from embedded.postgres import PostgresServer
from loanbook.domain.events import LoanCreated, PaymentPosted
from loanbook.domain.money import Minor
from loanbook.kafka.commands import create_topics
from loanbook.kafka.producer import EventProducer
from loanbook.kafka.settings import KafkaSettings
from loanbook.postgres.migrate import migrate
from loanbook.topics import LOAN_EVENTS
from tests.builders import DAY_0, Story
from tests.feeding import add_book, encoded

ROLES = Path(__file__).parent.parent.parent / "infra" / "postgres" / "roles.sql"
_CHUNK = 5_000
_LOOK_S = 0.002


def openings(loans: int) -> Iterator[tuple[str, bytes]]:
    """Three events a loan: created, disbursed, a schedule of 24 installments."""
    for number in range(loans):
        story = Story(loan_id=f"L-{number:07}")
        story.tell(LoanCreated, 0, branch=f"B{number % 200}", product=f"P{number % 4}")
        story.lent((10_000,) * 24)
        for event in story.events:
            yield encoded(event.loan_id, event.fact, event_id=f"{event.loan_id}-{event.event_id}")


def payment(loan: int, number: int, recorded_at: datetime | None = None) -> tuple[str, bytes]:
    """One in-order payment of an installment."""
    fact = PaymentPosted(
        effective_on=DAY_0,
        business_on=DAY_0,
        currency="EUR",
        amount_minor=Minor(10_000),
        entity_id=f"p{number}",
    )
    loan_id = f"L-{loan:07}"
    return encoded(loan_id, fact, event_id=f"{loan_id}-p{number}", recorded_at=recorded_at)


async def publish(servers: str, events: Iterator[tuple[str, bytes]] | list[tuple[str, bytes]]) -> None:
    """Fill the topic."""
    async with EventProducer(KafkaSettings(bootstrap_servers=servers)) as producer:
        waiting = [(LOAN_EVENTS, key.encode(), data, None) for key, data in events]
        for start in range(0, len(waiting), _CHUNK):
            await producer.send_many(waiting[start : start + _CHUNK])


async def until(look: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> float:
    """The moment at which what is seen is wanted."""
    while not wanted(await look()):  # noqa: ASYNC110  a table tells nobody
        await asyncio.sleep(_LOOK_S)
    return time.perf_counter()


async def rate(connection: asyncpg.Connection, servers: str, events: list[tuple[str, bytes]]) -> float:
    """Events a second from the first row of these events to the last, the worker running."""

    async def count() -> int:
        return int(await connection.fetchval("SELECT sum(next_offset) FROM core.stream_position"))

    before = await count()
    sending = asyncio.create_task(publish(servers, events))
    started = await until(count, lambda seen: seen > before)
    seen_at_start = await count() - before
    await sending
    ended = await until(count, lambda seen: seen >= before + len(events))
    return (len(events) - seen_at_start) / (ended - started)


async def latencies(connection: asyncpg.Connection, servers: str, probes: int) -> list[float]:
    """Milliseconds from the send of one payment until its state can be read, one at a time."""
    took = []
    async with EventProducer(KafkaSettings(bootstrap_servers=servers)) as producer:
        for number in range(probes):
            key, data = payment(0, 1_000 + number)
            before = await connection.fetchval("SELECT sum(paid_minor) FROM core.loan_state")
            started = time.perf_counter()
            await producer.send(LOAN_EVENTS, key.encode(), data)
            await until(
                lambda: connection.fetchval("SELECT sum(paid_minor) FROM core.loan_state"),
                lambda seen, before=before: seen != before,  # type: ignore[misc]
            )
            took.append((time.perf_counter() - started) * 1000)
    return sorted(took)


async def measure(dsn: str, servers: str, loans: int, runs: int) -> dict[str, Any]:
    """All figures of one book size."""
    connection = await asyncpg.connect(dsn)
    try:
        opening = await rate(connection, servers, list(openings(loans)))
        paying = [
            await rate(connection, servers, [payment(loan, run) for loan in range(loans)])
            for run in range(runs)
        ]
        took = await latencies(connection, servers, 200)
    finally:
        await connection.close()
    return {
        "loans": loans,
        "events_per_second_opening": round(opening),
        "events_per_second_paying": [round(value) for value in paying],
        "events_per_second_paying_median": round(statistics.median(paying)),
        "latency_ms_p50": round(statistics.median(took), 1),
        "latency_ms_p99": round(took[int(len(took) * 0.99) - 1], 1),
        "latency_ms_max": round(took[-1], 1),
    }


def start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """One worker process."""
    return subprocess.Popen([sys.executable, "-m", "ingest", "worker"], env=environment)


async def main(loans: int, runs: int, out: Path) -> None:
    """Start the parts, measure, print and write."""
    folder = Path(tempfile.mkdtemp(prefix="loanpulse-bench-"))
    folder.chmod(0o755)
    server, broker = PostgresServer(folder / "postgres"), KafkaBroker(folder / "kafka")
    server.start()
    broker.start()
    worker = None
    try:
        connection = await asyncpg.connect(server.dsn("postgres"))
        await connection.execute("CREATE DATABASE bench")
        await connection.close()
        dsn = server.dsn("bench")
        connection = await asyncpg.connect(dsn)
        await connection.execute(ROLES.read_text(encoding="utf-8"))
        await connection.close()
        await migrate(dsn)
        await add_book(dsn, business_on=DAY_0)
        await create_topics(broker.bootstrap_servers)
        environment = os.environ | {
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INGEST_WORKER_PORT": "0",
        }
        worker = start_worker(environment)
        await asyncio.sleep(5)
        found = await measure(dsn, broker.bootstrap_servers, loans, runs)
    finally:
        if worker is not None:
            worker.terminate()
            worker.wait(30)
        broker.stop()
        server.stop()
    found |= {
        "at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print("\n".join(f"{name:34} {value}" for name, value in found.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    asyncio.run(main(chosen.loans, chosen.runs, chosen.out))
