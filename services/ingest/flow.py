"""One batch of events, top to bottom: what is decided, in the order in which it happens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from ingest.cache import LoanCache
from ingest.choosing import Arrivals, arrange, choose, choose_none
from ingest.entries import Entry
from ingest.folding import Directory, Subject, change
from ingest.locked import Locked, row_of
from ingest.plain import PlainBatch, PlainChanges, fold_plain
from ingest.records import (
    BatchOutcome,
    Book,
    ChangedLoan,
    Claimed,
    Content,
    Identity,
    LedgerRow,
    LoanRef,
    Record,
    Rejection,
    Remembered,
    Segment,
    Tally,
)
from ingest.replaying import replay, replayable, replays_of
from ingest.rows import stored_loan
from ingest.sorting_out import sort_out
from loanbook.domain.events import LoanEvent
from loanbook.kafka.batches import Partition
from loanbook.wire import ReceivedDayClosed, ReceivedReference

_OTHER = (ReceivedDayClosed, ReceivedReference)  # records that are no events of a loan


class Unit(Protocol):
    """One transaction; what it locks it locks in the order of these methods."""

    @property
    def books(self) -> Mapping[str, Book]:
        """The books by name, read under their locks by `claim`."""

    @property
    def directory(self) -> Directory:
        """Names to keys, complete for the batch."""

    async def claim(self, segments: Sequence[Segment]) -> Claimed:
        """Lock the books (shared) and the positions; trim, and refuse gaps."""

    async def lock_loans(self, rows: Sequence[LedgerRow]) -> dict[LoanRef, Locked]:
        """Insert missing loans, then lock all in key order."""

    async def known(self, rows: Sequence[LedgerRow]) -> dict[Identity, Content]:
        """What the ledger holds of these already."""

    async def append(self, batch: PlainBatch) -> bool:
        """Write payments believed to be new; False, and nothing written, when one was known."""

    async def remember(self, rows: Sequence[LedgerRow], known: Mapping[Identity, Content]) -> Remembered:
        """Write the ledger rows that are new; `known` are there."""

    async def entries(self, refs: Iterable[LoanRef]) -> Mapping[LoanRef, Sequence[Entry]]:
        """What the ledger holds of these loans, the fresh events included, without decoding it."""

    async def histories(self, refs: Iterable[LoanRef]) -> dict[LoanRef, list[LoanEvent]]:
        """All events of these loans, the fresh ones included."""

    async def save(
        self, changes: Sequence[ChangedLoan], fresh: Sequence[LedgerRow], plain: Sequence[PlainChanges] = ()
    ) -> None:
        """Write states, plans, roll-up differences and the notice."""

    async def refer(self, references: Sequence[ReceivedReference]) -> None:
        """Write borrowers' and branches' attributes, the latest of each."""

    async def bury(self, dead: Sequence[tuple[Record, Rejection]]) -> None:
        """Write dead letters with their original bytes."""

    async def advance(self, segments: Sequence[Segment], tallies: Mapping[Partition, Tally]) -> None:
        """Move the positions with their counters, and note the day barriers reached."""


class LoanStore(Protocol):
    """Where loans and positions are kept."""

    async def prepare(self, records: Iterable[Record]) -> None:
        """Make keys for names not met before, in a transaction of their own."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open one transaction; leaving it commits."""


async def record_batch(segments: Sequence[Segment], store: LoanStore, cache: LoanCache) -> BatchOutcome:
    """Apply a batch of events to their loans, each once, in one transaction."""
    await store.prepare(record for segment in segments for record in segment.records)
    async with store.transaction() as unit:
        claimed = await unit.claim(segments)
        records = [record for segment in claimed.segments for record in segment.records]
        taken, dead = sort_out(records, unit.books, unit.directory)
        locked = await unit.lock_loans(taken.rows)
        arrivals = arrange(taken, locked)
        batch, others, known = await append_plain(unit, arrivals)
        remembered = await unit.remember(others, known)
        plain, rest = await replay_some(unit, locked, remembered.fresh)
        changes = await fold_changed(unit, locked, rest, cache)
        if batch.rows:
            plain.append(fold_plain(batch, unit.directory))
        await unit.save(changes, rest, plain)
        await unit.refer([r.value for r in records if isinstance(r.value, ReceivedReference)])
        dead += [(row.record, Rejection("id was used before with other content", "id"))
                 for row in remembered.conflicts]  # fmt: skip
        await unit.bury(dead)
        remembered.fresh.extend(batch.rows)
        await unit.advance(claimed.segments, tallies(claimed.segments, remembered, dead))
    cache.keep(changes)
    return BatchOutcome(
        applied=len(remembered.fresh),
        duplicates=len(remembered.duplicates),
        conflicts=len(remembered.conflicts),
        dead=len(dead),
        dead_by_partition=Counter(record.partition for record, _ in dead),
        loans=len(changes) + sum(len(part.before) for part in plain),
        refused=claimed.refused,
    )


