"""A worker process with SQLite for its database: records and positions in one transaction, as the real ones.

python ledger_worker.py BOOTSTRAP TOPIC GROUP DATABASE [--crash-after N] [--slow SECONDS] [--fail]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

import uvloop

from loanbook.kafka.batches import Partition, RecordBatch
from loanbook.kafka.settings import KafkaSettings
from loanbook.kafka.worker import BatchWorker

SCHEMA = """
CREATE TABLE IF NOT EXISTS position (topic, part INTEGER, next_offset INTEGER, PRIMARY KEY (topic, part));
CREATE TABLE IF NOT EXISTS record (part INTEGER, offset INTEGER, value, owner, PRIMARY KEY (part, offset));
CREATE TABLE IF NOT EXISTS refused (part INTEGER, from_offset INTEGER, next_offset INTEGER);
"""


def open_ledger(path: str) -> sqlite3.Connection:
    """Open the database, making its tables when they are missing."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(SCHEMA)
    return connection


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Ledger:
    """Applies each batch exactly once: below the position it is trimmed, above it refused and sought."""

    waiting_reason: str | None = None

    def __init__(self, path: str, *, slow_s: float, crash_after: int, fail: bool) -> None:
        self.worker: BatchWorker
        self._ledger = open_ledger(path)
        self._queue: asyncio.Queue[RecordBatch] = asyncio.Queue(2)
        self._idle = asyncio.Event()
        self._idle.set()
        self._slow_s = slow_s
        self._commits_left = crash_after
        self._fail = fail

    async def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int | None]:
        _say("assigned", *sorted(p.partition for p in partitions))
        rows = self._ledger.execute("SELECT topic, part, next_offset FROM position").fetchall()
        stored = {Partition(topic, part): offset for topic, part, offset in rows}
        return {partition: stored.get(partition) for partition in partitions}

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        del partitions  # every rebalance takes them all
        while not self._queue.empty():
            self._queue.get_nowait()
        await self._idle.wait()
        _say("revoked")

    async def deliver(self, batches: Sequence[RecordBatch]) -> None:
        if self._fail:
            raise ValueError("the handler is broken")
        for batch in batches:
            if self.worker.is_current(batch):
                await self._queue.put(batch)

    async def write(self) -> None:
        """Apply what was delivered, one transaction a batch."""
        while True:
            batch = await self._queue.get()
            self._idle.clear()
            try:
                await self._apply(batch)
            finally:
                self._idle.set()

    async def _apply(self, batch: RecordBatch) -> None:
        self._ledger.execute("BEGIN IMMEDIATE")
        row = self._ledger.execute(
            "SELECT next_offset FROM position WHERE topic = ? AND part = ?",
            (batch.partition.topic, batch.partition.partition),
        ).fetchone()
        applied = row[0] if row else 0
        if batch.from_offset > applied:
            await self._refuse(batch, applied)
            return
        self._insert(batch, applied)
        if self._slow_s:
            _say("transaction")
            await asyncio.sleep(self._slow_s)
        self._ledger.execute("COMMIT")
        self._commits_left -= 1
        if not self._commits_left:
            os._exit(9)  # committed and not acked
        self.worker.ack(batch)

    async def _refuse(self, batch: RecordBatch, applied: int) -> None:
        self._ledger.execute(
            "INSERT INTO refused VALUES (?, ?, ?)",
            (batch.partition.partition, batch.from_offset, batch.next_offset),
        )
        self._ledger.execute("COMMIT")
        if self.worker.is_current(batch):
            await self.worker.seek(batch.partition, applied)

    def _insert(self, batch: RecordBatch, applied: int) -> None:
        part, owner = batch.partition.partition, os.getpid()
        fresh = [(part, r.offset, r.value, owner) for r in batch.records if r.offset >= applied]
        self._ledger.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", fresh)
        self._ledger.execute(
            "INSERT INTO position VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
            (batch.partition.topic, part, max(applied, batch.next_offset)),
        )


async def main() -> int:
    """Run the worker as its arguments say."""
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "topic", "group", "database"):
        parser.add_argument(name)
    parser.add_argument("--crash-after", type=int, default=0)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--fail", action="store_true")
    chosen = parser.parse_args()
    settings = KafkaSettings(
        bootstrap_servers=chosen.bootstrap,
        session_timeout=timedelta(seconds=6),
        heartbeat_interval=timedelta(seconds=1),
        commit_interval=timedelta(milliseconds=500),
        max_poll_records=500,
    )
    ledger = Ledger(chosen.database, slow_s=chosen.slow, crash_after=chosen.crash_after, fail=chosen.fail)
    ledger.worker = BatchWorker(settings, ledger, [chosen.topic], chosen.group, tasks=[ledger.write])
    return await ledger.worker.run()


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
