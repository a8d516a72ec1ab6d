"""Rows for COPY in PostgreSQL's binary form, made from whole numpy columns; nothing is touched row by row.

Each field is written as wide as it can get; a mask then drops what a row does not have: the bytes of a
null, the elements that an array lacks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from loanbook.postgres.pool import Connection

Bytes = NDArray[np.uint8]

SIZES = tuple(size.to_bytes(4, "big") for size in range(1001))  # what stands before a field of so many bytes
_TURN = 32  # rows
NO_FIELD = b"\xff" * 4  # null
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
EPOCH = date(2000, 1, 1).toordinal()  # from which the server counts days
_SMALLINT_OID, _REAL_OID = 21, 700
_ARRAY_HEAD = np.dtype([("ndim", ">i4"), ("nulls", ">i4"), ("of", ">i4"), ("n", ">i4"), ("from", ">i4")])
_NO_ELEMENTS = 12  # bytes of an empty array: it has no dimension
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i2")])
_REAL = np.dtype([("size", ">i4"), ("value", ">f4")])


class Column(NamedTuple):
    """A field of every row: numpy's name of what it holds, the values, their sizes where not all are full."""

    kind: str
    values: NDArray[Any]
    sizes: NDArray[np.int64] | None = None  # -1 for null


class _Layout(NamedTuple):
    """A row as wide as it can get."""

    dtype: np.dtype[Any]
    beginning: Bytes  # of a row without its values: how many fields there are, and the full size of each
    spans: tuple[slice, ...]  # where the values stand
    places: NDArray[np.int32]  # numbers of bytes, as many as the widest value has


def integers(values: NDArray[np.generic], width: int, is_null: NDArray[np.bool_] | None = None) -> Column:
    """A column of integers of 1 (boolean), 2, 4 or 8 bytes."""
    if is_null is None or not is_null.any():
        return Column(f">i{width}", values)
    return Column(f">i{width}", values, np.where(is_null, -1, width))


def days(ordinals: NDArray[np.int64]) -> Column:
    """A column of dates from ordinals; 0 is null."""
    return integers(ordinals - EPOCH, 4, ordinals == 0)


def smallints(matrix: NDArray[np.int64], counts: NDArray[np.int64]) -> Column:
    """A column of smallint arrays: of each row of the matrix the first so many."""
    elements = np.empty(matrix.shape, _ELEMENT)
    elements["size"], elements["value"] = 2, matrix
    sizes = np.where(counts > 0, _ARRAY_HEAD.itemsize + counts * _ELEMENT.itemsize, _NO_ELEMENTS)
    return _array(_SMALLINT_OID, counts, elements, sizes)


def floats(values: NDArray[np.float64]) -> Column:
    """A column of double precision."""
    return Column(">f8", values)


def reals(matrix: NDArray[np.float64]) -> Column:
    """A column of real arrays: the rows of the matrix."""
    elements = np.empty(matrix.shape, _REAL)
    elements["size"], elements["value"] = 4, matrix
    return _array(_REAL_OID, np.full(len(matrix), matrix.shape[1]), elements)


def _array(
    of: int, counts: NDArray[np.int64], elements: NDArray[Any], sizes: NDArray[np.int64] | None = None
) -> Column:
    head = np.empty(len(counts), _ARRAY_HEAD)
    head["ndim"], head["nulls"], head["of"], head["n"], head["from"] = counts > 0, 0, of, counts, 1
    field = np.concatenate([_bytes_of(head), _bytes_of(elements)], axis=1)
    return Column(f"({field.shape[1]},)u1", field, sizes)


def nulls(count: int) -> Column:
    """A column of nothing."""
    return Column(">i1", np.zeros(count, np.int8), np.full(count, -1))


def chosen(columns: Sequence[Column], rows: NDArray[np.bool_]) -> list[Column]:
    """Of all columns these rows."""
    return [
        Column(kind, values[rows], None if sizes is None else sizes[rows]) for kind, values, sizes in columns
    ]


