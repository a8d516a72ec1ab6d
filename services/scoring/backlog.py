"""The loans that wait for a score: a set, so that it never outgrows the book however many notices come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Loans of one slice to be scored, and when the events behind them were committed."""

    slice: int
    loan_keys: tuple[int, ...]
    committed_at: tuple[datetime, ...]


class Backlog:
    """Collects loans by slice; hands out the slice that has waited longest, never one twice at a time."""

    def __init__(self) -> None:
        self._loans: dict[int, dict[int, None]] = {}  # in order of arrival
        self._committed_at: dict[int, list[datetime]] = {}
        self._busy: set[int] = set()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return sum(map(len, self._loans.values()))

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._loans and not self._busy

    def add(self, slice_: int, loan_keys: Iterable[int], committed_at: datetime | None = None) -> None:
        """Remember loans; those that wait already wait once."""
        keys = dict.fromkeys(loan_keys)
        if not keys:
            return
        self._loans.setdefault(slice_, {}).update(keys)
        if committed_at is not None:
            self._committed_at.setdefault(slice_, []).append(committed_at)
        self._wake.set()

    async def take(self, loans_max: int) -> Work:
        """Wait for loans and take some of one slice; `done` gives the slice free again."""
        while (slice_ := self._next()) is None:
            self._wake.clear()
            await self._wake.wait()
        self._busy.add(slice_)
        waiting = self._loans.pop(slice_)
        keys = tuple(waiting)[:loans_max]
        if len(waiting) > len(keys):
            self._loans[slice_] = dict.fromkeys(tuple(waiting)[loans_max:])
            return Work(slice=slice_, loan_keys=keys, committed_at=())  # told with the last of them
        return Work(slice=slice_, loan_keys=keys, committed_at=tuple(self._committed_at.pop(slice_, ())))

    def done(self, work: Work) -> None:
        """Let the slice be taken again."""
        self._busy.discard(work.slice)
        self._wake.set()

    def _next(self) -> int | None:
        return next((slice_ for slice_ in self._loans if slice_ not in self._busy), None)
