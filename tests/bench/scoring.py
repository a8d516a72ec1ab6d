"""Scoring a whole book, from nothing and after a change: loans a second, as the sweep hands them out."""

from __future__ import annotations

import re
from typing import NamedTuple

import asyncpg
import httpx

from embedded.ports import free_port
from tests.bench.parts import BenchError
from tests.bench.profile import statements
from tests.bench.session import Session
from tests.bench.watching import Span, between, look_at, peak_memory_mb, until

SECTION = "scoring"
_LOOK_S = 0.05
_SCORED = re.compile(r"^loanpulse_loans_scored_total ([\d.e+]+)$", re.MULTILINE)
_FORGET = "TRUNCATE risk.score, risk.score_history, risk.alert_episode CASCADE"
_CHANGE = """
UPDATE core.loan_state SET version = version + 1, changed_at = now() - interval '1 minute',
    principal_outstanding_minor = principal_outstanding_minor * 19 / 20,
    total_outstanding_minor = total_outstanding_minor * 19 / 20
"""


class _Run(NamedTuple):
    span: Span
    memory_mb: float


async def measure(session: Session) -> None:
    """Forget all scores and have them made, then change all loans and have them made again."""
    first, again = zip(*[await _score(session) for _ in range(session.runs)], strict=True)
    add = session.report.add
    for what, runs in (("from nothing", first), ("again, all changed", again)):
        for part in ("worker", "postgres"):
            add(SECTION, f"{what}: CPU, {part}", "us/loan", [run.span.cpu_us[part] for run in runs])
        add(SECTION, f"{what}: loans scored", "loans/s", [run.span.per_second for run in runs])
    add(SECTION, "memory of the worker at its peak", "MB", [run.memory_mb for run in first])


async def _score(session: Session) -> tuple[_Run, _Run]:
    connection = await asyncpg.connect(await session.copied())
    try:
        await connection.execute(_FORGET)
        first = await _all_scored(session, connection, "from nothing")
        await connection.execute(_CHANGE)
        await connection.execute("VACUUM ANALYZE core.loan_state, risk.score")
        return first, await _all_scored(session, connection, "again")
    finally:
        await connection.close()


async def _all_scored(session: Session, connection: asyncpg.Connection, what: str) -> _Run:
    """Start a worker, and wait until it has scored every active loan."""
    parts, port = session.parts, free_port()
    wanted = await connection.fetchval("SELECT count(*) FROM core.loan_state WHERE status = 1")
    await connection.execute("SELECT pg_stat_statements_reset()")
    try:
        (worker,) = parts.start("scoring", "worker", environment={"SCORING_WORKER_PORT": str(port)})
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            start = look_at(parts, await until(parts, lambda: _scored(client), bool, _LOOK_S))
            end = look_at(parts, await until(parts, lambda: _scored(client), lambda n: n >= wanted, _LOOK_S))
        memory_mb = peak_memory_mb(worker.pid)
    finally:
        parts.stop_workers()
    if (found := await connection.fetchval("SELECT count(*) FROM risk.score")) != wanted:
        raise BenchError(f"{found} scores are there, and {wanted} should be")
    session.report.details[f"scoring {what}, SQL in us a loan"] = [
        (query[:80], round(spent, 2)) for query, spent, _ in (await statements(parts.dsn(), wanted))[:10]
    ]
    return _Run(between(start, end), memory_mb)


async def _scored(client: httpx.AsyncClient) -> int:
    """Scores written so far, as the worker tells; counting them in the database would cost too much."""
    try:
        said = (await client.get("/metrics")).text
    except httpx.TransportError:
        return 0  # it is starting
    found = _SCORED.search(said)
    return int(float(found.group(1))) if found else 0
