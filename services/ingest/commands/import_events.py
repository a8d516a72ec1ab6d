"""Turns a lender's files into events in order of their days, and lists the rows that gave none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.commands.csv_rows import BadRow, read_table
from ingest.commands.import_rows import (
    BorrowerRows,
    Collected,
    ImportEvent,
    LoanRows,
    PaymentRows,
    Rows,
    ScheduleRows,
)
from ingest.commands.import_values import BadValueError, Reader
from ingest.commands.mapping import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What the files of a folder gave: events in order of their days, and bad rows."""

    events: list[ImportEvent]
    bad_rows: list[BadRow]
    loans: int


def read_events(folder: Path, mapping: Mapping, book: str) -> Import:
    """Read the files of a folder; raises MappingError when a file or a column is missing."""
    out = Collected(mapping=mapping, book=book, reader=Reader(mapping=mapping))
    _read(folder, out, LoanRows(out, mapping.loans))
    if mapping.schedule is not None:
        _read(folder, out, ScheduleRows(out, mapping.schedule))
    if mapping.payments is not None:
        _read(folder, out, PaymentRows(out, mapping.payments))
    if mapping.borrowers is not None:
        _read(folder, out, BorrowerRows(out, mapping.borrowers))
    # Facts of one instant keep the order in which they were made: created, paid out, planned, paid.
    ordered = sorted(out.events, key=lambda event: (event.on, event.recorded_at))
    bad_rows = sorted(out.reader.bad_rows, key=lambda bad: (bad.file, bad.line))
    return Import(events=ordered, bad_rows=bad_rows, loans=len(out.loans))


def events(folder: Path, mapping: Mapping, book: str) -> list[ImportEvent]:
    """The events of a folder in order of their days; bad rows are left out."""
    return read_events(folder, mapping, book).events


def _read(folder: Path, out: Collected, rows: Rows) -> None:
    table = read_table(folder, rows.file, rows.columns)
    out.reader.bad_rows.extend(table.bad)
    for row in table.rows:
        try:
            rows.take(row)
        except BadValueError as error:
            out.reader.note(rows.file, row, error)
    rows.finish()
