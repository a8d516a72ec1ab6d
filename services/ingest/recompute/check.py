"""Verification of a book in one snapshot: states, plans, histories and roll-ups against the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ingest.recompute.days import loan_day_differences
from ingest.recompute.holding import (
    FIRST_KEY,
    Difference,
    HeldLoan,
    differences_of,
    hold,
    recompute,
)
from ingest.recompute.naive import naive_differences
from ingest.recompute.rollups import (
    Cash,
    Names,
    add_cash,
    book_day_differences,
    book_now_differences,
    cash_differences,
    closed_days,
)
from ingest.records import Book, LoanRef
from ingest.transaction import PostgresUnit
from loanbook.postgres.load_sql import load_sql
from loanbook.topics import SLICES

_KEPT = 1_000  # differences kept by name; all are counted
_CHUNK = 500
_DAYS_BACK = (1, 7, 30)  # closes to look at beside the running day


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a book is looked at: a sample of loans from a place drawn by chance, or every loan."""

    sample: int | None = 1_000  # None: every loan, and the sums that only all loans give
    place: int = 0


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the verification of one book, or of the streams, found."""

    book: Book | None
    loans: int = 0
    quarantined: int = 0
    restating: int = 0  # loans whose past is about to be told anew: it is not compared
    rolling: int = 0  # loans that wait for the sweep: compared at the day they were folded for
    differences: int = 0
    by_table: Counter[str] = field(default_factory=Counter)
    kept: list[Difference] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def add(self, found: Iterable[Difference]) -> None:
        """Count differences, and keep the first by name."""
        for difference in found:
            self.differences += 1
            self.by_table[difference.table] += 1
            if len(self.kept) < _KEPT:
                self.kept.append(difference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What is under way in a book while it is looked at."""

    restating: frozenset[LoanRef]
    sweeping: frozenset[int]

    def day_of(self, held: HeldLoan) -> date:
        """The day to fold a loan at: the book's, but for loans that the sweep has still to bring there."""
        row, running = held.row, held.book.business_on
        boundary = row["next_boundary_on"]
        waits = held.ref.slice in self.sweeping and boundary is not None and boundary <= running
        return row["as_of"] if waits and row["as_of"] < running else running


async def verify_book(unit: PostgresUnit, book: Book, extent: Extent) -> Findings:
    """Compare everything the tables hold of a book with what its ledger says."""
    check = _BookCheck(
        unit=unit,
        book=book,
        extent=extent,
        names=await Names.load(unit.connection),
        unsettled=await _unsettled(unit, book),
        closed=await closed_days(unit.connection, book),
        findings=Findings(book=book),
    )
    if extent.sample is None:
        check.findings.add(await _orphans(unit, book))
    await check.verify()
    return check.findings


