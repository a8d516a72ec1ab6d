"""A refold of every loan from the ledger, by the operator's own command, after a run of traffic."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time

import asyncpg

from tests.bench.parts import ROOT, BenchError
from tests.bench.rate import streamed
from tests.bench.report import beside
from tests.bench.session import Session
from tests.bench.watching import cpu_seconds

SECTION = "refold"
_REPEATED_LOANS = 100_000  # a bigger book is folded once: it takes minutes


async def measure(session: Session) -> None:
    """Stream the traffic in, then fold everything again."""
    dsn = await session.copied()
    await streamed(session, dsn, [session.content])
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetchval("SELECT count(*) FROM core.event")
    await connection.close()
    runs = session.runs if session.spec.loans <= _REPEATED_LOANS else 1
    took = [await _refold(session) for _ in range(runs)]
    add = session.report.add
    add(SECTION, "refold: CPU, the command", "us/event", [cpu / rows * 1e6 for _, cpu, _ in took])
    add(SECTION, "refold: CPU, postgres", "us/event", [cpu / rows * 1e6 for _, _, cpu in took])
    add(SECTION, "refold of all loans", "loans/s", [session.spec.loans / seconds for seconds, *_ in took])
    again = add(SECTION, "refold of all loans, by ledger rows", "events/s", [rows / s for s, *_ in took])
    stream = session.report.find("rate", "1 worker: stream")
    if words := beside(again, stream, "the stream's rate"):
        print(f"  {words}")


async def _refold(session: Session) -> tuple[float, float, float]:
    """Seconds, and processor seconds of the command and of PostgreSQL."""
    pid = session.parts.server.pid
    before, own, started = cpu_seconds(pid), _children_cpu(), time.perf_counter()
    command = [sys.executable, "-m", "loanbook.cli", "refold"]
    process = await asyncio.create_subprocess_exec(
        *command, env=session.parts.environment(), cwd=ROOT, stdout=subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode or b" 0 differed" not in said:
        raise BenchError(f"refold says: {said.decode()}")
    return time.perf_counter() - started, _children_cpu() - own, cpu_seconds(pid) - before


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
