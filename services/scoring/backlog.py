"""The loans that wait for a score: a set, so that it never outgrows the book however many notices come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Loans to be scored together, and when the events behind them were committed."""

    loans: Mapping[int, int]  # their slices by their keys
    committed_at: tuple[datetime, ...]


class Backlog:
    """Collects loans by slice; hands out the slices that have waited longest, none twice at a time.

    The first loan waits for others as long as `collect` says: a transaction costs as much as a hundred loans.
    """

    def __init__(self, collect: timedelta = timedelta(0)) -> None:
        self._collect_s = collect.total_seconds()
        self._loans: dict[int, dict[int, None]] = {}  # in order of arrival
        self._committed_at: dict[int, list[datetime]] = {}
        self._busy: set[int] = set()
        self._changed = asyncio.Event()
        self._taking = asyncio.Lock()

    def __len__(self) -> int:
        return sum(map(len, self._loans.values()))

    def waiting(self, slice_: int) -> int:
        """How many loans of a slice wait."""
        return len(self._loans.get(slice_, ()))

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
        self._changed.set()

    async def take(self, loans_max: int) -> Work:
        """Wait for loans and take some; `done` gives their slices free again."""
        async with self._taking:
            await self._until(lambda: self._free() > 0)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._collect_s):
                    await self._until(lambda: self._free() >= loans_max)
            return self._take(loans_max)

    def done(self, work: Work) -> None:
        """Let the slices be taken again."""
        self._busy.difference_update(work.loans.values())
        self._changed.set()

    def _take(self, loans_max: int) -> Work:
        loans: dict[int, int] = {}
        committed_at: list[datetime] = []
        for slice_ in [slice_ for slice_ in self._loans if slice_ not in self._busy]:
            waiting = tuple(self._loans.pop(slice_))
            room = loans_max - len(loans)
            # Should two slices ever have the same key, one of the loans is left to the sweep.
            loans |= dict.fromkeys(waiting[:room], slice_)
            if len(waiting) > room:
                self._loans[slice_] = dict.fromkeys(waiting[room:])
            else:  # told with the last of them
                committed_at += self._committed_at.pop(slice_, ())
            if len(waiting) >= room:
                break
        self._busy.update(loans.values())
        return Work(loans=loans, committed_at=tuple(committed_at))

    def _free(self) -> int:
        return sum(len(keys) for slice_, keys in self._loans.items() if slice_ not in self._busy)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._changed.clear()
            await self._changed.wait()
