"""Where the time goes: the worker's processor time by function and by step, SQL by statement.

py-spy looks at a running worker from outside; it lives in an environment of its own, made once. The
profile is written beside the results, as is the flame graph's input (`.folded`).
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from tests.bench.environments import program
from tests.bench.rate import streamed
from tests.bench.session import Session
from tests.bench.watching import Span

SECTION = "profile"
_SAMPLES_A_SECOND = 100
_SHOWN = 40
# The innermost frame that lies in one of these files says what a moment was spent on.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("decode", ("ingest/decoding.py", "loanbook/wire")),
    ("fold", ("loanbook/domain/",)),
    ("driver", ("asyncpg/",)),
    ("fetch", ("aiokafka/", "faust/", "mode/", "loanbook/kafka/")),
    ("encode", ("ingest/rows.py", "ingest/saving.py", "ingest/rollups.py", "loanbook/postgres/")),
    ("rest of ingest", ("ingest/",)),
)


async def measure(session: Session) -> None:
    """Profile one worker over the filled topic."""
    dsn = await session.copied()
    folded = session.folder / f"profile-{session.spec.loans}.folded"
    [run] = await streamed(session, dsn, [session.content], beside=lambda pid: sampled(pid, folded))
    stacks = read_folded(folded)
    total = sum(stacks.values()) or 1
    cost = run.span.cpu_us["worker"]
    for step, count in steps_of(stacks).most_common():
        session.report.add(SECTION, f"worker: {step}", "us/event", [cost * count / total])
    costliest = await statements(dsn, len(session.content.events))
    for name, spent_us, _ in costliest[:10]:
        session.report.add(SECTION, f"SQL: {name[:46]}", "us/event", [spent_us])
    text = _text(run.span, stacks, costliest)
    folded.with_suffix(".txt").write_text(text, encoding="utf-8")
    print(f"  written to {folded.with_suffix('.txt')}")


@contextmanager
def sampled(pid: int, folded: Path) -> Iterator[None]:
    """Sample a process while the block runs."""
    folded.parent.mkdir(parents=True, exist_ok=True)
    command = [program("py-spy", "py-spy"), "record", "--pid", str(pid), "--format", "raw"]
    command += ["--rate", str(_SAMPLES_A_SECOND), "--output", str(folded), "--duration", "3600"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sampler:
        time.sleep(1)
        try:
            yield
        finally:
            sampler.send_signal(2)  # SIGINT: it writes what it has
            sampler.wait(60)


def read_folded(path: Path) -> Counter[tuple[str, ...]]:
    """Samples by stack, outermost frame first."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(frames.split(";"))] += int(count)
    return stacks


def steps_of(stacks: Counter[tuple[str, ...]]) -> Counter[str]:
    """Samples by step of the path."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[_step_of(stack)] += count
    return found


def _step_of(stack: Sequence[str]) -> str:
    for frame in reversed(stack):
        for step, places in STEPS:
            if any(place in frame for place in places):
                return step
    return "event loop"


async def statements(dsn: str, events: int) -> list[tuple[str, float, int]]:
    """The costliest statements since the counters were reset: text, microseconds an event, calls."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT s.query, s.total_exec_time * 1000 AS spent_us, s.calls FROM pg_stat_statements s"
            " JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()"
            " ORDER BY s.total_exec_time DESC LIMIT $1",
            _SHOWN,
        )
    finally:
        await connection.close()
    return [(_short(row["query"]), row["spent_us"] / events, row["calls"]) for row in rows]


def _short(query: str) -> str:
    lines = [line for line in query.splitlines() if not line.lstrip().startswith("--")]
    return " ".join(" ".join(lines).split())


def _text(span: Span, stacks: Counter[tuple[str, ...]], costliest: Sequence[tuple[str, float, int]]) -> str:
    total = sum(stacks.values()) or 1
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for stack, count in stacks.items():
        alone[stack[-1].rpartition(":")[0]] += count
        for frame in {frame.rpartition(":")[0] for frame in stack}:
            within[frame] += count
    lines = [f"one worker: {span.per_second:,.0f} events/s while it was sampled", "", "by itself:"]
    lines += [f"{count / total:7.1%}  {frame})" for frame, count in alone.most_common(_SHOWN)]
    lines += ["", "with all it calls:"]
    lines += [f"{count / total:7.1%}  {frame})" for frame, count in within.most_common(_SHOWN)]
    lines += ["", "SQL, us an event, calls:"]
    lines += [f"{spent:8.2f} {calls:8,}  {query[:150]}" for query, spent, calls in costliest]
    return "\n".join(lines) + "\n"
