"""Makes the database of a generated book: through Kafka and a worker, or in bulk by the flow itself.

A book made in bulk is kept as a template, named after everything that decides its rows.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import asyncpg

from ingest.store import PostgresLoanStore
from loanbook.domain.loan import FOLD_VERSION
from tests.bench import book as book_module
from tests.bench.book import BOOK, BUSINESS_ON, OPENED_ON, BookSpec, Loan, LoggedEvent, loans_of, opening_of
from tests.bench.log import close_day, fill
from tests.bench.parts import ROOT, Parts
from tests.bench.watching import Span, measured, until
from tests.feeding import CLUSTER, Feed

THROUGH_KAFKA_MAX = 10_000
_BATCH_LOANS = 2_000
_MIGRATIONS = ROOT / "shared" / "loanbook" / "postgres" / "migrations"


async def prepare(parts: Parts, spec: BookSpec) -> str:
    """The name of a database with this book on its running day, and nothing of the traffic."""
    name = template_name(spec)
    if name in await parts.databases():
        return name
    making = f"{name}_making"
    await parts.make_database(making)
    await _add_book(parts.dsn(making))
    started = time.perf_counter()
    if spec.loans <= THROUGH_KAFKA_MAX:
        await open_through_kafka(parts, spec, making)
    else:
        await _open_in_bulk(parts, spec, making)
    await parts.execute("VACUUM (FREEZE, ANALYZE)", making)
    await parts.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    print(f"prepared {spec.loans:,} loans in {time.perf_counter() - started:.0f} s")
    return name


def template_name(spec: BookSpec) -> str:
    """A name that changes with the schema, the fold and the generator."""
    content = hashlib.sha256(str(FOLD_VERSION).encode())
    for path in (*sorted(_MIGRATIONS.glob("*.sql")), Path(book_module.__file__)):
        content.update(path.read_bytes())
    kind = "one" if spec.one_due_date else "many"
    return f"book_{spec.loans}_{spec.seed}_{kind}_{content.hexdigest()[:12]}"


async def open_through_kafka(parts: Parts, spec: BookSpec, database: str) -> Span:
    """Open the book by its events through Kafka, day after day; returns the opening's span."""
    ends = await parts.log_ends()
    connection = await asyncpg.connect(parts.dsn(database))
    try:
        await _start_at(connection, parts.cluster, ends)
        parts.start("ingest", "worker", database=database)
        count = await fill(parts.servers, openings(spec))
        span = await measured(parts, connection, sum(ends) + 1, sum(ends) + count)
        for day in opening_days():
            await close_day(parts.servers, day)
            await until(parts, lambda: rolled_to(connection), lambda seen, day=day: seen > day)  # type: ignore[misc]
        parts.stop_workers()
        return span
    finally:
        await connection.close()


async def rolled_to(connection: asyncpg.Connection) -> object:
    """The business day that all loans have been brought to; the day before while a sweep runs."""
    return await connection.fetchval(
        "SELECT business_on - (EXISTS (SELECT FROM core.day_roll WHERE swept_at IS NULL))::int"
        " FROM core.book WHERE book = $1",
        BOOK,
    )


def openings(spec: BookSpec) -> Iterator[LoggedEvent]:
    """The opening events of all loans."""
    for loan in loans_of(spec):
        yield from opening_of(loan)


def opening_days() -> Iterator[date]:
    """The days that are closed before the running one."""
    day = OPENED_ON
    while day < BUSINESS_ON:
        yield day
        day += timedelta(days=1)


async def _open_in_bulk(parts: Parts, spec: BookSpec, database: str) -> None:
    dsn, shares = parts.dsn(database), os.cpu_count() or 1
    with ProcessPoolExecutor(shares, mp_context=get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(pool, _load_share, dsn, spec, n, shares) for n in range(shares)]
        await asyncio.gather(*jobs)
    store = await PostgresLoanStore.open(dsn, CLUSTER)
    try:
        feed = Feed(store)
        rows = await store.pool.fetch("SELECT partition, next_offset FROM core.stream_position")
        feed.next_offset.update({row["partition"]: row["next_offset"] for row in rows})
        for day in opening_days():
            await feed.close_day(day, BOOK)
    finally:
        await store.close()


def _load_share(dsn: str, spec: BookSpec, share: int, shares: int) -> None:
    asyncio.run(_load(dsn, (loan for loan in loans_of(spec) if loan.partition % shares == share)))


async def _load(dsn: str, loans: Iterator[Loan]) -> None:
    store = await PostgresLoanStore.open(dsn, CLUSTER)
    try:
        feed = Feed(store)
        await feed.open()
        while batch := list(islice(loans, _BATCH_LOANS)):
            by_partition: dict[int, list[tuple[bytes | None, bytes]]] = {}
            for event in (event for loan in batch for event in opening_of(loan)):
                by_partition.setdefault(event.partition, []).append((event.key, event.value))
            await feed.send_raw(dict(by_partition))
    finally:
        await store.close()


async def _add_book(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO core.book (book, default_currency, opened_on, business_on)"
            " VALUES ($1, 'EUR', $2, $2)",
            BOOK,
            OPENED_ON,
        )
    finally:
        await connection.close()


async def _start_at(connection: asyncpg.Connection, cluster: str, ends: Sequence[int]) -> None:
    await connection.executemany(
        "INSERT INTO core.stream_position (cluster_id, topic, partition, slice, next_offset)"
        " VALUES ($1, 'loan.events.v1', $2, $2, $3)",
        [(cluster, number, end) for number, end in enumerate(ends)],
    )
