"""Workers on one book without Kafka: they share a log, take turns, die, and read on from where they were."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ingest.cache import LoanCache
from ingest.day_roll import flip, sweep
from ingest.decoding import cut, decode_records
from ingest.flow import record_batch
from ingest.restate_sweep import restate_some
from ingest.segments import Segment
from ingest.store import PostgresLoanStore
from loanbook.domain.settings import AllocationOrder, ProductSettings
from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.postgres.pool import Connection
from loanbook.topics import LOAN_EVENTS, SLICES, slice_of
from tests.dying import DEATHS, Death, dying_at
from tests.feeding import CLUSTER, LogRecord, day_closed

BOOK = "demo"
LANES = 2
Row = dict[str, Any]
_TABLES = (
    "event", "loan", "loan_state", "loan_plan", "unapplied", "book_now", "book_day", "cash_day",
    "cash_minute", "loan_day", "restate", "restated_day", "day_reached", "day_roll", "outbox",
    "dead_letter", "stream_position",
)  # fmt: skip
_LOOKS_MAX = 500
_STANDS_AT = (
    "SELECT bool_and(business_on = $1) AND NOT EXISTS (SELECT 1 FROM core.day_roll WHERE swept_at IS NULL)"
    " FROM core.book"
)
_OF_THE_RUN = {"version", "terms_version", "fold_version", "changed_at", "as_of", "known_on", "ingested_at"}


@dataclass
class Lane:
    """One worker: its connections, its cache, and how far it has read."""

    store: PostgresLoanStore
    cache: LoanCache = field(default_factory=lambda: LoanCache(100_000))

    def forget(self) -> None:
        """Come back as after a rebalance."""
        self.cache.clear()
        self.store.terms.clear()


@dataclass
class Workshop:
    """A book, the log of its events, and the workers that take turns on it."""

    dsn: str
    admin: Connection
    lanes: list[Lane]
    log: dict[int, list[tuple[bytes | None, bytes]]] = field(default_factory=lambda: defaultdict(list))
    read: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    business_on: date = date.min
    deaths: int = 0

    async def open_book(self, business_on: date, products: Mapping[str, ProductSettings]) -> None:
        """Start anew with an empty book that stands at a day."""
        for table in _TABLES:
            await self.admin.execute(f"DELETE FROM core.{table}")
        await self.admin.execute(
            "INSERT INTO core.book (book, default_currency, opened_on, business_on)"
            " VALUES ($1, 'EUR', $2, $2) ON CONFLICT (book) DO UPDATE SET opened_on = $2, business_on = $2",
            BOOK,
            business_on,
        )
        for name, settings in products.items():
            await self.admin.execute(
                "INSERT INTO core.product (book_key, product, settings)"
                " SELECT book_key, $2, $3 FROM core.book WHERE book = $1 ON CONFLICT DO NOTHING",
                BOOK,
                name,
                json.dumps(as_json(settings)),
            )
        starts = {Partition(LOAN_EVENTS, n): 0 for n in range(SLICES)}
        await self.lanes[0].store.insert_positions(starts, "test")
        self.log.clear()
        self.read.clear()
        self.business_on = business_on
        for lane in self.lanes:
            lane.forget()

    def append(self, events: Iterable[tuple[str, bytes]]) -> None:
        """Write loan events to the log."""
        for loan_id, data in events:
            self.log[slice_of(loan_id)].append((loan_id.encode(), data))

    async def take(self, lane: Lane, death: Death | None = None) -> None:
        """Let a worker apply what it has not read; one that dies reads it again at its next turn."""
        ends = {n: len(items) for n, items in self.log.items() if len(items) > self.read[n]}
        segments: list[Segment] = []
        for number, end in ends.items():
            batch = self._batch(number, end)
            segments += cut(batch, decode_records([(batch.partition, record) for record in batch.records]))
        if await self._alive(death, lambda: record_batch(segments, lane.store, lane.cache)):
            self.read.update(ends)

    async def close_days(self, lane: Lane, days: int, death: Death | None = None) -> None:
        """Close some days in every partition, and roll until the book stands behind them."""
        last = self.business_on + timedelta(days=days - 1)
        for number in range(SLICES):
            self.log[number].append((None, day_closed(last, BOOK)))
        self.business_on = last + timedelta(days=1)
        if not await self._alive(death, lambda: self._mark_and_roll(lane)):
            await self.take(lane)
        await self.roll_to_the_end(lane)

    async def roll_to_the_end(self, lane: Lane) -> None:
        """Roll until nothing is left; what a dead worker had locked is free once the server has noticed."""
        for _ in range(_LOOKS_MAX):
            await roll(lane)
            if await self.admin.fetchval(_STANDS_AT, self.business_on):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"the book never came to {self.business_on}")

    async def restate(self, lane: Lane, death: Death | None = None) -> None:
        """Tell past days anew until nothing is left to tell."""
        if not await self._alive(death, lambda: restate_all(lane)):
            await restate_all(lane)

    async def _mark_and_roll(self, lane: Lane) -> None:
        await self.take(lane)
        await roll(lane)

    async def _alive(self, death: Death | None, work: Callable[[], Awaitable[object]]) -> bool:
        with dying_at(death) as spoken:
            try:
                await work()
            except DEATHS:
                if not spoken.died:
                    raise
                self.deaths += 1
                return False
        return True

    def _batch(self, number: int, end: int) -> RecordBatch:
        start = self.read[number]
        items = self.log[number][start:end]
        records = [LogRecord(start + n, key, value) for n, (key, value) in enumerate(items)]
        return RecordBatch(Partition(LOAN_EVENTS, number), start, end, records, 1)

    async def tables(self) -> dict[str, list[Row]]:
        """What the tables say of the book, without what may differ between two ways to the same events."""
        found = {name: await self._rows(query) for name, query in _QUERIES.items()}
        for row in found["loan_state"]:
            if row["past_due_on"] is not None:
                late = self.business_on - date.fromisoformat(row["past_due_on"])
                row["max_dpd"] = max(row["max_dpd"], late.days)
        return found

    async def _rows(self, query: str) -> list[Row]:
        rows = [json.loads(row[0]) for row in await self.admin.fetch(query)]
        return [{name: value for name, value in row.items() if name not in _OF_THE_RUN} for row in rows]


async def roll(lane: Lane) -> int:
    """Sweep and flip until nothing is left to do; returns the loans rolled."""
    loans = 0
    while True:
        swept = await sweep(lane.store, lane.cache)
        loans += swept.loans
        flipped = [await flip(lane.store, key) for key in await lane.store.select_ready_books()]
        if not swept.slices and not any(flipped):
            return loans


async def restate_all(lane: Lane) -> None:
    """Tell past days anew until nothing is left to tell."""
    while await restate_some(lane.store):
        pass


async def open_lanes(dsn: str, count: int) -> list[Lane]:
    """Workers of one cluster."""
    return [Lane(await PostgresLoanStore.open(dsn, CLUSTER)) for _ in range(count)]


def as_json(settings: ProductSettings) -> dict[str, Any]:
    """A product's settings as `ProductSettings.from_json` reads them."""
    data = {name: getattr(settings, name) for name in ProductSettings.__dataclass_fields__}
    data["allocation"] = _order(settings.allocation)
    data["allocation_by_kind"] = {k: _order(order) for k, order in settings.allocation_by_kind.items()}
    data["chargeback_order"] = [part.name.lower() for part in settings.chargeback_order]
    return data


