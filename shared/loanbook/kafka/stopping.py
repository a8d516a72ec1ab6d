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
        self._finished = False
        self._limit_s = limit.total_seconds()
        self._end = end
        self._timer: threading.Timer | None = None

    def arm(self) -> None:
        """Start the clock, once."""
        if self._timer is None:
            self._timer = threading.Timer(self._limit_s, self._out_of_time)
            self._timer.daemon = True
            self._timer.start()

    def work_is_done(self) -> None:
        """Say that only leaving Kafka is left: running out of time now is no failure."""
        self._finished = True

    def disarm(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()

    def _out_of_time(self) -> None:
        print(f"stopping took more than {self._limit_s:.0f} s: ending as it is", file=sys.stderr, flush=True)  # noqa: T201
        self._end(0 if self._finished else STUCK_EXIT_CODE)
