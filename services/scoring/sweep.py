"""Finds the loans whose score is behind, so that a lost notice or a grown day heals by itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog

from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Pool
from loanbook.topics import SLICES
from scoring import metrics
from scoring.alerts import RULE
from scoring.backlog import Backlog
from scoring.messages import summary_json
from scoring.thresholds import Severity

log = structlog.get_logger()
_KEYS_AT_ONCE, _FAR_BEHIND = 10_000, 1_000
_BEFORE_ALL = -(2**63)
_SHARE_OF_TIME = 0.1  # on a big book the sweep rests nine times as long as it works


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedBook:
    """A book as the sweep sees it."""

    book_key: int
    business_on: date  # the day that all its loans have been brought to
    replaying: bool
    silent: bool


@dataclass(slots=True, kw_only=True)
class Sweep:
    """Looks at one slice after the other, at all of them when a day has turned, and ends silences."""

    pool: Pool
    backlog: Backlog
    model: str
    endpoints: tuple[str, ...]
    interval: timedelta
    grace: timedelta
    backlog_max: int
    _days: dict[int, date] = field(default_factory=dict)
    _calm_since: dict[int, float] = field(default_factory=dict)  # silent, but no longer replaying
    _started: bool = False
    _rounds_until: float = 0.0
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def look_now(self) -> None:
        """Ask for whole rounds from now until the youngest change is found, as at a rebalance."""
        self._rounds_until = time.monotonic() + self.grace.total_seconds() + 2 * self.interval.total_seconds()
        self._wanted.set()

    async def run(self) -> None:
        """Sweep until cancelled; errors of the database are the caller's to retry."""
        slice_ = 0
        while True:
            started = time.monotonic()
            books = await self.watch()
            self._wanted.clear()
            if self._turned(books) or started < self._rounds_until or any(book.silent for book in books):
                await self.round(books)
            else:
                await self.find(slice_)
                slice_ = (slice_ + 1) % SLICES
            took = time.monotonic() - started
            await self._rest(max(self.interval.total_seconds(), took / _SHARE_OF_TIME - took))

    async def watch(self) -> list[WatchedBook]:
        """Note new books and silences; gives all books."""
        rows = await self.pool.fetch(load_sql("scoring", "watch_books"), self.model, not self._started)
        self._started = True
        return [WatchedBook(**row) for row in rows]

    async def round(self, books: list[WatchedBook]) -> int:
        """Look at every slice; a silence ends when a round begun after it finds nothing to score."""
        calm = self._calm(books)
        found = sum([await self.find(slice_) for slice_ in range(SLICES)])
        if found == 0:
            for book_key in calm:
                await self.end_silence(book_key)
        return found

    async def find(self, slice_: int) -> int:
        """Put the due loans of one slice on the backlog; gives how many there are.

        A slice that is far behind is left alone: its loans would only be found again.
        """
        if (waiting := self.backlog.waiting(slice_)) > _FAR_BEHIND:
            return waiting
        found, after = 0, _BEFORE_ALL
        while True:
            rows = await self.pool.fetch(
                load_sql("scoring", "select_due_loans"),
                slice_, self.model, RULE, after, _KEYS_AT_ONCE, self.grace,
            )  # fmt: skip
            keys = [row["loan_key"] for row in rows]
            self.backlog.add(slice_, keys)
            found += len(keys)
            metrics.SWEPT.inc(len(keys))
            if len(keys) < _KEYS_AT_ONCE:
                return found
            after = keys[-1]
            while len(self.backlog) > self.backlog_max:  # noqa: ASYNC110 - it drains by itself
                await asyncio.sleep(0.1)

    async def end_silence(self, book_key: int) -> None:
        """Let the alerts of a book speak from now on, with one summary of those that opened in silence.

        Loans always come in where much is going on: what is being scored in silence is waited for.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(load_sql("scoring", "lock_slices"), list(range(SLICES)))
            rows = await connection.fetch(load_sql("scoring", "end_silence"), book_key)
            counts = {Severity(row["severity"]): row["episodes"] for row in rows if row["episodes"]}
            if counts and self.endpoints:
                payload = summary_json(rows[0]["book"], rows[0]["business_on"], rows[0]["at"], counts)
                await connection.execute(load_sql("scoring", "insert_summary"), self.endpoints, payload)
        self._calm_since.pop(book_key, None)
        if rows:
            log.info("silence_ended", book=rows[0]["book"], baseline_episodes=sum(counts.values()))

    def _turned(self, books: list[WatchedBook]) -> bool:
        days = {book.book_key: book.business_on for book in books}
        turned = days != self._days
        self._days = days
        return turned

    def _calm(self, books: list[WatchedBook]) -> list[int]:
        """Silent books that stopped replaying long enough ago for all their changes to be found."""
        now = time.monotonic()
        waiting = {book.book_key for book in books if book.silent and not book.replaying}
        self._calm_since = {book_key: self._calm_since.get(book_key, now) for book_key in waiting}
        grace = self.grace.total_seconds()
        return [book_key for book_key, since in self._calm_since.items() if now - since > grace]

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wanted.wait(), timeout=seconds)
        except TimeoutError:
            return