async def append_plain(
    unit: Unit, arrivals: Arrivals
) -> tuple[PlainBatch, list[LedgerRow], dict[Identity, Content]]:
    """Write the payments that take the short cut; gives them, all others, and what is known of these."""
    known = await unit.known(arrivals.earlier)
    batch, others = choose(arrivals, known)
    if not await unit.append(batch):
        # One was known after all: told again under a later time, or, which the general way tells, another id.
        known = await unit.known(arrivals.rows)
        batch, others = choose(arrivals, known, doubted=True)
        if not await unit.append(batch):
            return *choose_none(arrivals), known
    return batch, others, known | {row.identity: row.content for row in batch.of_loans_of(others)}


def tallies(
    segments: Iterable[Segment], remembered: Remembered, dead: Sequence[tuple[Record, Rejection]]
) -> dict[Partition, Tally]:
    """What became of the records, by partition; each fate is counted by itself, so that sums can be held."""
    received: Counter[Partition] = Counter()
    other: Counter[Partition] = Counter()
    for segment in segments:
        received[segment.partition] += len(segment.records)
        other[segment.partition] += sum(isinstance(record.value, _OTHER) for record in segment.records)
    other.subtract(record.partition for record, _ in dead if isinstance(record.value, _OTHER))
    taken = _by_partition(row.record for row in remembered.fresh)
    duplicates = _by_partition(row.record for row in remembered.duplicates)
    died = _by_partition(record for record, _ in dead)
    return {
        p: Tally(received=count, taken=taken[p], duplicates=duplicates[p], dead=died[p], other=other[p])
        for p, count in received.items()
    }


async def replay_some(
    unit: Unit, locked: Mapping[LoanRef, Locked], fresh: list[LedgerRow]
) -> tuple[list[PlainChanges], list[LedgerRow]]:
    """Play the payments of plain loans again where that is enough; gives the events that are left."""
    wanted = replayable(fresh, locked, unit.directory)
    if not wanted:
        return [], fresh
    replays = replays_of(wanted, locked, await unit.entries(wanted), unit.directory)
    played, done = replay(replays, unit.directory)
    return [played] if played else [], [row for row in fresh if row.ref not in done]


async def fold_changed(
    unit: Unit, locked: Mapping[LoanRef, Locked], fresh: Sequence[LedgerRow], cache: LoanCache
) -> list[ChangedLoan]:
    """Fold every loan that has a new event, from the cache where it is current, else from the ledger."""
    by_loan: dict[LoanRef, list[LedgerRow]] = defaultdict(list)
    for row in fresh:
        by_loan[row.ref].append(row)
    stored = {ref: stored_loan(row_of(locked[ref])) for ref in by_loan}
    cold = [ref for ref, loan in stored.items() if loan.version and not cache.holds(ref, loan.version)]
    histories = await unit.histories(cold)
    changes = []
    for ref in sorted(by_loan):
        rows = by_loan[ref]
        loan_id, new = rows[0].event.loan_id, [row.event for row in rows]
        if not stored[ref].version:
            known, before = new, None  # a loan's first events are all it has
        elif ref in histories:
            known, before = histories[ref], None
        else:
            kept, before = cache.get(ref)
            known = [*kept, *new]
        subject = Subject(ref=ref, loan_id=loan_id, stored=stored[ref], events=known, fresh=new)
        changes.append(change(subject, rows[0].book, before, unit.directory))
    return changes


def _by_partition(records: Iterable[Record]) -> Counter[Partition]:
    # They stand together by partition: a comparison of one object with itself is cheaper than a hash.
    counts: Counter[Partition] = Counter()
    for partition, group in groupby(records, attrgetter("partition")):
        counts[partition] += sum(1 for _ in group)
    return counts
