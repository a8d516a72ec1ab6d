"""The merge behind the live roll-ups: what batches appended is added to the cells, beside the stream.

A merge moves differences within one transaction, so that the sums over a roll-up stay what they are at any
moment. It waits for nobody: batches only append, the flip only reads. One merge of a roll-up runs at a time.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ingest.appending import ROLLUPS, Rollup
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection, Pool

_MERGE_LOCK = 7206  # class of the advisory locks on roll-ups
_LOOK_S = 0.5


class RollupMerge:
    """Merges a roll-up when many differences wait, and after a while whatever there is."""

    def __init__(self, pool: Pool, *, rows_max: int, every: timedelta) -> None:
        self._pool = pool
        self._rows_max = rows_max
        self._every_s = every.total_seconds()
        self._merged_at = dict.fromkeys(ROLLUPS, 0.0)

    async def run(self) -> None:
        """Merge whenever there is reason to."""
        while True:
            await self.step(asyncio.get_running_loop().time())
            await asyncio.sleep(_LOOK_S)

    async def step(self, now_s: float) -> None:
        """Merge what is due at this time of a clock that only goes forward."""
        async with self._pool.acquire() as connection:
            waiting = await connection.fetchrow(load_sql("ingest", "count_unmerged"))
            for rollup in ROLLUPS:
                is_old = now_s - self._merged_at[rollup] >= self._every_s
                if waiting[rollup.name] >= (1 if is_old else self._rows_max * rollup.patience):
                    await _merge(connection, rollup)
                    self._merged_at[rollup] = now_s


async def merge_rollups(pool: Pool) -> None:
    """Merge whatever was appended to any roll-up."""
    async with pool.acquire() as connection:
        for rollup in ROLLUPS:
            await _merge(connection, rollup)


async def give_room_back(pool: Pool) -> None:
    """Cut off the empty ends of what is not merged: a long look at the book kept it from being cleaned."""
    async with pool.acquire() as connection:
        for rollup in ROLLUPS:
            await connection.execute(f"VACUUM (TRUNCATE) core.{rollup.name}_unmerged")


async def _merge(connection: Connection, rollup: Rollup) -> None:
    # Frees what the merge before this one has left; what this one leaves may still be seen by others.
    await connection.execute(f"VACUUM core.{rollup.name}_unmerged")
    async with connection.transaction():
        number = ROLLUPS.index(rollup)
        if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", _MERGE_LOCK, number):
            await connection.execute(load_sql("ingest", f"merge_{rollup.name}"))
