"""The roll of the business day: flip the book when every log has reached its end, then sweep its loans.

A flip takes the book's lock for a moment; the sweep runs in small transactions beside the stream, by
all workers side by side, and lets events that wait go first, though not for long. A loan that an event
touches meanwhile rolls itself: its row then stands at the new day already. Days never go back, so a sweep
that is killed and repeated rolls each loan once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ingest import metrics
from ingest.cache import LoanCache
from ingest.choosing import choose_idle
from ingest.day_markers import spread_marker
from ingest.folding import Subject, change
from ingest.inbox import Inbox
from ingest.locked import Locked, row_of
from ingest.plain import fold_plain
from ingest.records import DAYS_AHEAD_MAX, Book, ChangedLoan, LoanRef
from ingest.rows import stored_loan
from ingest.segments import Segment
from ingest.store import PostgresLoanStore
from ingest.transaction import BOOK_LOCK, PostgresUnit
from loanbook.kafka.batches import Partition
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.topics import SLICES

_LOOK_HELD_S, _LOOK_IDLE_S = 0.02, 0.5
_SPREAD_AFTER_S, _SPREAD_AGAIN_S = 5.0, 55.0
_LOANS_MAX = 2_000  # a transaction of the sweep
_LOANS_FEW = 250  # while events come: a batch waits for the rows that the sweep has


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one transaction of the sweep did."""

    slices: int
    loans: int
    has_more: bool


class DayRoll:
    """Flips books and sweeps loans, and holds partitions at their day barriers meanwhile."""

    def __init__(self, store: PostgresLoanStore, cache: LoanCache, inbox: Inbox) -> None:
        self._store = store
        self._cache = cache
        self._inbox = inbox
        self._held: dict[Partition, tuple[str, date]] = {}
        self._lone: dict[tuple[str, date], float] = {}  # since when a day waits for slices without its marker
        self._has_more = False  # than the last transaction could sweep
        self._wake = asyncio.Event()

    @property
    def waiting_reason(self) -> str | None:
        """Which barriers partitions stand at, or None."""
        if not self._held:
            return None
        days = sorted({f"{book} {day}" for book, day in self._held.values()})
        return f"day barrier {', '.join(days)} reached in {len(self._held)} partitions"

    def hold(self, segments: Iterable[Segment]) -> None:
        """Note which of these partitions now stand at a barrier."""
        for segment in segments:
            if segment.barrier is not None:
                self.hold_until(segment.partition, segment.barrier.book, segment.barrier.day.business_on)

    def hold_until(self, partition: Partition, book: str, business_on: date) -> None:
        """Keep a partition back until the book has left this day."""
        self._held[partition] = (book, business_on)
        self._wake.set()

    def holds(self, partition: Partition) -> bool:
        """Whether a partition stands at a barrier."""
        return partition in self._held

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Stop caring for partitions that went to another worker."""
        for partition in partitions:
            self._held.pop(partition, None)

    async def run(self, release: Callable[[list[Partition]], Awaitable[None]]) -> None:
        """Flip and sweep whenever there is reason to, and look twice a second."""
        while True:
            while await self.step(release):
                pass
            self._wake.clear()
            with suppress(TimeoutError):
                pause = _LOOK_HELD_S if self._held else _LOOK_IDLE_S
                await asyncio.wait_for(self._wake.wait(), timeout=pause)

    async def step(self, release: Callable[[list[Partition]], Awaitable[None]]) -> bool:
        """Sweep a little, flip what is ready, release what may go on; whether anything was done."""
        # While there is more than one transaction to do, half of the slices are left to another worker.
        slices_max, is_calm = SLICES // 2 if self._has_more else SLICES, self._inbox.is_calm
        if self._has_more and not is_calm:
            await self._inbox.applied()
        swept = await sweep(self._store, self._cache, slices_max, gently=not is_calm)
        self._has_more = swept.has_more
        metrics.LOANS_ROLLED.inc(swept.loans)
        closed = [await flip(self._store, key) for key in await self._store.select_ready_books()]
        flipped = sum(day is not None for day in closed)
        metrics.DAYS_CLOSED.inc(flipped)
        await self._release(release)
        await self._spread_lone()
        return bool(swept.slices or flipped)

    async def _spread_lone(self) -> None:
        """A marker that stands in some logs alone is written into the others: upstream sent only that one."""
        now = asyncio.get_running_loop().time()
        waiting = set(self._held.values())
        self._lone = {day: since for day, since in self._lone.items() if day in waiting}
        for day in waiting:
            if now - self._lone.setdefault(day, now) > _SPREAD_AFTER_S:
                await spread_marker(self._store, *day, datetime.now(UTC))
                self._lone[day] = now + _SPREAD_AGAIN_S

    async def _release(self, release: Callable[[list[Partition]], Awaitable[None]]) -> None:
        if not self._held:
            return
        books = await self._store.select_business_days()
        free = [
            partition
            for partition, (book, day) in self._held.items()
            if book not in books or not 0 <= (day - books[book]).days <= DAYS_AHEAD_MAX
        ]
        for partition in free:
            del self._held[partition]
        await release(free)


async def flip(store: PostgresLoanStore, book_key: int) -> date | None:
    """Close the book's day if every slice's log has reached its end; returns the day closed."""
    async with store.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", BOOK_LOCK, book_key)
        closed: date | None = await connection.fetchval(load_sql("ingest", "flip_book"), book_key)
        return closed


async def sweep(
    store: PostgresLoanStore, cache: LoanCache, slices_max: int = SLICES, *, gently: bool = False
) -> Swept:
    """Bring some loans of some slices that no other worker holds to their book's day; `gently`: a few."""
    loans_max = _LOANS_FEW if gently else _LOANS_MAX
    async with store.transaction() as unit:
        await unit.lock_books()
        rolls = await unit.connection.fetch(load_sql("ingest", "select_open_rolls"), slices_max)
        if not rolls:
            return Swept(slices=0, loans=0, has_more=False)
        book = next(b for b in unit.books.values() if b.book_key == rolls[0]["book_key"])
        mine = [row for row in rolls if row["book_key"] == book.book_key]
        due = await lock_due(unit, book, [row["slice"] for row in mine], loans_max)
        idle, others = choose_idle(due, book.business_on)
        changes = await roll_loans(unit, book, others, cache)
        plain = [fold_plain(idle, unit.directory)] if len(idle.loans) else []
        await unit.save(changes, [], plain)
        await _finish(unit.connection, book, mine, Counter(ref.slice for ref in due))
    cache.keep(changes)
    return Swept(slices=len(mine), loans=len(due), has_more=len(due) >= loans_max)


