"""Plays a feed: sends its history at full speed, then its days at a pace, and shows how far all is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from ingest.commands.books import set_replaying
from ingest.commands.demo_feeds import Feed, FeedDay
from ingest.commands.demo_watch import Line, Reached, Watch
from ingest.commands.sending import Refusal, SendingError, Sink
from loanbook.domain.errors import RetryableError
from loanbook.postgres.fates import RETRYABLE
from loanbook.postgres.pool import Pool

_SLICE_S = 0.25  # the events of a live day come in slices of this length
_BEHIND_DAYS_MAX = 10  # so far the book may lag behind a live feed
_LOOK_EVERY_S = 1.0
_STUCK_AFTER_S = 30.0
_ADDRESS_EVERY_DAYS = 30


@dataclass(slots=True, kw_only=True)
class Demo:
    """One run: what is played and where to, and how far it is."""

    feed: Feed
    sink: Sink
    watch: Watch
    pool: Pool
    boards: str | None
    live_days_max: int | None = None
    line: Line = field(default_factory=Line)
    sent: int = 0
    doing: str = ""
    reached: Reached | None = None
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    watching: asyncio.Task[None] | None = None

    async def play(self) -> None:
        """Send what is missing of the history, then day after day until the feed ends or for ever."""
        self._show_address()
        async with self._watching():
            await self._until("applying what was sent before", lambda reached: reached.waiting == 0)
            stored = await self.watch.book()
            self._check_refusals(await self.sink.send(self.feed.reference))
            days = self.feed.days(stored.business_on)
            first_live: FeedDay | None = None
            if stored.business_on < self.feed.live_from:
                await set_replaying(self.pool, stored, replaying=True)
                first_live = await self._send_history(days)
            await set_replaying(self.pool, stored, replaying=False)
            await self._send_live(days, first_live)
        self.line.leave("the whole book is sent; the boards stay as they are until Ctrl-C")
        if self.live_days_max is None:
            await asyncio.Event().wait()

    async def _send_history(self, days: Iterator[FeedDay]) -> FeedDay | None:
        """Send the days before the live ones and wait until they are applied; returns the first live day."""
        started = time.monotonic()
        first_live = None
        for day in days:
            if day.on >= self.feed.live_from:
                first_live = day
                break
            self.doing = f"sending {day.on}"
            self._check_refusals(await self.sink.send(day.events))
            await self._close(day)
        await self._until("history sent, the worker folds it", self._is_live)
        seconds = time.monotonic() - started
        self.line.leave(f"history: {self.sent:,} events sent and applied in {seconds:.0f} s")
        self._show_address()
        return first_live

    async def _send_live(self, days: Iterator[FeedDay], first: FeedDay | None) -> None:
        number = 0
        while self.live_days_max is None or number < self.live_days_max:
            day = first or next(days, None)
            first = None
            if day is None:
                return
            await self._until("the worker catches up", partial(_is_near, day))
            self.doing = f"live {day.on}"
            await self._send_slowly(day)
            number += 1
            if number % _ADDRESS_EVERY_DAYS == 0:
                self._show_address()

    async def _send_slowly(self, day: FeedDay) -> None:
        """Spread a day's events over its seconds, then close it."""
        started = time.monotonic()
        slices = max(1, int(self.feed.seconds_per_day / _SLICE_S))
        size = -(-len(day.events) // slices) or 1
        for number in range(slices):
            part = day.events[number * size : (number + 1) * size]
            if part:
                self._check_refusals(await self.sink.send(part))
                self.sent += len(part)
            ends_at = started + self.feed.seconds_per_day * (number + 1) / slices
            await asyncio.sleep(max(0.0, ends_at - time.monotonic()))
        await self.sink.close_day(self.feed.book.book, self.feed.source, day.on)

    async def _close(self, day: FeedDay) -> None:
        await self.sink.close_day(self.feed.book.book, self.feed.source, day.on)
        self.sent += len(day.events)

    async def _until(self, doing: str, is_there: Callable[[Reached], bool]) -> None:
        self.doing = doing
        while self.reached is None or not is_there(self.reached):
            self.looked.clear()
            await self.looked.wait()
            if self.watching is not None and self.watching.done():
                self.watching.result()  # it ends by an error alone

    def _is_live(self, reached: Reached) -> bool:
        return reached.business_on >= self.feed.live_from

    @contextlib.asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        self.watching = asyncio.create_task(self._look())
        self.watching.add_done_callback(lambda _: self.looked.set())
        try:
            yield
        finally:
            self.watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.watching

    async def _look(self) -> None:
        moved = Movement()
        while True:
            try:
                self.reached = await self.watch.reached()
            except (RetryableError, *RETRYABLE) as error:
                self.line.show(f"{self.doing}; cannot look how far all is: {error}")
            else:
                self.line.show(moved.text_of(self.doing, self.sent, self.reached))
                self.looked.set()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _show_address(self) -> None:
        if self.boards:
            self.line.leave(f"boards: {self.boards}/boards")

    def _check_refusals(self, refusals: list[Refusal]) -> None:
        if refusals:
            raise SendingError(f"{len(refusals)} events refused, the first: {refusals[0].reason}")


def _is_near(day: FeedDay, reached: Reached) -> bool:
    return (day.on - reached.business_on).days <= _BEHIND_DAYS_MAX


@dataclass(slots=True)
class Movement:
    """Tells how fast the worker is from one look to the next, and whether it moves at all."""

    last: Reached | None = None
    moved_at: float = 0.0

    def text_of(self, doing: str, sent: int, now: Reached) -> str:
        """One line about how far all is."""
        rate = 0.0
        if self.last is not None and now.at > self.last.at:
            rate = (now.applied - self.last.applied) / (now.at - self.last.at)
        if self.last is None or now.applied != self.last.applied or not now.waiting:
            self.moved_at = now.at
        self.last = now
        stuck = now.at - self.moved_at > _STUCK_AFTER_S
        hint = "  (nothing is applied: does the ingest worker run?)" if stuck else ""
        return (
            f"{doing} | sent {sent:,} | waiting {now.waiting:,} | {rate:,.0f} events/s applied | "
            f"business day {now.business_on}{hint}"
        )
