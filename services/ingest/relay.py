"""The outbox relay: what a transaction left for others is published after it, and again after a crash."""

from __future__ import annotations

import asyncio
from operator import itemgetter

from ingest import metrics
from ingest.store import PostgresLoanStore
from loanbook.kafka.producer import EventProducer
from loanbook.postgres.load_sql import load_sql

_ROWS_MAX = 500
_REST_S = 0.05  # notices of some batches go together: nobody is in a hurry for them


async def relay_some(store: PostgresLoanStore, producer: EventProducer) -> int:
    """Publish waiting rows and delete them; the commit follows when the broker has them for good."""
    async with store.pool.acquire() as connection, connection.transaction():
        # Nobody waits for the disk: should the server crash meanwhile, the same rows are published again.
        await connection.execute("SET LOCAL synchronous_commit = off")
        rows = await connection.fetch(load_sql("ingest", "take_outbox"), _ROWS_MAX)
        if not rows:
            return 0
        results = await producer.send_many(
            [
                (row["topic"], row["key"], row["payload"], row["partition"])
                for row in sorted(rows, key=itemgetter("outbox_id"))
            ]
        )
        for result in results:
            if isinstance(result, Exception):
                raise result
        metrics.RELAYED.inc(len(rows))
        return len(rows)


async def run_relay(store: PostgresLoanStore, producer: EventProducer, wake: asyncio.Event) -> None:
    """Relay soon after a batch has committed, and once a second for what others left behind."""
    while True:
        wake.clear()
        while await relay_some(store, producer) == _ROWS_MAX:
            pass
        await asyncio.sleep(_REST_S)
        try:
            await asyncio.wait_for(wake.wait(), timeout=1)
        except TimeoutError:
            continue
