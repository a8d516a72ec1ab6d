"""Ends a worker that has work and gets none of it done, rather than let it die in silence."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import io
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import structlog

from loanbook.domain.errors import FatalError
from loanbook.kafka.stopping import STUCK_EXIT_CODE

log = structlog.get_logger(__name__)

_LOOKS = 12  # looks in one limit


class StallGauge:
    """Counts looks in a row at which nothing moved; a process that slept meanwhile has missed no look."""

    def __init__(self, looks: int = _LOOKS) -> None:
        self._looks = looks
        self._idle_looks = 0
        self._acks = 0

    def look(self, *, lag: int | None, acks: int, waiting_reason: str | None) -> bool:
        """Return whether the worker is stalled; an unknown lag (Kafka is away) is nobody's fault here."""
        moved = acks != self._acks
        self._acks = acks
        if moved or not lag or waiting_reason is not None:
            self._idle_looks = 0
        else:
            self._idle_looks += 1
        return self._idle_looks >= self._looks


class Watchdog:
    """Looks at lag and acks from the event loop, and at the event loop from a thread."""

    def __init__(
        self,
        *,
        limit: timedelta,
        lag: Callable[[], Awaitable[int | None]],
        acks: Callable[[], int],
        waiting_reason: Callable[[], str | None],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        """`limit` is how long lag may last without an ack; `end` ends the process."""
        self._limit_s = limit.total_seconds()
        self._lag = lag
        self._acks = acks
        self._waiting_reason = waiting_reason
        self._end = end
        self._beats = 0

    async def run(self) -> None:
        """Look until cancelled; raise FatalError when the worker is stalled, its tasks in the log."""
        gauge = StallGauge()
        with self._watched_loop():
            while True:
                await asyncio.sleep(self._limit_s / _LOOKS)
                self._beats += 1
                lag, reason = await self._lag(), self._waiting_reason()
                if gauge.look(lag=lag, acks=self._acks(), waiting_reason=reason):
                    log.error("worker_stalled", lag=lag, limit_s=self._limit_s, tasks=describe_tasks())
                    raise FatalError(f"a lag of {lag} and no ack in {self._limit_s:.0f} s")

    @contextlib.contextmanager
    def _watched_loop(self) -> Iterator[None]:
        done = threading.Event()
        thread = threading.Thread(target=self._watch_loop, args=(done,), name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()

    def _watch_loop(self, done: threading.Event) -> None:
        # Heartbeats have a thread of their own, so that a blocked loop would keep its partitions for ever.
        silent_looks, last_beats = 0, self._beats
        while not done.wait(self._limit_s / _LOOKS):
            silent_looks = silent_looks + 1 if self._beats == last_beats else 0
            last_beats = self._beats
            if silent_looks >= 2 * _LOOKS:
                print("the event loop is blocked, ending:", file=sys.stderr, flush=True)  # noqa: T201
                with contextlib.suppress(OSError, ValueError):
                    faulthandler.dump_traceback()
                self._end(STUCK_EXIT_CODE)
                return


def describe_tasks() -> str:
    """Return where every task of the running loop stands."""
    text = io.StringIO()
    for task in asyncio.all_tasks():
        text.write(f"{task.get_name()}\n")
        task.print_stack(limit=5, file=text)
    return text.getvalue()