def _order(order: AllocationOrder) -> dict[str, Any]:
    steps: Sequence[Any] = order.steps
    return {
        "order": [f"{timing.name}_{component.name}".lower() for timing, component in steps],
        "future_rule": order.future_rule,
        "processing": order.processing,
        "charges_due_on_their_own": order.charges_due_on_their_own,
    }


_CELL = "book_key, currency_key, branch_key, product_key"
_MEASURES = (
    "loans", "disbursed_minor", "paid_minor", "principal_minor", "outstanding_minor", "overdue_minor",
    "overdue_principal_minor", "estimated_loans",
)  # fmt: skip
_CASH = (
    "due_minor", "due_count", "current_minor", "arrears_minor", "advance_minor", "due_collected_minor",
    "on_time_count",
)  # fmt: skip


def _summed(table: str, key: str, measures: Sequence[str]) -> str:
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in measures)
    there = " OR ".join(f"sum({name}) <> 0" for name in measures)
    inner = f"SELECT slice & 15 AS slice, {key}, {sums} FROM core.{table} GROUP BY 1, {key} HAVING {there}"
    return f"SELECT to_jsonb(t) FROM ({inner} ORDER BY slice, {key}) t"


_QUERIES = {
    "loan": "SELECT to_jsonb(t) FROM core.loan t ORDER BY slice, loan_key",
    "loan_state": "SELECT to_jsonb(t) FROM core.loan_state t ORDER BY slice, loan_key",
    "loan_plan": "SELECT to_jsonb(t) FROM core.loan_plan t ORDER BY slice, loan_key",
    "unapplied": "SELECT to_jsonb(t) FROM core.unapplied t ORDER BY slice, loan_key, event_id",
    "book_now": _summed("book_now", f"{_CELL}, bucket, status", _MEASURES),
    "cash_day": _summed("cash_day", f"{_CELL}, effective_on", _CASH),
    "dead_letter": "SELECT to_jsonb(t) FROM core.dead_letter t",
    "book_day restated": _summed("book_day", f"{_CELL}, business_on, bucket, status", _MEASURES),
}
