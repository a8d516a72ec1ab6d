"""The transaction of one batch: what it locks it locks in the order of these methods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any

import msgspec

from ingest.directory import PostgresDirectory
from ingest.errors import KeyCollisionError
from ingest.records import (
    Book,
    ChangedLoan,
    Claimed,
    LedgerRow,
    LoanRef,
    Record,
    Rejection,
    Remembered,
    RollupCell,
    RollupMeasures,
    Segment,
    StoredLoan,
    Tally,
    fingerprint_of,
    reference_fault,
)
from ingest.rollups import rollup_status
from ingest.rows import EVENT_COLUMNS, event_row
from ingest.saving import save_changes
from loanbook.domain.events import BorrowerProfile, LoanEvent
from loanbook.kafka.batches import Partition
from loanbook.postgres.ledger import event_from_row
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.topics import DEAD_LETTERS, SLICES
from loanbook.wire import ReceivedReference

BOOK_LOCK = 7205  # class of the advisory locks on books: shared by batches, exclusive for the flip


class PostgresUnit:
    """One transaction on the loan book."""

    def __init__(self, connection: Connection, directory: PostgresDirectory, cluster_id: str) -> None:
        self.connection = connection
        self._cluster_id = cluster_id
        self._staged = False
        self.directory = directory
        self.books: Mapping[str, Book] = {}

    async def claim(self, segments: Sequence[Segment]) -> Claimed:
        """Lock the books (shared) and the positions; trim what was applied, and refuse gaps."""
        await self.lock_books()
        partitions = sorted({(s.partition.topic, s.partition.partition) for s in segments})
        rows = await self._fetch(
            "lock_positions", self._cluster_id, [t for t, _ in partitions], [p for _, p in partitions]
        )
        next_offsets = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return trim(segments, next_offsets)

    async def lock_books(self) -> None:
        """Keep the business days from flipping until this transaction ends, and read them."""
        rows = await self._fetch("share_books", BOOK_LOCK)
        self.books = {row["book"]: Book(**dict(row)) for row in rows}

    async def lock_loans(self, rows: Sequence[LedgerRow]) -> dict[LoanRef, StoredLoan]:
        """Insert missing loans, then lock all in key order."""
        by_ref = {row.ref: row for row in rows}
        stored = await self._lock(by_ref)
        missing = [row for ref, row in sorted(by_ref.items()) if ref not in stored]
        if missing:
            await self._execute(
                "insert_loans",
                *_ref_columns([row.ref for row in missing]),
                [row.book.book_key for row in missing],
                [row.event.loan_id for row in missing],
                [row.book.business_on for row in missing],
            )
            stored |= await self._lock({row.ref: row for row in missing})
        return stored

    async def remember(self, rows: Sequence[LedgerRow]) -> Remembered:
        """Write the ledger rows that are new; a further copy of a fact is kept and marked."""
        if not rows:
            return Remembered(fresh=[], duplicates=[], conflicts=[])
        first = {row.identity: row for row in reversed(rows)}
        inserted = await self._insert_events([event_row(row) for row in first.values()])
        again = [row for row in rows if row.identity not in inserted or first[row.identity] is not row]
        known = await self._digests(again)
        copies = {row.identity: row for row in reversed(again) if row.identity not in known}
        await self._insert_events([event_row(row, is_copy=True) for row in copies.values()])
        repeated = [row for row in again if copies.get(row.identity) is not row]
        digests = known | {identity: row.digest for identity, row in copies.items()}
        conflicts = [row for row in repeated if digests[row.identity] != row.digest]
        duplicates = [row for row in repeated if digests[row.identity] == row.digest]
        fresh = [row for row in first.values() if row.identity in inserted] + list(copies.values())
        return Remembered(fresh=fresh, duplicates=duplicates, conflicts=conflicts)

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
        if self.directory.missing_in(event for events in found.values() for event in events):
            await self.directory.load(self.connection)
        return found

    async def save(self, changes: Sequence[ChangedLoan], fresh: Sequence[LedgerRow]) -> None:
        """Write states, plans, roll-up differences and the notices of what changed."""
        if changes:
            books = {book.book_key: book for book in self.books.values()}
            await save_changes(self.connection, self.directory, books, changes, fresh)

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
                [fingerprint_of(segment.records[-1].raw) if segment.records else None
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

    async def _lock(self, wanted: Mapping[LoanRef, LedgerRow]) -> dict[LoanRef, StoredLoan]:
        if not wanted:
            return {}
        rows = await self._fetch("lock_loans", *_ref_columns(sorted(wanted)))
        found = {}
        for row in rows:
            ref = LoanRef(row["slice"], row["loan_key"])
            if row["loan_id"] != wanted[ref].event.loan_id:
                msg = f"loans {row['loan_id']!r} and {wanted[ref].event.loan_id!r} share the key {ref}"
                raise KeyCollisionError(msg)
            found[ref] = stored_loan(row)
        return found

    async def _insert_events(self, rows: list[tuple[Any, ...]]) -> set[tuple[int, str, int]]:
        if not rows:
            return set()
        if self._staged:
            await self.connection.execute("TRUNCATE stage_event")
        self._staged = True
        await self.connection.copy_records_to_table("stage_event", records=rows, columns=EVENT_COLUMNS)
        inserted = await self._fetch("insert_events")
        return {(row["loan_key"], row["event_id"], row["source_key"]) for row in inserted}

    async def _digests(self, rows: Sequence[LedgerRow]) -> dict[tuple[int, str, int], bytes]:
        if not rows:
            return {}
        found = await self._fetch(
            "select_digests",
            *_ref_columns([row.ref for row in rows]),
            [row.event.event_id for row in rows],
            [row.source_key for row in rows],
        )
        return {(row["loan_key"], row["event_id"], row["source_key"]): row["digest"] for row in found}

    async def _fetch(self, name: str, *values: object) -> list[Any]:
        rows: list[Any] = await self.connection.fetch(load_sql("ingest", name), *values)
        return rows

    async def _execute(self, name: str, *values: object) -> None:
        await self.connection.execute(load_sql("ingest", name), *values)


def trim(segments: Sequence[Segment], next_offsets: Mapping[Partition, int]) -> Claimed:
    """Drop what was applied before; what starts beyond its position is refused with all after it."""
    taken: list[Segment] = []
    refused: dict[Partition, int] = {}
    following = dict(next_offsets)
    for segment in segments:
        partition = segment.partition
        position = following.get(partition, segment.from_offset)
        if partition in refused or segment.from_offset > position:
            refused.setdefault(partition, position)
        elif segment.next_offset > position:
            taken.append(_from(segment, position))
            following[partition] = segment.next_offset
    return Claimed(segments=taken, refused=list(refused.items()))


def stored_loan(row: Mapping[str, Any]) -> StoredLoan:
    """A locked row of core.loan_state: what the roll-ups hold of this loan."""
    status = rollup_status(row["status"], charged_off=row["charged_off_on"] is not None)
    return StoredLoan(
        version=row["version"],
        as_of=row["as_of"],
        quarantined=row["quarantined"],
        cell=RollupCell(
            row["slice"], row["book_key"], row["currency_key"], row["branch_key"], row["product_key"],
            row["bucket"], status,
        ),
        measures=RollupMeasures(
            1, row["disbursed_minor"], row["paid_minor"], row["principal_outstanding_minor"],
            row["total_outstanding_minor"], row["overdue_minor"], row["overdue_principal_minor"],
            int(row["estimated"]),
        ),
        past_due_on=row["past_due_on"],
    )  # fmt: skip


def _from(segment: Segment, position: int) -> Segment:
    if segment.from_offset == position:
        return segment
    records = [record for record in segment.records if record.offset >= position]
    return replace(segment, from_offset=position, records=records)


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
