"""Rows whose numbers travel as arrays, read as columns: the bytes that the server's `array_send` gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARRAY_HEAD = 20  # bytes before the elements of an array
_ELEMENT = 12  # bytes of an element: its size, and a number of 8 bytes
_SIZE = 4


def sent_row(*arrays: tuple[Sequence[str], str], behind: str | None = None) -> np.dtype[Any]:
    """The layout of arrays sent one after the other, each the names of its numbers and their kind.

    `behind`: the name of a time that follows them, in microseconds since 2000.
    """
    names: list[str] = []
    formats: list[str] = []
    offsets: list[int] = []
    end = 0
    for names_of, kind in arrays:
        names += names_of
        formats += [kind] * len(names_of)
        offsets += [end + ARRAY_HEAD + _SIZE + _ELEMENT * number for number in range(len(names_of))]
        end += ARRAY_HEAD + _ELEMENT * len(names_of)
    if behind is not None:
        names, formats, offsets, end = [*names, behind], [*formats, ">i8"], [*offsets, end], end + 8
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": end})


def sent_columns(sent: bytes, count: int) -> NDArray[np.int64]:
    """Arrays of so many bigints, a time behind each, one after another: a matrix whose columns they are."""
    end = ARRAY_HEAD + _ELEMENT * count
    each = end + 8
    arrays = len(sent) // each
    numbers = np.ndarray((count, arrays), ">i8", sent, ARRAY_HEAD + _SIZE, (_ELEMENT, each))
    times = np.ndarray((1, arrays), ">i8", sent, end, (0, each))
    return np.concatenate([numbers, times], dtype=np.int64)
