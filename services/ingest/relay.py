"""The outbox relay: what a transaction left for others is published after it, and again after a crash."""

from __future__ import annotations

import asyncio

from ingest import metrics
from ingest.store import PostgresLoanStore
from loanbook.kafka.producer import EventProducer
from loanbook.postgres.load_sql import load_sql

_ROWS_MAX = 500


async def relay_some(store: PostgresLoanStore, producer: EventProducer) -> int:
    """Publish waiting rows and delete them; a row leaves only when the broker has it for good."""
    async with store.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(load_sql("ingest", "take_outbox"), _ROWS_MAX)
        if not rows:
            return 0
        results = await producer.send_many(
            [(row["topic"], row["key"], row["payload"], row["partition"]) for row in rows]
        )
        for result in results:
            if isinstance(result, Exception):
                raise result
        await connection.execute(load_sql("ingest", "delete_outbox"), [row["outbox_id"] for row in rows])
        metrics.RELAYED.inc(len(rows))
        return len(rows)


async def run_relay(store: PostgresLoanStore, producer: EventProducer, wake: asyncio.Event) -> None:
    """Relay whenever a batch has committed, and once a second for what others left behind."""
    while True:
        wake.clear()
        while await relay_some(store, producer) == _ROWS_MAX:
            pass
        try:
            await asyncio.wait_for(wake.wait(), timeout=1)
        except TimeoutError:
            continue
