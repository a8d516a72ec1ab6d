"""The loans that wait for a score: a set, so that it never outgrows the book however many notices come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_CALM_S = 1.0  # without news: then loans of a new day are nobody's hindrance
_PART = 10  # of a transaction theirs is a tenth while there is news


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Loans to be scored together, and when the events behind them were committed."""

    loans: Mapping[int, int]  # their slices by their keys
    committed_at: tuple[datetime, ...]


@dataclass(slots=True)
class _Line:
    """Loans that wait by slice, in order of arrival; since when; when what was told of them was committed."""

    loans: dict[int, dict[int, None]] = field(default_factory=dict)
    since: dict[int, float] = field(default_factory=dict)
    told: dict[int, list[datetime]] = field(default_factory=dict)

    def add(self, slice_: int, keys: dict[int, None], committed_at: datetime | None) -> None:
        self.loans.setdefault(slice_, {}).update(keys)
        self.since.setdefault(slice_, time.monotonic())
        if committed_at is not None:
            self.told.setdefault(slice_, []).append(committed_at)

    def take(self, slice_: int, room: int) -> tuple[tuple[int, ...], Iterable[datetime]]:
        """Up to so many loans of a slice; they are told with the last of them."""
        waiting = tuple(self.loans.pop(slice_))
        if len(waiting) > room:
            self.loans[slice_] = dict.fromkeys(waiting[room:])
            return waiting[:room], ()
        del self.since[slice_]
        return waiting, self.told.pop(slice_, ())


class Backlog:
    """Collects loans by slice; hands out the slices that have waited longest, none twice at a time.

    Loans of events that have just come in go before those of a new day, which has many; while they come, the
    many go in small parts, since what has just come waits for a lane and for its slice. The first loan waits
    for others as long as `collect` says: a transaction costs as much as a hundred loans.
    """

    def __init__(self, collect: timedelta = timedelta(0)) -> None:
        self._collect_s = collect.total_seconds()
        self._first, self._later = _Line(), _Line()
        self._news_at = -_CALM_S
        self._busy: set[int] = set()
        self._changed = asyncio.Event()
        self._taking = asyncio.Lock()

    def __len__(self) -> int:
        return sum(len(keys) for line in (self._first, self._later) for keys in line.loans.values())

    def waiting(self, slice_: int) -> int:
        """How many loans of a slice wait."""
        return sum(len(line.loans.get(slice_, ())) for line in (self._first, self._later))

    def add(
        self,
        slice_: int,
        loan_keys: Iterable[int],
        committed_at: datetime | None = None,
        *,
        is_first: bool = False,
    ) -> None:
        """Remember loans; those that wait already in the same line wait once."""
        keys = dict.fromkeys(loan_keys)
        if not keys:
            return
        if is_first:
            self._news_at = time.monotonic()
        (self._first if is_first else self._later).add(slice_, keys, committed_at)
        self._changed.set()

    async def take(self, loans_max: int) -> Work:
        """Wait for loans and take some; `done` gives their slices free again."""
        async with self._taking:
            await self._until(lambda: self._free() > 0)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._collect_s - self._waited_s()):
                    await self._until(lambda: self._free() >= loans_max)
            return self._take(loans_max)

    def done(self, work: Work) -> None:
        """Let the slices be taken again."""
        self._busy.difference_update(work.loans.values())
        self._changed.set()

    def _take(self, loans_max: int) -> Work:
        few = -(-loans_max // _PART)
        loans, committed_at = self._from(self._first, max(1, loans_max - few))
        room = loans_max - len(loans)
        is_calm = time.monotonic() - self._news_at >= _CALM_S
        later, told = self._from(self._later, room if is_calm else min(room, few))
        # Should two slices ever have the same key, one of the loans is left to the sweep.
        loans |= later
        self._busy.update(loans.values())
        return Work(loans=loans, committed_at=(*committed_at, *told))

    def _from(self, line: _Line, room: int) -> tuple[dict[int, int], list[datetime]]:
        loans: dict[int, int] = {}
        committed_at: list[datetime] = []
        for slice_ in self._free_slices(line):
            if len(loans) == room:
                break
            taken, told = line.take(slice_, room - len(loans))
            loans |= dict.fromkeys(taken, slice_)
            committed_at += told
        return loans, committed_at

    def _free_slices(self, line: _Line) -> list[int]:
        return [slice_ for slice_ in line.loans if slice_ not in self._busy]

    def _free(self) -> int:
        lines = (self._first, self._later)
        return sum(len(line.loans[slice_]) for line in lines for slice_ in self._free_slices(line))

    def _waited_s(self) -> float:
        """How long the first of the free loans has waited."""
        lines = (self._first, self._later)
        since = min(line.since[slice_] for line in lines for slice_ in self._free_slices(line))
        return time.monotonic() - since

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._changed.clear()
            await self._changed.wait()
