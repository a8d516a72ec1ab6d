"""The transaction of one batch: what it locks it locks in the order of these methods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from typing import Any

import msgspec
import numpy as np

from ingest.directory import PostgresDirectory
from ingest.entries import Entry
from ingest.errors import KeyCollisionError
from ingest.ledger import append_events, contents_of, remember_events
from ingest.locked import NO_TERMS, NUMBERS, PLACES, Ints, Locked, LockedColumns, Terms, late_of, named_ids_of
from ingest.numbering import Said, names_in, said_in
from ingest.plain import PlainChanges
from ingest.plain_ledger import LEDGER_COLUMNS, ledger_rows
from ingest.records import (
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
    fingerprint_of,
    reference_fault,
)
from ingest.saving import save_changes
from ingest.segments import Claimed, Segment, trim
from ingest.sorting_out import Taken
from ingest.terms import TermsCache
from loanbook.domain.events import BorrowerProfile, LoanEvent
from loanbook.domain.plain import Flags
from loanbook.kafka.batches import Partition
from loanbook.postgres.ledger import event_from_row
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.postgres.sent_arrays import sent_columns
from loanbook.topics import DEAD_LETTERS, SLICES
from loanbook.wire import ReceivedReference

_BOOK = ("book_key", "book", "business_on", "settings_version")
BOOK_LOCK = 7205  # class of the advisory locks on books: shared by batches, exclusive for the flip


class PostgresUnit:
    """One transaction on the loan book."""

    def __init__(
        self,
        connection: Connection,
        directory: PostgresDirectory,
        cluster_id: str,
        terms: TermsCache | None = None,
    ) -> None:
        self.connection = connection
        self._cluster_id = cluster_id
        self._terms = terms or TermsCache(0)
        self.directory = directory
        self.books: Mapping[str, Book] = {}

    async def claim(self, segments: Sequence[Segment]) -> Claimed:
        """Lock the books (shared) and the positions; trim what was applied, and refuse gaps."""
        partitions = sorted({(s.partition.topic, s.partition.partition) for s in segments})
        topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
        rows = await self._fetch("claim_positions", BOOK_LOCK, self._cluster_id, topics, numbers)
        await self._know_books([row for row in rows if row["book"] is not None])
        next_offsets = {
            Partition(row["topic"], row["partition"]): row["next_offset"]
            for row in rows
            if row["book"] is None
        }
        return trim(segments, next_offsets)

    async def lock_books(self) -> None:
        """Keep days from flipping and settings from changing until this transaction ends, and read them."""
        await self._know_books(await self._fetch("share_books", BOOK_LOCK))

    async def _know_books(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.books = {row["book"]: Book(**{name: row[name] for name in _BOOK}) for row in rows}
        if self.directory.is_behind(self.books.values()):
            await self.directory.load(self.connection)

    async def lock_loans(self, taken: Taken) -> LockedColumns:
        """Insert missing loans, then lock all in key order."""
        numbers = taken.numbers[taken.first]
        slices, keys = numbers["slice"], numbers["loan_key"]
        locked = await self._lock(slices, keys)
        if len(locked) < len(keys):
            missing = ~np.isin(keys, locked["loan_key"])
            rows = taken.rows(taken.first[missing])
            await self._execute(
                "insert_loans",
                *_ref_columns([row.ref for row in rows]),
                [row.book.book_key for row in rows],
                [row.event.loan_id for row in rows],
                [row.book.business_on for row in rows],
            )
            locked = locked.merged(await self._lock(slices[missing], keys[missing]))
        kept, said = [terms.loan_id for terms in locked.terms], taken.loan_ids()
        if kept != said:
            key, one, other = next(row for row in zip(keys, kept, said, strict=True) if row[1] != row[2])
            raise KeyCollisionError(f"loans {one!r} and {other!r} share the key {key}")
        return locked

    async def lock(self, refs: Iterable[LoanRef]) -> dict[LoanRef, Locked]:
        """Lock the states of loans in key order; one that is not there is left out."""
        slices, keys = np.array(sorted(refs), np.int64).reshape(-1, 2).T
        locked = await self._lock(slices, keys)
        return {LoanRef(*ref): locked.row(place) for place, ref in enumerate(locked.refs())}

    async def _lock(self, slices: Ints, keys: Ints) -> LockedColumns:
        parts = await self._fetch("lock_loans", slices.tolist(), keys.tolist())
        parts = [part for part in parts if part["numbers"]]
        if not parts:
            return LockedColumns.of([])
        numbers = sent_columns(b"".join([part["numbers"] for part in parts]), len(NUMBERS))
        refs = [numbers[PLACES[name]].tolist() for name in ("slice", "loan_key")]
        terms = await self._terms_of(refs[0], refs[1], numbers[PLACES["terms_version"]].tolist())
        named = named_ids_of(parts)
        locked = LockedColumns(
            terms=terms,
            numbers=numbers,
            late=late_of(b"".join([part["days_late"] for part in parts]), numbers[PLACES["met"]]),
            named_ids=[named.get(ref) for ref in zip(*refs, strict=True)],
        )
        there = [place for place, known in enumerate(terms) if known is not NO_TERMS]
        return locked if len(there) == len(terms) else locked.take(np.array(there, np.int64))

    async def _terms_of(
        self, slices: Sequence[int], keys: Sequence[int], versions: Sequence[int]
    ) -> list[Terms]:
        """The terms of locked loans as of these versions; NO_TERMS where there is no loan to a state."""
        found = self._terms.find(keys, versions)
        cold = [place for place, terms in enumerate(found) if terms is NO_TERMS]
        if cold:
            wanted = [slices[place] for place in cold], [keys[place] for place in cold]
            rows = await self._fetch("select_terms", *wanted)
            read = {loan_key: Terms(*values) for loan_key, *values in rows}
            for place in cold:
                found[place] = read.get(keys[place], NO_TERMS)
            self._terms.keep((keys[p], versions[p], found[p]) for p in cold if keys[p] in read)
        return found

    async def known(self, rows: Sequence[LedgerRow]) -> dict[Identity, Content]:
        """What the ledger holds of these already."""
        return await contents_of(self.connection, rows)

    async def append(self, taken: Taken, chosen: Flags) -> bool:
        """Write payments believed to be new; False, and nothing written, when one was known."""
        if not chosen.any():
            return True
        return await append_events(
            self.connection, LEDGER_COLUMNS, ledger_rows(taken, np.flatnonzero(chosen))
        )

    async def remember(self, rows: Sequence[LedgerRow], known: Mapping[Identity, Content]) -> Remembered:
        """Write the ledger rows that are new; a further copy of a fact is kept and marked."""
        return await remember_events(self.connection, rows, known)

    async def entries(self, refs: Iterable[LoanRef]) -> dict[LoanRef, list[Entry]]:
        """What the ledger holds of these loans, the fresh events included, without decoding it."""
        found: dict[LoanRef, list[Entry]] = defaultdict(list)
        for row in await self._fetch("select_entries", *_ref_columns(sorted(refs))):
            found[LoanRef(row["slice"], row["loan_key"])].append(row)
        return found

    async def histories(self, refs: Iterable[LoanRef]) -> dict[LoanRef, list[LoanEvent]]:
        """All events of these loans, the fresh ones included."""
        found: dict[LoanRef, list[LoanEvent]] = defaultdict(list)
        wanted = sorted(refs)
        if not wanted:
            return found
        books = {book.book_key: book.book for book in self.books.values()}
        rows = await self._fetch("select_histories", *_ref_columns(wanted))
        if not {row["source_key"] for row in rows} <= self.directory.source_uris().keys():
            await self.directory.load(self.connection)  # another worker met the source first
        sources = self.directory.source_uris()
        for row in rows:
            event = event_from_row(row, books[row["book_key"]], row["loan_id"], sources[row["source_key"]])
            found[LoanRef(row["slice"], row["loan_key"])].append(event)
        events = [event for events in found.values() for event in events]
        if self.directory.missing(map(Said._make, said_in(events)), names_in(events)):
            await self.directory.load(self.connection)
        return found

    async def save(
        self, changes: Sequence[ChangedLoan], fresh: Sequence[LedgerRow], plain: Sequence[PlainChanges] = ()
    ) -> None:
        """Write states, plans, roll-up differences and the notices of what changed."""
        if changes or plain:
            books = {book.book_key: book for book in self.books.values()}
            await save_changes(self.connection, self.directory, books, changes, fresh, plain)

    async def refer(self, references: Sequence[ReceivedReference]) -> None:
        """Write borrowers' and branches' attributes, the latest of each."""
        borrowers: list[dict[str, Any]] = []
        branches: list[dict[str, Any]] = []
        for reference in references:
            book = self.books.get(reference.book)
            if book is not None:
                row = msgspec.structs.asdict(reference.value)
                row |= {"book_key": book.book_key, "recorded_at": reference.recorded_at}
                (borrowers if isinstance(reference.value, BorrowerProfile) else branches).append(row)
        for name, rows in (("save_borrowers", borrowers), ("save_branches", branches)):
            if rows:
                await self._execute(name, msgspec.json.encode(rows, enc_hook=int).decode())

    async def bury(self, dead: Sequence[tuple[Record, Rejection]]) -> None:
        """Write dead letters with their original bytes, and leave word of them."""
        if not dead:
            return
        await self._execute(
            "insert_dead_letters",
            [record.partition.partition % SLICES for record, _ in dead],
            self._cluster_id,
            [record.partition.topic for record, _ in dead],
            [record.partition.partition for record, _ in dead],
            [record.offset for record, _ in dead],
            [rejection.reason for _, rejection in dead],
            [rejection.field for _, rejection in dead],
            [record.key for record, _ in dead],
            [record.raw or b"" for record, _ in dead],
        )
        slices = [record.partition.partition % SLICES for record, _ in dead]
        await self._execute(
            "insert_outbox",
            slices,
            [DEAD_LETTERS] * len(dead),
            slices,
            [record.key for record, _ in dead],
            list(starmap(_dead_letter, dead)),
        )

    async def advance(self, segments: Sequence[Segment], tallies: Mapping[Partition, Tally]) -> None:
        """Move the positions with their counters, and note the day barriers reached."""
        last = {segment.partition: segment for segment in segments}
        if last:
            await self._execute(
                "advance_positions",
                self._cluster_id,
                [partition.topic for partition in last],
                [partition.partition for partition in last],
                [segment.next_offset for segment in last.values()],
                [fingerprint_of(segment.records.entry(-1)[1]) if segment.records else None
                 for segment in last.values()],
                *([getattr(tallies.get(p, Tally()), name) for p in last] for name in Tally._fields),
            )  # fmt: skip
        barriers = [(s.partition.partition % SLICES, b) for s in segments if (b := s.barrier) is not None]
        met = [
            (self.books[barrier.book].book_key, number, barrier.day.business_on)
            for number, barrier in barriers
            if reference_fault(barrier, self.books) is None
        ]
        if met:
            await self._execute("reach_days", *(list(column) for column in zip(*met, strict=True)))

    async def insert_many(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement that takes its rows as arrays, one a column; nothing for no rows."""
        if rows:
            await self._execute(name, *(list(column) for column in zip(*rows, strict=True)))

    async def _fetch(self, name: str, *values: object) -> list[Any]:
        rows: list[Any] = await self.connection.fetch(load_sql("ingest", name), *values)
        return rows

    async def _execute(self, name: str, *values: object) -> None:
        await self.connection.execute(load_sql("ingest", name), *values)


def _ref_columns(refs: Sequence[LoanRef]) -> tuple[list[int], list[int]]:
    return [ref.slice for ref in refs], [ref.loan_key for ref in refs]


def _dead_letter(record: Record, rejection: Rejection) -> bytes:
    return msgspec.json.encode(
        {
            "reason": rejection.reason,
            "field": rejection.field,
            "topic": record.partition.topic,
            "partition": record.partition.partition,
            "offset": record.offset,
            "raw": record.raw,
        }
    )
