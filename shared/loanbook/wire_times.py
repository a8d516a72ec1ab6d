"""Moments on the wire, many at a time: those of the usual form are read from their digits, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from loanbook.domain.errors import RejectedEventError
from loanbook.wire_rules import FIRST_DAY, LAST_DAY

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # from which PostgreSQL counts
_MICROSECOND, _DAY = timedelta(microseconds=1), 86_400_000_000
_LEAST, _MOST = b"0000-00-00T00:00:00.000000Z", b"9999-19-39T29:59:59.999999Z"
_WHOLE = len("0000-00-00T00:00:00")  # without a fraction of a second
_PLACES = np.zeros((len(_LEAST), 2))  # what a digit adds to the day's number and to its microseconds
_PLACES[[0, 1, 2, 3, 5, 6, 8, 9], 0] = 10.0 ** np.arange(7, -1, -1)
_PLACES[[11, 12, 14, 15, 17, 18], 1] = np.array([36_000, 3_600, 600, 60, 10, 1]) * 1e6
_PLACES[20:26, 1] = 10.0 ** np.arange(5, -1, -1)


def moments_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """The server's microseconds; raises what makes an event be refused where one cannot be taken."""
    found = _from_digits(texts)
    return _one_by_one(texts) if found is None else found


def _from_digits(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Moments that are all as 2026-06-06T08:00:00.000000Z, or all with fewer digits or no fraction."""
    lengths = set(map(len, texts))
    length, written = max(lengths), "".join(texts).encode()
    shortest_fraction = _WHOLE + len(".0Z")
    if (
        len(lengths) > 1
        or len(written) != length * len(texts)
        or not (length == _WHOLE + 1 or shortest_fraction <= length <= len(_LEAST))
    ):
        return None
    least, most = (np.frombuffer(form[: length - 1] + b"Z", np.uint8) for form in (_LEAST, _MOST))
    digits = np.frombuffer(written, np.uint8).reshape(-1, length) - least  # below it they turn large
    if (digits > most - least).any():
        return None
    day_numbers, clock = (digits.astype(np.float64) @ _PLACES[:length]).T  # far from where floats round
    if clock.max() >= _DAY:
        return None
    days, which = np.unique(day_numbers, return_inverse=True)
    midnights = [_midnight(int(number)) for number in days.tolist()]
    if None in midnights:
        return None
    moments: NDArray[np.int64] = np.array(midnights, np.int64)[which] + clock.astype(np.int64)
    return moments


def _midnight(number: int) -> int | None:
    """Of a day written as a number; None where it is none, or out of range."""
    try:
        day = date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None
    is_in_range = FIRST_DAY <= day <= LAST_DAY
    return (day - _EPOCH.date()).days * _DAY if is_in_range else None


def _one_by_one(texts: Sequence[str]) -> NDArray[np.int64]:
    moments = [msgspec.convert(text, datetime) for text in texts]
    if any(moment.tzinfo is None for moment in moments):
        raise RejectedEventError("a time has no UTC offset")
    if any(not FIRST_DAY.year <= moment.year <= LAST_DAY.year for moment in moments):
        raise RejectedEventError("a time is out of range")
    return np.array([(moment - _EPOCH) // _MICROSECOND for moment in moments], np.int64)
