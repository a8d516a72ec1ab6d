"""Plans in few bytes: installments that are alike but for their days are written once.

Most loans fall due each month, or every so many days, and ask for the same amounts each time. A run is the
first such installment, how many more there are, and how many days lie between them: 0 for a month, and then
each falls on the day of the month of the first one, or on the month's last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import takewhile
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Installment: TypeAlias = tuple[int, int, int, int]
"""Ordinal of its due day, flags, what is due, and what of that comes before the principal."""

RUN = np.dtype(
    [("due_day", "<i4"), ("flags", "u1"), ("more", "u1"), ("every", "<u2"), ("due", "<i8"), ("other", "<i8")]
)
_RUN = Struct("<iBBHqq")
_LONGEST, _EVERY_MAX = 2**8, 2**16 - 1
_FROM, _UNTIL = 1900, 2200  # the years of the table of days; in others each installment stands by itself
_MONTH = 31  # places of a month in it
_UNIX = date(1970, 1, 1).toordinal()
_MONTHS = np.arange(f"{_FROM}-01", f"{_UNTIL}-02", dtype="datetime64[M]")
_STARTS = _MONTHS.astype("datetime64[D]").astype(np.int64) + _UNIX
_DAYS: Ints = np.minimum(_STARTS[:-1, None] + np.arange(_MONTH), _STARTS[1:, None] - 1).ravel()


class Unpacked(NamedTuple):
    """Installments of many plans: a row is a plan, a column an installment, 0 behind the last."""

    exists: NDArray[np.bool_]
    due_day: NDArray[np.int32]
    flags: NDArray[np.uint8]
    due: Ints
    other: Ints


def pack_plan(installments: Iterable[Installment]) -> bytes:
    """A plan as `unpack_plans` reads it: the same bytes whenever the installments are the same."""
    rows, runs = list(installments), []
    while rows:
        due_day, flags, due, other = rows[0]
        count, every = _run_of(_days_alike(rows[:_LONGEST]))
        runs.append(_RUN.pack(due_day, flags, count - 1, every, due, other))
        del rows[:count]
    return b"".join(runs)


def unpack_plans(packed: Sequence[bytes]) -> Unpacked:
    """The installments of many plans, side by side."""
    runs = np.frombuffer(b"".join(packed), RUN)
    counts = runs["more"].astype(np.int64) + 1
    ends = np.cumsum(counts)
    runs_until = np.cumsum(np.array([len(plan) // RUN.itemsize for plan in packed], np.int64))
    sizes = np.diff(np.concatenate([[0], ends])[runs_until], prepend=0)
    exists = np.arange(max(1, sizes.max(initial=0))) < sizes[:, None]

    places = np.flatnonzero(exists)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        matrix = np.zeros(exists.size, values.dtype)
        matrix[places] = values
        return matrix.reshape(exists.shape)

    return Unpacked(
        exists,
        spread(_days_of(runs, counts, ends).astype(np.int32)),
        *(spread(np.repeat(runs[name], counts)) for name in ("flags", "due", "other")),
    )


def _days_alike(rows: Sequence[Installment]) -> list[int]:
    """The due days of the first of these and of those behind it that are like it."""
    alike = rows[0][1:]
    return [row[0] for row in takewhile(lambda row: row[1:] == alike, rows)]


def _run_of(days: list[int]) -> tuple[int, int]:
    """How many of these days make a run, and how many days lie between them, 0 for a month."""
    if len(days) == 1:
        return 1, 0
    by_month = _shared(days, _DAYS[_place(days[0]) :: _MONTH][: len(days)].tolist())
    every = days[1] - days[0]
    if by_month == len(days) or not 0 < every <= _EVERY_MAX:
        return max(1, by_month), 0
    by_days = _shared(days, range(days[0], days[0] + every * len(days), every))
    return (by_days, every) if by_days > by_month else (by_month, 0)


def _place(day: int) -> int:
    """Where the table of days has a day; behind its end where it does not."""
    on = date.fromordinal(day)
    is_there = _FROM <= on.year < _UNTIL
    return (((on.year - _FROM) * 12 + on.month - 1) * _MONTH + on.day - 1) if is_there else len(_DAYS)


def _shared(days: Sequence[int], others: Sequence[int]) -> int:
    """How many are the same from the first on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(days, others, strict=False)))


def _days_of(runs: NDArray[Any], counts: Ints, ends: Ints) -> Ints:
    """The due day of each installment of these runs, one run behind the other."""
    first, every = runs["due_day"].astype(np.int64), runs["every"].astype(np.int64)
    is_monthly = (every == 0) & (counts > 1)
    starts = np.where(is_monthly, _places(first), first)
    steps = np.where(is_monthly, _MONTH, every)
    days: Ints = np.repeat(starts - steps * (ends - counts), counts)
    days += np.repeat(steps, counts) * np.arange(len(days))
    by_month = np.repeat(is_monthly, counts)
    days[by_month] = _DAYS[days[by_month]]
    return days


def _places(days: Ints) -> Ints:
    """Where the table of days has each of these."""
    dates = (days - _UNIX).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    places: Ints = (months - _MONTHS[0]).astype(np.int64) * _MONTH + (dates - months).astype(np.int64)
    return places
