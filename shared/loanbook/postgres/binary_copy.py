"""Rows for COPY in PostgreSQL's binary form, made from whole numpy columns; nothing is touched row by row.

Each field is written as wide as it can get; a mask then drops what a row does not have: the bytes of a
null, the elements that an array lacks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loanbook.postgres.pool import Connection

Bytes = NDArray[np.uint8]
Column = tuple[Bytes, NDArray[np.bool_] | None]  # a matrix of bytes, and which of them are written

SIZES = tuple(size.to_bytes(4, "big") for size in range(1001))  # what stands before a field of so many bytes
_TURN = 32  # rows
NO_FIELD = b"\xff" * 4  # null
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
EPOCH = date(2000, 1, 1).toordinal()  # from which the server counts days
_SMALLINT_OID, _REAL_OID = 21, 700
_ARRAY_HEAD = np.dtype(
    [("size", ">i4"), ("ndim", ">i4"), ("nulls", ">i4"), ("of", ">i4"), ("n", ">i4"), ("from", ">i4")]
)
_NO_ELEMENTS = 12  # bytes of an empty array behind its size: it has no dimension
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i2")])
_REAL = np.dtype([("size", ">i4"), ("value", ">f4")])


def integers(values: NDArray[np.generic], width: int, is_null: NDArray[np.bool_] | None = None) -> Column:
    """A column of integers of 1 (boolean), 2, 4 or 8 bytes."""
    rows = np.empty(len(values), [("size", ">i4"), ("value", f">i{width}")])
    rows["size"], rows["value"] = width, values
    if is_null is None or not is_null.any():
        return _bytes_of(rows), None
    rows["size"][is_null] = -1
    written = np.ones((len(values), 4 + width), np.bool_)
    written[is_null, 4:] = False
    return _bytes_of(rows), written


def days(ordinals: NDArray[np.int64]) -> Column:
    """A column of dates from ordinals; 0 is null."""
    return integers(ordinals - EPOCH, 4, ordinals == 0)


def smallints(matrix: NDArray[np.int64], counts: NDArray[np.int64]) -> Column:
    """A column of smallint arrays: of each row of the matrix the first so many."""
    head = np.empty(len(matrix), _ARRAY_HEAD)
    head["size"] = np.where(counts > 0, 20 + counts * _ELEMENT.itemsize, _NO_ELEMENTS)
    head["ndim"], head["nulls"], head["of"] = counts > 0, 0, _SMALLINT_OID
    head["n"], head["from"] = counts, 1
    elements = np.empty(matrix.shape, _ELEMENT)
    elements["size"], elements["value"] = 2, matrix
    field = np.concatenate([_bytes_of(head), _bytes_of(elements)], axis=1)
    return field, np.arange(field.shape[1], dtype=np.int32) < (4 + head["size"].astype(np.int32))[:, None]


def floats(values: NDArray[np.float64]) -> Column:
    """A column of double precision."""
    return integers(values.view(np.int64), 8)


def reals(matrix: NDArray[np.float64]) -> Column:
    """A column of real arrays: the rows of the matrix."""
    head = np.empty(len(matrix), _ARRAY_HEAD)
    head["size"] = 20 + matrix.shape[1] * _REAL.itemsize
    head["ndim"], head["nulls"], head["of"], head["n"], head["from"] = 1, 0, _REAL_OID, matrix.shape[1], 1
    elements = np.empty(matrix.shape, _REAL)
    elements["size"], elements["value"] = 4, matrix
    return np.concatenate([_bytes_of(head), _bytes_of(elements)], axis=1), None


def nulls(count: int) -> Column:
    """A column of nothing."""
    return _bytes_of(np.full(count, -1, ">i4")), None


def chosen(columns: Sequence[Column], rows: NDArray[np.bool_]) -> list[Column]:
    """Of all columns these rows."""
    return [(part[rows], None if mask is None else mask[rows]) for part, mask in columns]


def rows_of(*parts: Sequence[Column]) -> bytes:
    """The rows of a COPY, whole, from the columns of all or of one part after another."""
    return b"".join([_HEAD, *map(_body_of, parts), _TAIL])


def _body_of(columns: Sequence[Column]) -> bytes:
    count = len(columns[0][0])
    fields = np.full(count, len(columns), ">i2")
    matrix = np.concatenate([_bytes_of(fields), *(part for part, _ in columns)], axis=1)
    if all(mask is None for _, mask in columns):
        return matrix.tobytes()
    written = np.ones(matrix.shape, np.bool_)
    end = fields.itemsize
    for part, mask in columns:
        start, end = end, end + part.shape[1]
        if mask is not None:
            written[:, start:end] = mask
    body: bytes = matrix[written].tobytes()
    return body


def integer_rows(values: NDArray[np.int64], widths: Sequence[int]) -> bytes:
    """The rows of a COPY of nothing but integers, of 1 (boolean), 2, 4 or 8 bytes each and without nulls."""
    return _HEAD + _integers(values.T, len(values), widths, len(widths)).tobytes() + _TAIL


def rows_with_texts(
    columns: Sequence[NDArray[np.int64] | int], widths: Sequence[int], texts: Sequence[bytes], texts_each: int
) -> bytes:
    """The rows of a COPY of integers, as in `integer_rows`, each followed by so many fields ready made."""
    numbers = _integers(columns, len(texts), widths, len(widths) + texts_each)
    parts = [b""] * (2 * len(texts))
    parts[::2], parts[1::2] = numbers.view(f"V{numbers.itemsize}").tolist(), texts
    return b"".join([_HEAD, *parts, _TAIL])


def _integers(
    columns: Iterable[NDArray[np.int64] | int], count: int, widths: Sequence[int], fields: int
) -> NDArray[Any]:
    kinds = [np.dtype([("size", ">i4"), ("value", f">i{width}")]) for width in widths]
    rows = np.empty(count, [("fields", ">i2"), *((str(n), kind) for n, kind in enumerate(kinds))])
    rows["fields"] = fields
    for n, (width, column) in enumerate(zip(widths, columns, strict=True)):
        rows[str(n)]["size"], rows[str(n)]["value"] = width, column
    return rows


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
