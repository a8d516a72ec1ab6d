"""Looks at running parts from outside: how far the stream is, and what each process has cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import psutil

from loanbook.topics import LOAN_EVENTS
from tests.bench.parts import BenchError, Parts

_LOOK_S = 0.02
_PATIENCE_S = 900.0


class Progress(NamedTuple):
    """What became of the events so far, as the positions count it."""

    offsets: int
    taken: int
    duplicates: int
    dead: int


class Moment(NamedTuple):
    """A look at the clock, the stream and the processor time of all parts, in seconds."""

    at: float
    offsets: int
    cpu: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What lies between two moments."""

    seconds: float
    events: int
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> dict[str, float]:
        """Processor time an event by part, in microseconds."""
        if not self.events:
            raise BenchError("no event came between two looks at the stream")
        return {part: spent / self.events * 1e6 for part, spent in self.cpu.items()}


async def progress(connection: asyncpg.Connection) -> Progress:
    """How far the stream of events is."""
    row = await connection.fetchrow(
        "SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(taken), 0)::bigint,"
        " coalesce(sum(duplicates), 0)::bigint, coalesce(sum(dead), 0)::bigint"
        " FROM core.stream_position WHERE topic = $1",
        LOAN_EVENTS,
    )
    return Progress(*row)


async def until(
    parts: Parts, look: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], every_s: float = _LOOK_S
) -> Any:
    """What is seen once it is wanted; BenchError when a worker dies or nothing comes of it."""
    deadline = time.monotonic() + _PATIENCE_S
    while not wanted(seen := await look()):
        parts.check_alive()
        if time.monotonic() > deadline:
            raise BenchError(f"waited {_PATIENCE_S:.0f} s; last seen: {seen}")
        await asyncio.sleep(every_s)
    return seen


def look_at(parts: Parts, offsets: int) -> Moment:
    """This moment, with what all processes have cost so far."""
    cpu = {
        "worker": sum(cpu_seconds(process.pid) for process in parts.workers),
        "postgres": cpu_seconds(parts.server.pid),
        "broker": cpu_seconds(parts.broker.pid),
    }
    return Moment(time.perf_counter(), offsets, cpu)


def between(first: Moment, last: Moment) -> Span:
    """What lies between two moments."""
    cpu = {part: last.cpu[part] - first.cpu[part] for part in last.cpu}
    return Span(seconds=last.at - first.at, events=last.offsets - first.offsets, cpu=cpu)


def cpu_seconds(pid: int | None) -> float:
    """Processor time of a process, its children and those of them that have ended."""
    if pid is None:
        return 0.0
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has just ended; its parent counts it once it is waited for
        total += times.user + times.system + times.children_user + times.children_system
    return total


def peak_memory_mb(pid: int) -> float:
    """The most resident memory a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1_024 / 1_000_000
    raise BenchError(f"no peak memory of process {pid}")
