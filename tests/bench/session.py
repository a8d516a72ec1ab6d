"""One run of the suite: the parts, the book, and the same traffic for everything that is compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tests.bench.book import BookSpec, Loan, LoggedEvent, loans_of
from tests.bench.log import fill
from tests.bench.parts import Parts
from tests.bench.preparing import prepare
from tests.bench.report import Report
from tests.bench.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Traffic that stands in the topic."""

    first: tuple[int, ...]  # of each partition: where it begins
    last: tuple[int, ...]  # and ends
    content: list[LoggedEvent] = field(repr=False)
    distinct: int
    paid_minor: int  # what all loans together have paid once it is applied

    @property
    def events(self) -> int:
        """How many events, the duplicates among them."""
        return len(self.content)


@dataclass(kw_only=True)
class Session:
    """What all sections share."""

    parts: Parts
    spec: BookSpec
    events: int
    runs: int
    report: Report
    folder: Path  # where profiles are kept
    _filled: Filled | None = field(default=None, repr=False)

    @cached_property
    def loans(self) -> list[Loan]:
        """The loans of the book."""
        return list(loans_of(self.spec))

    def traffic(self) -> Traffic:
        """Traffic from its beginning."""
        return Traffic(self.loans, self.spec.seed)

    async def template(self, *, one_due_date: bool = False) -> str:
        """The prepared database of the book."""
        spec = BookSpec(loans=self.spec.loans, seed=self.spec.seed, one_due_date=one_due_date)
        return await prepare(self.parts, spec)

    async def filled(self) -> Filled:
        """The traffic that all rates are taken with, at the end of the topic: a worker reads nothing else."""
        if self._filled is None:
            self._filled = await self.put(self.traffic(), self.events)
        elif list(self._filled.last) != await self.parts.log_ends():
            self._filled = await self.filled_again()
        return self._filled

    async def filled_again(self) -> Filled:
        """The same traffic once more, behind what is in the topic."""
        if self._filled is None:
            return await self.filled()
        first = await self.parts.log_ends()
        await fill(self.parts.servers, self._filled.content)
        return replace(self._filled, first=tuple(first), last=tuple(await self.parts.log_ends()))

    def of_size(self, loans: int) -> Session:
        """The same with another number of loans."""
        return Session(
            parts=self.parts,
            spec=replace(self.spec, loans=loans),
            events=self.events,
            runs=self.runs,
            report=self.report,
            folder=self.folder,
        )

    async def put(self, traffic: Traffic, count: int) -> Filled:
        """Put the next events of this traffic into the topic."""
        first, earlier = await self.parts.log_ends(), traffic.distinct
        events = traffic.take(count)
        await fill(self.parts.servers, events)
        return Filled(
            first=tuple(first),
            last=tuple(await self.parts.log_ends()),
            content=events,
            distinct=traffic.distinct - earlier,
            paid_minor=traffic.paid_minor,
        )
