"""Holds upstream's statements about loans against our own fold, a few seconds' worth at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

import structlog

from analytics_api.flow.reconciling import Comparison, compare
from analytics_api.store import PostgresMartStore, Row

log = structlog.get_logger()
_WHOLE_EVERY = timedelta(
    days=1
)  # then every statement is looked for and compared again, whatever was noticed
_A_TIME = 200  # statements, whose ledgers are held at once
_COMPARE_FOR_S = 5.0  # in one refresh; what is left waits for the next and is shown as waiting


class StatementWatch:
    """Remembers up to when it has looked; a new one looks at everything."""

    def __init__(self, store: PostgresMartStore) -> None:
        self._store = store
        self._looked_at: datetime | None = None  # by the database's clock
        self._whole_at: datetime | None = None

    async def keep(self, clock: Callable[[], datetime]) -> int:
        """Note new statements, compare those that wait; gives how many. Raises StoreAwayError."""
        since = self._looked_at
        if since is None or self._whole_at is None or since - self._whole_at >= _WHOLE_EVERY:
            since = None
        now = await self._store.take_statements(since)
        if now is None:
            return 0
        self._looked_at = now
        self._whole_at = now if since is None else self._whole_at
        return await self._compare_waiting(clock)

    async def _compare_waiting(self, clock: Callable[[], datetime]) -> int:
        compared, until = 0, time.monotonic() + _COMPARE_FOR_S
        while time.monotonic() < until:
            rows = await self._store.fetch_statements(clock() - _WHOLE_EVERY, _A_TIME)
            if not rows:
                break
            await self._store.save_comparisons(clock(), await self._compared(rows))
            compared += len(rows)
        return compared

    async def _compared(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        ledgers = await self._store.fetch_ledgers([(row["slice"], row["loan_key"]) for row in rows])
        authorities = {
            key: await self._store.fetch_authorities(key) for key in {row["book_key"] for row in rows}
        }
        return [
            _kept(
                row,
                _compared_alone(row, ledgers[row["slice"], row["loan_key"]], authorities[row["book_key"]]),
            )
            for row in rows
        ]


def _compared_alone(row: Row, ledger: list[Row], authorities: dict[int, int]) -> Comparison:
    try:
        return compare(row, ledger, authorities)
    except Exception as error:  # noqa: BLE001 - one loan's fault must not stop the others; it is shown as drift
        log.warning(
            "statement_not_compared", loan_id=row["loan_id"], error=f"{type(error).__name__}: {error}"
        )
        return Comparison.failed()


def _kept(row: Row, found: Comparison) -> tuple[Any, ...]:
    identity = (row["slice"], row["loan_key"], row["event_id"])
    return (*identity, *astuple(found.stated), *astuple(found.ours), ",".join(found.differs_in))
