"""The plain way over the same topic: how many events a second a stock Faust agent applies.

Its book has 100,000 loans at most: a bigger one would only make it slower. What an agent reaches that does
nothing but count tells the class of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from loanbook.topics import LOAN_EVENTS
from tests.bench.book import BUSINESS_ON, Loan, due_days
from tests.bench.parts import Parts
from tests.bench.plain_agent import TABLES
from tests.bench.session import Session
from tests.bench.watching import Span, between, look_at, until

SECTION = "plain"
DATABASE = "plain"
_GROUP, _COUNTING = "bench-plain", "bench-counting"
_RUN_S, _COUNT_S = 10.0, 4.0
_LOANS_MAX = 100_000


async def measure(session: Session) -> None:
    """Let the agent run for a while, several times; each run goes on where the one before ended."""
    session = session.of_size(min(session.spec.loans, _LOANS_MAX))
    first = await session.put(session.content)
    await _make_database(session)
    await commit_offsets(session.parts, _GROUP, first)
    connection = await asyncpg.connect(session.parts.dsn(DATABASE))
    try:
        share = len(session.content.events) / session.content.distinct
        spans = [await _run(session.parts, connection, share) for _ in range(session.runs)]
        counting = [await _count(session.parts, connection, first) for _ in range(session.runs)]
    finally:
        await connection.close()
    add = session.report.add
    add(SECTION, "stock Faust agent that only counts", "events/s", [span.per_second for span in counting])
    for part in ("worker", "postgres", "broker"):
        add(SECTION, f"stock Faust agent: CPU, {part}", "us/event", [span.cpu_us[part] for span in spans])
    plain = add(SECTION, "stock Faust agent: stream", "events/s", [span.per_second for span in spans])
    for name in ("1 worker: stream", "2 workers: stream"):
        if (stream := session.report.find("rate", name)) is not None:
            add(SECTION, f"{name}, of the agent's", "times", [stream.median / plain.median])


async def commit_offsets(parts: Parts, group: str, offsets: Sequence[int]) -> None:
    """Have a consumer group begin here."""
    consumer = AIOKafkaConsumer(bootstrap_servers=parts.servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        begin = {TopicPartition(LOAN_EVENTS, number): offset for number, offset in enumerate(offsets)}
        consumer.assign(list(begin))
        await consumer.commit(begin)
    finally:
        await consumer.stop()


async def _run(parts: Parts, connection: asyncpg.Connection, events_a_row: float) -> Span:
    async def events() -> int:
        return int(await connection.fetchval("SELECT count(*) FROM event") * events_a_row)

    return await _watched(parts, events, _RUN_S, {"PLAIN_GROUP": _GROUP, "PLAIN_COUNTS": "0"})


async def _count(parts: Parts, connection: asyncpg.Connection, first: Sequence[int]) -> Span:
    async def events() -> int:
        return int(await connection.fetchval("SELECT coalesce(sum(events), 0) FROM counted"))

    await commit_offsets(parts, _COUNTING, first)
    return await _watched(parts, events, _COUNT_S, {"PLAIN_GROUP": _COUNTING, "PLAIN_COUNTS": "1"})


async def _watched(
    parts: Parts, events: Callable[[], Awaitable[int]], seconds: float, environment: dict[str, str]
) -> Span:
    """What an agent does in some seconds from its first event on."""
    before = await events()
    environment |= {"PLAIN_DAY": str(BUSINESS_ON), "PLAIN_FOLDER": str(parts.folder / "faust")}
    parts.start(
        "tests.bench.plain_agent", "worker", "-l", "error", "--without-web",
        database=DATABASE, environment=environment,
    )  # fmt: skip
    try:
        start = look_at(parts, await until(parts, events, lambda seen: seen > before))
        await asyncio.sleep(seconds)
        return between(start, look_at(parts, await events()))
    finally:
        parts.stop_workers()


async def _make_database(session: Session) -> None:
    await session.parts.drop(DATABASE)
    await session.parts.execute(f"CREATE DATABASE {DATABASE}")
    connection = await asyncpg.connect(session.parts.dsn(DATABASE))
    try:
        await connection.execute(TABLES)
        await connection.copy_records_to_table("loan", records=map(_loan_row, session.loans))
        rows = (row for loan in session.loans for row in _installments(loan))
        await connection.copy_records_to_table("installment", records=rows)
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await connection.close()


def _loan_row(loan: Loan) -> tuple[Any, ...]:
    paid = loan.paid * loan.installment
    branch = f"B{loan.number % 200:03}"
    return (loan.loan_id, branch, paid, loan.left, 0, None, None, 0, None, 1)


def _installments(loan: Loan) -> Iterator[tuple[Any, ...]]:
    for number, day in enumerate(due_days(loan)):
        due_on, is_paid = date.fromisoformat(day), number < loan.paid
        paid = loan.installment if is_paid else 0
        yield loan.loan_id, number + 1, due_on, loan.installment, paid, due_on if is_paid else None
