"""The sink's ceiling: the writes of a run, ready made, sent again to fresh copies of the book.

What is left out: fetch, decode, every read of the database, fold, encode. Its rate counts the events that
the writes came from, the duplicates among them included, so that it compares with the stream's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ingest.store import PostgresLoanStore
from tests.bench.recording import Batch, Copy, recorded
from tests.bench.session import Session
from tests.bench.watching import cpu_seconds

SECTION = "ceiling"


async def measure(session: Session) -> None:
    """Have the flow make the writes, then send them again on one connection and on two."""
    parts, content = session.parts, session.content
    dsn = await session.copied()
    lanes = await recorded(dsn, parts.cluster, content.events, await parts.log_ends(), lanes=2)
    session.report.details["ceiling: bytes of rows an event"] = {
        name: round(size / len(content.events), 1) for name, size in _weights(lanes).items()
    }
    one = [batch for pair in zip(*lanes, strict=False) for batch in pair]
    for name, shares in (("1 connection", [one]), ("2 connections", lanes)):
        await _take(session, name, shares)


async def _take(session: Session, name: str, shares: Sequence[Sequence[Batch]]) -> None:
    events, server = len(session.content.events), session.parts.server.pid
    rates, cpu = [], []
    for _ in range(session.runs):
        store = await PostgresLoanStore.open(await session.copied(), session.parts.cluster)
        try:
            before, started = cpu_seconds(server), time.perf_counter()
            await asyncio.gather(*(_replay(store, share) for share in shares))
            rates.append(events / (time.perf_counter() - started))
            cpu.append((cpu_seconds(server) - before) / events * 1e6)
        finally:
            await store.close()
    add = session.report.add
    add(SECTION, f"ready-made rows, {name}: CPU, postgres", "us/event", cpu)
    ceiling = add(SECTION, f"ready-made rows, {name}", "events/s", rates)
    for stream_name in ("1 worker: stream", "2 workers: stream"):
        if (stream := session.report.find("rate", stream_name)) is not None:
            add(SECTION, f"{stream_name}, of {name}", "times", [stream.median / ceiling.median])


async def _replay(store: PostgresLoanStore, batches: Sequence[Batch]) -> None:
    for batch in batches:
        async with store.transaction() as unit:  # with the flow's own settings for the planner
            for write in batch:
                await write.write(unit.connection)


def _weights(lanes: Sequence[Sequence[Batch]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for write in (write for lane in lanes for batch in lane for write in batch):
        if isinstance(write, Copy):
            sizes[write.table] = sizes.get(write.table, 0) + len(write.rows)
    return sizes
