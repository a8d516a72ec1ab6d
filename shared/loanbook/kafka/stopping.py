"""How a worker is told to stop, and how it stops when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

STUCK_EXIT_CODE = 70
_LEAVE_S = 5.0


@contextlib.contextmanager
def stop_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set the event at SIGTERM or SIGINT while the block runs; only a main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class HardStop:
    """Ends the process when an orderly stop takes too long, even if the event loop is blocked."""

    def __init__(self, limit: timedelta, end: Callable[[int], None] = os._exit) -> None:
        self._limit_s = limit.total_seconds()
        self._end = end
        self._timer: threading.Timer | None = None

    def arm(self) -> None:
        """Start the clock, once; running out of time means that work was cut off."""
        if self._timer is None:
            self._start(self._limit_s, STUCK_EXIT_CODE, "stopping took too long")

    def work_is_done(self) -> None:
        """Leave a short time for leaving Kafka, which an absent broker would draw out; no failure."""
        self.disarm()
        self._start(min(_LEAVE_S, self._limit_s), 0, "Kafka did not take the leave")

    def disarm(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, seconds: float, code: int, what: str) -> None:
        self._timer = threading.Timer(
            seconds, self._out_of_time, (code, f"{what}, ending after {seconds:.0f} s")
        )
        self._timer.daemon = True
        self._timer.start()

    def _out_of_time(self, code: int, what: str) -> None:
        print(what, file=sys.stderr, flush=True)  # noqa: T201  a blocked loop may hold the log
        self._end(code)
