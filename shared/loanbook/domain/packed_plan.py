"""Plans in few bytes: installments that are alike but for their days are written once.

Most loans fall due each month, or every so many days, and ask for the same sum or the same principal each
time. A run is the first such installment, how many more there are, and how many days lie between them: 0 for
a month, and then each falls on the day of the month of the first one, or on the month's last. Behind the run
is listed how far each lies off that rhythm, where weekends or holidays move them, and what comes before the
principal, where interest changes from one to the next, as in annuities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import takewhile
from operator import itemgetter, sub
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
# In the place of a run, behind its own: what comes before the principal of five installments, or how many
# days nineteen lie off.
_LIST = np.dtype({"names": ["first", "rest"], "formats": ["<i4", "<4i4"], "offsets": [0, 8], "itemsize": 24})
_SHIFTS = np.dtype({"names": ["days"], "formats": ["19i1"], "offsets": [5], "itemsize": 24})
_LISTED, _SHIFTED = Struct("<iB3x4i"), Struct("<4xB19b")
_LISTED_MAX, _SHIFT_MAX = 2**31, 2**7
_A_LIST, _SHIFTS_EACH = 5, 19
# Above an installment's own flags: lists follow the run; `due` is the principal alone; shifts follow it.
_HAS_LISTS, _SAME_PRINCIPAL, _HAS_SHIFTS = 4, 8, 16
_IS_LIST, _IS_SHIFTS = 32, 64
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


class _Rhythm(NamedTuple):
    """How some days from the first on follow each other."""

    size: int
    every: int  # days, 0 for a month
    shifts: Sequence[int] = ()  # how far each day lies off, where that is not nothing


class _Run(NamedTuple):
    """Some installments from the first on, and what they have in common."""

    size: int
    every: int
    flags: int
    due: int
    shifts: Sequence[int]
    lists: Sequence[int]  # what comes before the principal of each, where that changes

    @property
    def records(self) -> int:
        """How many it takes."""
        return 1 - (-len(self.shifts) // _SHIFTS_EACH) - (-len(self.lists) // _A_LIST)


def pack_plan(installments: Iterable[Installment]) -> bytes:
    """A plan as `unpack_plans` reads it: the same bytes whenever the installments are the same."""
    rows, packed = list(installments), []
    while rows:
        run = _next_run(rows[:_LONGEST])
        packed.append(_RUN.pack(rows[0][0], run.flags, run.size - 1, run.every, run.due, rows[0][3]))
        packed += [_SHIFTED.pack(_IS_SHIFTS, *part) for part in _parts(run.shifts, _SHIFTS_EACH)]
        packed += [_LISTED.pack(first, _IS_LIST, *rest) for first, *rest in _parts(run.lists, _A_LIST)]
        del rows[: run.size]
    return b"".join(packed)


def _parts(values: Sequence[int], size: int) -> list[list[int]]:
    """Values so many at a time, the last part filled up."""
    filled = [*values, *[0] * (-len(values) % size)]
    return [filled[start : start + size] for start in range(0, len(filled), size)]


def unpack_plans(packed: Sequence[bytes]) -> Unpacked:
    """The installments of many plans, side by side."""
    records = np.frombuffer(b"".join(packed), RUN)
    is_run = records["flags"] < _IS_LIST
    runs_before = np.concatenate([[0], np.cumsum(is_run)])
    runs_until = runs_before[np.cumsum(np.array([len(plan) // RUN.itemsize for plan in packed], np.int64))]
    runs = records[is_run]
    counts = runs["more"].astype(np.int64) + 1
    ends = np.cumsum(counts)
    sizes = np.diff(np.concatenate([[0], ends])[runs_until], prepend=0)
    exists = np.arange(max(1, sizes.max(initial=0))) < sizes[:, None]
    places = np.flatnonzero(exists)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        matrix = np.zeros(exists.size, values.dtype)
        matrix[places] = values
        return matrix.reshape(exists.shape)

    flags, due, other = (np.repeat(runs[name], counts) for name in ("flags", "due", "other"))
    days = _days_of(runs, counts, ends)
    if len(runs) < len(records):
        _read_lists(records[records["flags"] == _IS_LIST], flags, counts, due, other)
        _read_shifts(records[records["flags"] == _IS_SHIFTS], flags, counts, days)
        flags &= _HAS_LISTS - 1
    return Unpacked(exists, spread(days.astype(np.int32)), spread(flags), spread(due), spread(other))


def _next_run(rows: Sequence[Installment]) -> _Run:
    """The run that the first of these begin, in the fewest bytes an installment."""
    _, flags, due, other = rows[0]
    owed = due - other
    alike = _count(rows, lambda row: row[1:] == (flags, due, other))
    amounts: list[tuple[int, int, int, list[int]]] = [(alike, 0, due, [])]
    if alike < len(rows):
        small = rows[: _count(rows, lambda row: abs(row[3]) < _LISTED_MAX)]
        lists = [row[3] for row in small]
        same_due = _count(small, lambda row: row[1:3] == (flags, due))
        same_owed = _count(small, lambda row: row[1] == flags and row[2] - row[3] == owed)
        amounts += [
            (same_due, _HAS_LISTS, due, lists),
            (same_owed, _HAS_LISTS | _SAME_PRINCIPAL, owed, lists),
        ]
    runs = (
        _run(rhythm, flags | listing, amount, lists)
        for count, listing, amount, lists in amounts
        if count
        for rhythm in _rhythms([row[0] for row in rows[:count]])
    )
    return min(runs, key=lambda run: run.records / run.size)


def _count(rows: Sequence[Installment], is_alike: Callable[[Installment], bool]) -> int:
    """How many are alike from the first on."""
    return sum(1 for _ in takewhile(is_alike, rows))


def _run(rhythm: _Rhythm, flags: int, due: int, lists: Sequence[int]) -> _Run:
    size, every, shifts = rhythm
    return _Run(size, every, flags | _HAS_SHIFTS * bool(shifts), due, shifts, lists[:size])


def _read_lists(records: NDArray[Any], flags: NDArray[Any], counts: Ints, due: Ints, other: Ints) -> None:
    """Put what is listed of installments in its places."""
    lists = records.view(_LIST)
    values = np.concatenate([lists["first"][:, None], lists["rest"]], axis=1)
    has_lists = (flags & _HAS_LISTS) != 0
    other[has_lists] = _listed(values, has_lists, counts)
    of_principal = (flags & _SAME_PRINCIPAL) != 0
    due[of_principal] += other[of_principal]


def _read_shifts(records: NDArray[Any], flags: NDArray[Any], counts: Ints, days: Ints) -> None:
    """Move days off their rhythm."""
    has_shifts = (flags & _HAS_SHIFTS) != 0
    days[has_shifts] += _listed(records.view(_SHIFTS)["days"], has_shifts, counts)


def _listed(values: NDArray[Any], is_listed: NDArray[np.bool_], counts: Ints) -> NDArray[Any]:
    """Of the installments that are listed the values, a row of them a record; the last of a run has room."""
    listed = counts[is_listed[np.cumsum(counts) - counts]]
    widths = -(-listed // values.shape[1]) * values.shape[1]
    starts = np.cumsum(widths) - widths - (np.cumsum(listed) - listed)
    places = np.repeat(starts, listed) + np.arange(listed.sum())
    return values.ravel()[places]  # type: ignore[no-any-return]


def _rhythms(days: list[int]) -> list[_Rhythm]:
    """How these days go on: without a shift as far as that goes, and with shifts where that goes further."""
    expected = [(0, _DAYS[_place(days[0]) :: _MONTH][: len(days)].tolist())]
    every = days[1] - days[0] if len(days) > 1 else 0
    if 0 < every <= _EVERY_MAX:
        expected.append((every, range(days[0], days[0] + every * len(days), every)))
    steady = max(((max(1, _shared(days, due)), every) for every, due in expected), key=itemgetter(0))
    if steady[0] == len(days):
        return [_Rhythm(*steady)]
    bent = max((_bent(days, *one) for one in expected), key=lambda rhythm: rhythm.size)
    return [_Rhythm(*steady), bent] if bent.size > steady[0] else [_Rhythm(*steady)]


def _bent(days: Sequence[int], every: int, expected: Iterable[int]) -> _Rhythm:
    shifts = list(takewhile(lambda shift: -_SHIFT_MAX <= shift < _SHIFT_MAX, map(sub, days, expected)))
    return _Rhythm(len(shifts), every, shifts)


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
