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

EVENTS_A_LOAN = 10  # at most in a day, or loans would be paid off


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Some traffic and what it must come to."""

    events: list[LoggedEvent] = field(repr=False)
    distinct: int
    paid_minor: int  # what all loans together have paid once it is applied
    posted_minor: int  # what its own payments say, each counted once, the reversed ones too


@dataclass(kw_only=True)
class Session:
    """What all sections share."""

    parts: Parts
    spec: BookSpec
    events: int
    runs: int
    report: Report
    folder: Path  # where profiles are kept

    @cached_property
    def loans(self) -> list[Loan]:
        """The loans of the book."""
        return list(loans_of(self.spec))

    @property
    def content(self) -> Content:
        """The traffic that all rates are taken with."""
        return self.contents[0]

    @cached_property
    def contents(self) -> list[Content]:
        """The same, and what comes after it."""
        traffic = self.traffic()
        return [self.draw(traffic, self.events) for _ in range(2)]

    def traffic(self) -> Traffic:
        """Traffic from its beginning."""
        return Traffic(self.loans, self.spec.seed)

    def draw(self, traffic: Traffic, count: int) -> Content:
        """The next events of this traffic."""
        distinct, posted = traffic.distinct, traffic.posted_minor
        events = traffic.take(count)
        return Content(
            events=events,
            distinct=traffic.distinct - distinct,
            paid_minor=traffic.paid_minor,
            posted_minor=traffic.posted_minor - posted,
        )

    async def template(self, *, one_due_date: bool = False) -> str:
        """The prepared database of the book."""
        return await prepare(self.parts, replace(self.spec, one_due_date=one_due_date))

    async def forget(self, *, one_due_date: bool) -> None:
        """Drop a prepared database."""
        await self.parts.drop(await self.template(one_due_date=one_due_date))

    async def copied(self, *, one_due_date: bool = False) -> str:
        """The address of a fresh copy of the book whose workers begin at the log's end."""
        template = await self.template(one_due_date=one_due_date)
        return await self.parts.copy_database(template, await self.parts.log_ends())

    async def put(self, content: Content) -> list[int]:
        """Write traffic into the topic; returns where each partition's part begins."""
        first = await self.parts.log_ends()
        await fill(self.parts.servers, content.events)
        return first

    def of_size(self, loans: int) -> Session:
        """The same with another number of loans; itself with its own."""
        if loans == self.spec.loans:
            return self
        return Session(
            parts=self.parts,
            spec=replace(self.spec, loans=loans),
            events=min(self.events, EVENTS_A_LOAN * loans),
            runs=self.runs,
            report=self.report,
            folder=self.folder,
        )
