"""Scoring a whole book from nothing: loans a second, as the worker's own sweep hands them out."""

from __future__ import annotations

import re

import asyncpg
import httpx

from embedded.ports import free_port
from tests.bench.parts import BenchError
from tests.bench.profile import statements
from tests.bench.session import Session
from tests.bench.watching import Span, between, look_at, peak_memory_mb, until

SECTION = "scoring"
_LOOK_S = 0.2
_SCORED = re.compile(r"^loanpulse_loans_scored_total ([\d.e+]+)$", re.MULTILINE)


async def measure(session: Session) -> None:
    """Forget all scores, and have them made again."""
    runs = [await _score(session) for _ in range(session.runs)]
    add = session.report.add
    for part in ("worker", "postgres"):
        add(SECTION, f"CPU, {part}", "us/loan", [span.cpu_us[part] for span, _ in runs])
    add(SECTION, "memory of the worker at its peak", "MB", [memory for _, memory in runs])
    add(SECTION, "loans scored", "loans/s", [span.per_second for span, _ in runs])


async def _score(session: Session) -> tuple[Span, float]:
    parts = session.parts
    dsn = await session.copied()
    connection = await asyncpg.connect(dsn)
    port = free_port()
    try:
        wanted = await connection.fetchval("SELECT count(*) FROM risk.score")
        await connection.execute("SELECT pg_stat_statements_reset()")
        await connection.execute("TRUNCATE risk.score, risk.score_history, risk.alert_episode CASCADE")
        (worker,) = parts.start("scoring", "worker", environment={"SCORING_WORKER_PORT": str(port)})
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            start = look_at(parts, await until(parts, lambda: _scored(client), bool, _LOOK_S))
            end = look_at(parts, await until(parts, lambda: _scored(client), lambda n: n >= wanted, _LOOK_S))
        if (found := await connection.fetchval("SELECT count(*) FROM risk.score")) != wanted:
            raise BenchError(f"{found} scores are there, and {wanted} should be")
        session.report.details["scoring, SQL in us a loan"] = [
            (query[:80], round(spent, 2)) for query, spent, _ in (await statements(dsn, wanted))[:10]
        ]
        return between(start, end), peak_memory_mb(worker.pid)
    finally:
        await connection.close()
        parts.stop_workers()


async def _scored(client: httpx.AsyncClient) -> int:
    """Scores written so far, as the worker tells; counting them in the database would cost too much."""
    try:
        said = (await client.get("/metrics")).text
    except httpx.TransportError:
        return 0  # it is starting
    found = _SCORED.search(said)
    return int(float(found.group(1))) if found else 0