async def verify_streams(unit: PostgresUnit) -> Findings:
    """Hold the counters of the positions to each other and to the tables."""
    findings = Findings(book=None)
    rows = await unit.connection.fetch(load_sql("ingest", "count_records"))
    events = await unit.connection.fetch(load_sql("ingest", "count_events"))
    unapplied = await unit.connection.fetchrow(load_sql("ingest", "count_unapplied"))
    taken: Counter[int] = Counter()
    for row in rows:
        key = f"{row['topic']}-{row['partition']}"
        parts = row["taken"] + row["duplicates"] + row["dead"] + row["other"]
        taken[row["partition"]] += row["taken"]
        findings.add(_unequal("stream_position", key, "received", row["received"], parts))
        findings.add(_unequal("dead_letter", key, "count", row["dead_letters"], row["dead"]))
    for number, count in (dict.fromkeys(taken, 0) | {r["partition"]: r["events"] for r in events}).items():
        findings.add(_unequal("stream_position", f"partition {number}", "taken", taken[number], count))
    findings.add(_unequal("unapplied", "all", "count", unapplied["listed"], unapplied["stated"]))
    named = ("received", "duplicates", "dead", "other")
    findings.totals = {name: sum(row[name] for row in rows) for name in named}
    findings.totals["unapplied"] = unapplied["stated"]
    findings.totals["applied"] = sum(taken.values()) - unapplied["stated"]
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _BookCheck:
    """One pass over a book's loans that serves all comparisons."""

    unit: PostgresUnit
    book: Book
    extent: Extent
    names: Names
    unsettled: Unsettled
    closed: Sequence[date]
    findings: Findings

    async def verify(self) -> None:
        """The loans, and the roll-ups over them."""
        connection, every_loan = self.unit.connection, self.extent.sample is None
        looked_at = [self.book.business_on - timedelta(days=back) for back in _DAYS_BACK]
        days = sorted(set(looked_at) & set(self.closed))
        cash: Cash = {}
        for number in range(SLICES):
            async for refs in _chunks(self.unit, self.book, self.extent, number):
                await self._verify_loans(refs, days, cash)
        cells = await book_now_differences(connection, self.book)
        sums = self.closed if every_loan else days
        cells += await book_day_differences(connection, self.book, sums)
        if every_loan:
            cells += await cash_differences(connection, self.book, cash)
        for cell in cells:
            self.findings.add(self.names.differences(cell))

    async def _verify_loans(self, refs: Sequence[LoanRef], days: Sequence[date], cash: Cash) -> None:
        unit, findings = self.unit, self.findings
        held = await hold(unit, self.book, refs)
        for loan in held:
            on = self.unsettled.day_of(loan)
            recomputed = recompute(loan, on, unit.directory)
            found = differences_of(loan, recomputed, unit.directory)
            named = {difference.column for difference in found}
            naive = naive_differences(loan, on, unit.directory)
            findings.add(found + [difference for difference in naive if difference.column not in named])
            add_cash(cash, recomputed, unit.directory)
            findings.quarantined += recomputed.quarantine is not None
            findings.rolling += on != self.book.business_on
        past = [loan for loan in held if loan.ref not in self.unsettled.restating]
        findings.add(await loan_day_differences(unit, past, days))
        findings.loans += len(held)
        findings.restating += len(held) - len(past)


async def _chunks(
    unit: PostgresUnit, book: Book, extent: Extent, number: int
) -> AsyncIterator[list[LoanRef]]:
    if extent.sample is not None:
        sql = load_sql("ingest", "select_loan_sample")
        each = -(-extent.sample // SLICES)
        rows = await unit.connection.fetch(sql, book.book_key, number, extent.place, each)
        refs = [LoanRef(*row) for row in rows]
        for start in range(0, len(refs), _CHUNK):
            yield refs[start : start + _CHUNK]
        return
    last = FIRST_KEY
    sql = load_sql("ingest", "select_loan_chunk")
    while rows := await unit.connection.fetch(sql, book.book_key, number, last, _CHUNK):
        last = rows[-1]["loan_key"]
        yield [LoanRef(*row) for row in rows]


async def _unsettled(unit: PostgresUnit, book: Book) -> Unsettled:
    rows = await unit.connection.fetch(load_sql("ingest", "select_unsettled"), book.book_key)
    return Unsettled(
        restating=frozenset(LoanRef(*row) for row in rows if row["loan_key"] is not None),
        sweeping=frozenset(row["slice"] for row in rows if row["loan_key"] is None),
    )


async def _orphans(unit: PostgresUnit, book: Book) -> list[Difference]:
    rows = await unit.connection.fetch(load_sql("ingest", "select_orphans"), book.book_key)
    return [
        Difference(row["missing"], row["loan_id"] or f"key {row['loan_key']}", "row", None, "there")
        for row in rows
    ]


def _unequal(table: str, key: str, column: str, stored: int, recomputed: int) -> list[Difference]:
    return [Difference(table, key, column, stored, recomputed)] if stored != recomputed else []
