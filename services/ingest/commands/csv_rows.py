"""Reads CSV files as rows of text with their line numbers; what cannot be a row is listed, not fatal."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ingest.commands.mapping import MappingError

_SKIPPED = re.compile(r"line (\d+): expected (\d+) fields, saw (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row, or a value of one, that could not be taken."""

    file: str
    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the text of the columns that were asked for."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file that have a text in some column, and what was no row."""

    file: str
    rows: list[Row]
    bad: list[BadRow]


def read_table(folder: Path, file: str, columns: Sequence[str]) -> Table:
    """Read these columns of a CSV file, plain or .gz; raises MappingError where they are not there."""
    path = folder / file
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
                on_bad_lines="warn",
                encoding="utf-8-sig",
            )
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise MappingError(f"{path}: {error}") from error
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise MappingError(f"{path}: no column {', '.join(absent)}; it has {', '.join(frame.columns)}")
    bad = [bad for warning in caught for bad in _skipped(file, str(warning.message))]
    numbers = _line_numbers(frame, {row.line for row in bad})
    cells = [frame[column].str.strip().tolist() for column in columns]
    found = zip(numbers, zip(*cells, strict=True), strict=True)
    rows = [Row(line, dict(zip(columns, texts, strict=True))) for line, texts in found if any(texts)]
    return Table(file=file, rows=rows, bad=bad)


def _skipped(file: str, text: str) -> Iterator[BadRow]:
    for line, expected, seen in _SKIPPED.findall(text):
        yield BadRow(
            file=file, line=int(line), column="", reason=f"{seen} fields where there are {expected} columns"
        )


def _line_numbers(frame: pd.DataFrame, skipped: set[int]) -> list[int]:
    breaks = sum((frame[column].str.count("\n") for column in frame.columns), start=pd.Series(0, frame.index))
    numbers = []
    line = 2
    for extra in breaks.tolist():
        while line in skipped:
            line += 1
        numbers.append(line)
        line += 1 + extra
    return numbers
