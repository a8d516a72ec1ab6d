"""One batch of events, top to bottom: what is decided, in the order in which it happens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import numpy as np

from ingest.cache import LoanCache
from ingest.choosing import Arrivals, arrange, batch_of, choose
from ingest.entries import Entry
from ingest.folding import Directory, Subject, change
from ingest.locked import Locked, LockedColumns, row_of
from ingest.plain import PlainChanges, fold_plain
from ingest.records import (
    BatchOutcome,
    Book,
    ChangedLoan,
    Content,
    Identity,
    LedgerRow,
    LoanRef,
    Record,
    Rejection,
    Remembered,
    Tally,
)
from ingest.replaying import replay, replayable, replays_of
from ingest.rows import stored_loan
from ingest.segments import Claimed, Segment
from ingest.sorting_out import Taken, sort_out
from loanbook.domain.events import LoanEvent
from loanbook.domain.plain import Flags
from loanbook.kafka.batches import Partition
from loanbook.wire import ReceivedReference


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

    async def lock_loans(self, taken: Taken) -> LockedColumns:
        """Insert missing loans, then lock all in key order."""

    async def known(self, rows: Sequence[LedgerRow]) -> dict[Identity, Content]:
        """What the ledger holds of these already."""

    async def append(self, taken: Taken, chosen: Flags) -> bool:
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

    async def prepare(self, segments: Sequence[Segment]) -> None:
        """Make keys for names not met before, in a transaction of their own."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open one transaction; leaving it commits."""


async def record_batch(segments: Sequence[Segment], store: LoanStore, cache: LoanCache) -> BatchOutcome:
    """Apply a batch of events to their loans, each once, in one transaction."""
    await store.prepare(segments)
    async with store.transaction() as unit:
        claimed = await unit.claim(segments)
        taken, others, dead = sort_out(claimed.segments, unit.books, unit.directory)
        arrivals = arrange(taken, await unit.lock_loans(taken))
        chosen, known = await append_plain(unit, arrivals)
        remembered = await unit.remember(arrivals.but(chosen), known)
        locked = arrivals.locked_but(chosen)
        plain, rest = await replay_some(unit, locked, remembered.fresh)
        changes = await fold_changed(unit, locked, rest, cache)
        if chosen.any():
            plain.append(fold_plain(batch_of(arrivals, chosen), unit.directory))
        await unit.save(changes, rest, plain)
        await unit.refer([r.value for r in others if isinstance(r.value, ReceivedReference)])
        dead += [(row.record, Rejection("id was used before with other content", "id"))
                 for row in remembered.conflicts]  # fmt: skip
        await unit.bury(dead)
        counts = tallies(claimed.segments, taken.counts(chosen), remembered, others, dead)
        await unit.advance(claimed.segments, counts)
    cache.keep(changes)
    return BatchOutcome(
        applied=sum(count.taken for count in counts.values()),
        duplicates=len(remembered.duplicates),
        conflicts=len(remembered.conflicts),
        dead=len(dead),
        dead_by_partition=Counter(record.partition for record, _ in dead),
        loans=len(changes) + sum(len(part.before) for part in plain),
        refused=claimed.refused,
    )


async def append_plain(unit: Unit, arrivals: Arrivals) -> tuple[Flags, dict[Identity, Content]]:
    """Write the payments that take the short cut; gives which, and what is known of their loans' others."""
    known = await unit.known(arrivals.earlier)
    chosen = choose(arrivals, known)
    if not await unit.append(arrivals.taken, chosen):
        # One was known after all: told again under a later time, or, which the general way tells, another id.
        none = np.zeros_like(chosen)
        known = await unit.known(arrivals.but(none))
        chosen = choose(arrivals, known, doubted=True)
        if not await unit.append(arrivals.taken, chosen):
            return none, known
    return chosen, known | {row.identity: row.content for row in arrivals.beside(chosen)}


def tallies(
    segments: Iterable[Segment],
    appended: Counter[Partition],
    remembered: Remembered,
    others: Sequence[Record],
    dead: Sequence[tuple[Record, Rejection]],
) -> dict[Partition, Tally]:
    """What became of the records, by partition; each fate is counted by itself, so that sums can be held."""
    received: Counter[Partition] = Counter()
    for segment in segments:
        received[segment.partition] += len(segment.records)
    taken = appended + Counter(row.record.partition for row in remembered.fresh)
    duplicates = Counter(row.record.partition for row in remembered.duplicates)
    other = Counter(record.partition for record in others)
    died = Counter(record.partition for record, _ in dead)
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
    versions = {ref: loan.version for ref, loan in stored.items() if loan.version}
    kept = cache.find(versions)
    histories = await unit.histories(versions.keys() - kept.keys())
    changes = []
    for ref in sorted(by_loan):
        rows = by_loan[ref]
        loan_id, new = rows[0].event.loan_id, [row.event for row in rows]
        if ref in kept:
            older, before = kept[ref]
            known = [*older, *new]
        else:  # a loan's first events are all it has
            known, before = histories[ref] if ref in versions else new, None
        subject = Subject(ref=ref, loan_id=loan_id, stored=stored[ref], events=known, fresh=new)
        changes.append(change(subject, rows[0].book, before, unit.directory))
    return changes
