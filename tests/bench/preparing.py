"""Makes the database of a generated book: its base by the workers, the rest from what they made.

A book is kept as a template, named after everything that decides its rows; older ones of its kind go.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import asyncpg

from ingest.commands.verify import verify
from ingest.recompute.check import Extent
from ingest.store import ROLE
from loanbook.domain.loan import FOLD_VERSION
from loanbook.postgres.pool import connect
from tests.bench import book as book_module
from tests.bench import cloning
from tests.bench.book import BOOK, BUSINESS_ON, OPENED_ON, BookSpec, LoggedEvent, loans_of, opening_of
from tests.bench.log import close_day, fill
from tests.bench.parts import ROOT, BenchError, Parts
from tests.bench.watching import progress, until

_VERIFIED_LOANS = 200
_MIGRATIONS = ROOT / "shared" / "loanbook" / "postgres" / "migrations"
UNSCORED = """
SELECT count(*) FROM core.loan_state s LEFT JOIN risk.score r USING (slice, loan_key)
WHERE s.status = 1 AND (r.state_version IS NULL OR r.state_version < s.version)
"""


async def prepare(parts: Parts, spec: BookSpec) -> str:
    """The name of a database with this book on its running day, scored, and nothing of the traffic."""
    name, there = template_name(spec), await parts.databases()
    if name in there:
        return name
    for old in there:
        if old.startswith(_kind(spec)):
            await parts.drop(old)
    making = f"{_kind(spec)}_making"
    started = time.perf_counter()
    if spec.layers == 1:
        await parts.make_database(making)
        await _add_book(parts.dsn(making))
        await open_through_kafka(parts, spec, making)
    else:
        await parts.copy_database(await prepare(parts, spec.base), name=making)
        await _add_layers(parts, spec, making)
    await parts.execute("VACUUM (FREEZE, ANALYZE)", making)
    await _verify(parts, making)
    await parts.execute(f"ALTER DATABASE {making} RENAME TO {name}")
    print(f"  prepared {spec.loans:,} loans in {time.perf_counter() - started:.0f} s", flush=True)
    return name


def template_name(spec: BookSpec) -> str:
    """A name that changes with the schema, the fold and the generator."""
    content = hashlib.sha256(str(FOLD_VERSION).encode())
    for path in (*sorted(_MIGRATIONS.glob("*.sql")), Path(book_module.__file__), Path(cloning.__file__)):
        content.update(path.read_bytes())
    return f"{_kind(spec)}_{content.hexdigest()[:12]}"


def _kind(spec: BookSpec) -> str:
    return f"book_{spec.loans}_{spec.seed}_{'one' if spec.one_due_date else 'many'}"


async def open_through_kafka(parts: Parts, spec: BookSpec, database: str) -> None:
    """Open the book by its events through Kafka, day after day, and score it."""
    ends = await parts.log_ends()
    connection = await asyncpg.connect(parts.dsn(database))
    try:
        await _start_at(connection, parts.cluster, ends)
        parts.start("ingest", "worker", database=database)
        wanted = sum(ends) + await fill(parts.servers, openings(spec))
        await until(parts, lambda: progress(connection), lambda seen: seen.offsets >= wanted)
        for day in opening_days():
            await close_day(parts.servers, day)
            await until(parts, lambda: rolled_to(connection), lambda seen, day=day: seen > day)  # type: ignore[misc]
        parts.start("scoring", "worker", database=database)
        await until(parts, lambda: connection.fetchval(UNSCORED), lambda unscored: unscored == 0)
        parts.stop_workers()
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


async def _add_layers(parts: Parts, spec: BookSpec, database: str) -> None:
    connection = await asyncpg.connect(parts.dsn(database))
    try:
        await cloning.add_layers(connection, spec)
    finally:
        await connection.close()


async def _verify(parts: Parts, database: str) -> None:
    """Hold a sample of the loans, and the roll-ups, to the naive reference."""
    connection = await connect(parts.dsn(database), ROLE)
    try:
        found, *_ = await verify(connection, BOOK, Extent(sample=_VERIFIED_LOANS))
    finally:
        await connection.close()
    if found.differences or not found.loans:
        raise BenchError(f"{database} is wrong: {[str(d) for d in found.kept[:5]]}")


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