def rows_of(*parts: Sequence[Column]) -> bytes:
    """The rows of a COPY, whole, from the columns of all or of one part after another."""
    return b"".join([_HEAD, *map(_body_of, parts), _TAIL])


def _body_of(columns: Sequence[Column]) -> bytes:
    layout = _layout(tuple(column.kind for column in columns), len(columns))
    rows = _filled(layout, [column.values for column in columns], len(columns[0].values))
    matrix = _bytes_of(rows)
    if all(column.sizes is None for column in columns):
        return matrix.tobytes()
    written = np.ones(matrix.shape, np.bool_)
    for number, (column, span) in enumerate(zip(columns, layout.spans, strict=True)):
        if column.sizes is not None:
            rows[f"size{number}"] = column.sizes
            places = layout.places[: span.stop - span.start]
            written[:, span] = places < column.sizes.astype(np.int32)[:, None]
    body: bytes = matrix[written].tobytes()
    return body


def integer_rows(values: NDArray[np.int64], widths: Sequence[int]) -> bytes:
    """The rows of a COPY of nothing but integers, of 1 (boolean), 2, 4 or 8 bytes each and without nulls."""
    layout = _layout(tuple(f">i{width}" for width in widths), len(widths))
    return _HEAD + _filled(layout, values.T, len(values)).tobytes() + _TAIL


def rows_with_texts(
    columns: Sequence[NDArray[np.int64] | int], widths: Sequence[int], texts: Sequence[bytes], texts_each: int
) -> bytes:
    """The rows of a COPY of integers, as in `integer_rows`, each followed by so many fields ready made."""
    layout = _layout(tuple(f">i{width}" for width in widths), len(widths) + texts_each)
    numbers = _filled(layout, columns, len(texts))
    parts = [b""] * (2 * len(texts))
    parts[::2], parts[1::2] = numbers.view(f"V{numbers.itemsize}").tolist(), texts
    return b"".join([_HEAD, *parts, _TAIL])


def _filled(layout: _Layout, columns: Iterable[NDArray[Any] | int], count: int) -> NDArray[Any]:
    rows = np.empty((count, layout.dtype.itemsize), np.uint8)
    rows[:] = layout.beginning
    filled = rows.view(layout.dtype)[:, 0]
    for number, values in enumerate(columns):
        filled[f"value{number}"] = values
    return filled


@lru_cache(maxsize=256)  # a batch has few kinds of rows, but for how many elements arrays have
def _layout(kinds: tuple[str, ...], fields: int) -> _Layout:
    parts = [("fields", ">i2")]
    for number, kind in enumerate(kinds):
        parts += [(f"size{number}", ">i4"), (f"value{number}", kind)]
    dtype = np.dtype(parts)
    row = np.zeros(1, dtype)
    spans, end = [], row["fields"].itemsize
    row["fields"] = fields
    for number in range(len(kinds)):
        size = row[f"size{number}"]
        start, end = end + size.itemsize, end + size.itemsize + dtype[f"value{number}"].itemsize
        size[:] = end - start
        spans.append(slice(start, end))
    widest = max((span.stop - span.start for span in spans), default=0)
    return _Layout(dtype, _bytes_of(row), tuple(spans), np.arange(widest, dtype=np.int32))


def in_turns(slices: NDArray[np.int64]) -> NDArray[np.int64]:
    """An order for rows of a partitioned table, which are sorted by slice: by turns some of each.

    The server holds a thousand rows back, and notes for each that its table is in use. Notes of one table
    lie in one chain, which it walks to the end for each of the rows, twice. By turns the chains are short.
    """
    turns = (np.arange(len(slices)) - np.searchsorted(slices, slices)) // _TURN
    return np.lexsort((slices, turns))


async def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: bytes, *, schema: str | None = None
) -> None:
    """COPY rows made by `rows_of` into a table."""
    # A view, since the client would take bytes themselves for the name of a file.
    await connection.copy_to_table(
        table, source=memoryview(rows), columns=columns, schema_name=schema, format="binary"
    )


def _bytes_of(rows: NDArray[Any]) -> Bytes:
    width = rows.dtype.itemsize * math.prod(rows.shape[1:])
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), width)