async def lock_due(
    unit: PostgresUnit, book: Book, slices: Sequence[int], loans_max: int
) -> dict[LoanRef, Locked]:
    """Lock some loans of these slices that are due to change at the book's day."""
    rows = await unit.connection.fetch(
        load_sql("ingest", "lock_due_loans"), book.book_key, slices, book.business_on, loans_max
    )
    return await unit.lock(LoanRef(row["slice"], row["loan_key"]) for row in rows)


async def roll_loans(
    unit: PostgresUnit, book: Book, due: Mapping[LoanRef, Locked], cache: LoanCache
) -> list[ChangedLoan]:
    """Fold locked loans at the book's day."""
    stored = {ref: stored_loan(row_of(row)) for ref, row in due.items()}
    kept = cache.find({ref: loan.version for ref, loan in stored.items()})
    histories = await unit.histories(due.keys() - kept.keys())
    changes = []
    for ref, row in due.items():
        events, before = kept[ref] if ref in kept else (histories[ref], None)
        subject = Subject(ref=ref, loan_id=row.terms.loan_id, stored=stored[ref], events=list(events))
        changes.append(change(subject, book, before, unit.directory))
    return changes


async def _finish(connection: Connection, book: Book, rolls: Sequence[Any], loans: Mapping[int, int]) -> None:
    for closed_on in sorted({row["business_on"] for row in rolls}):
        slices = [row["slice"] for row in rolls if row["business_on"] == closed_on]
        await connection.execute(
            load_sql("ingest", "finish_rolls"),
            book.book_key,
            closed_on,
            slices,
            [loans.get(number, 0) for number in slices],
            book.business_on,
        )
