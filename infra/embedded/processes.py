"""Processes remembered across restarts by their id and start time, so that a reused id is never mistaken."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S = 0.02
_CLOCK_SLACK_S = 1.0  # start times are read in clock ticks and can differ by rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMark:
    """Names one process for good: the kernel reuses ids, but not with the same start time."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        """The mark of a running process."""
        return cls(pid=pid, started_at=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process itself while it runs; None once it is gone, a zombie, or another one under its id."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started_at) < _CLOCK_SLACK_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.process() is not None


def write_mark(path: Path, mark: ProcessMark) -> None:
    """Store a mark so that a reader never sees half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(mark)), encoding="utf-8")
    fresh.replace(path)


def read_mark(path: Path) -> ProcessMark | None:
    """The mark in a file; None when there is none or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return ProcessMark(pid=int(content["pid"]), started_at=float(content["started_at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def end(mark: ProcessMark, first: int = signal.SIGTERM, patience_s: float = 20.0) -> bool:
    """Ask this process to leave, then force it; False when it was not there any more."""
    process = mark.process()
    if process is None or mark.pid == os.getpid():
        return False
    for signum, wait_s in ((first, patience_s), (signal.SIGKILL, 10.0)):
        try:
            process.send_signal(signum)
        except psutil.NoSuchProcess:
            break
        if _gone_within(mark, wait_s):
            break
    return True


def _gone_within(mark: ProcessMark, wait_s: float) -> bool:
    # Not by waiting for the process: where nobody reaps orphans, a dead one keeps its id for ever.
    deadline = time.monotonic() + wait_s
    while mark.alive() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return not mark.alive()
