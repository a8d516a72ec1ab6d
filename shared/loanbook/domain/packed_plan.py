"""Plans in few bytes: installments that are alike but for their days are written once.

Most loans fall due each month, or every so many days, and ask for the same sum or the same principal each
time. A run is the first such installment, how many more there are, and how many days lie between them: 0 for
a month, and then each falls on the day of the month of the first one, or on the month's last. Where interest
changes from one to the next, as in annuities, what comes before the principal is listed behind the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction
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
_LIST = np.dtype({"names": ["first", "rest"], "formats": ["<i4", "<4i4"], "offsets": [0, 8], "itemsize": 24})
_LISTED = Struct("<iB3x4i")  # in the place of a run: what comes before the principal of five installments
_LISTED_MAX = 2**31
_A_LIST = 5
# Above an installment's own flags: lists follow the run; `due` is the principal alone; a list.
_HAS_LISTS, _SAME_PRINCIPAL, _IS_LIST = 4, 8, 16
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


class _Run(NamedTuple):
    """Some installments from the first on, and what they have in common."""

    size: int
    every: int
    flags: int
    due: int
    lists: Sequence[int] = ()  # what comes before the principal of each, where that changes

    @property
    def records(self) -> int:
        """How many it takes."""
        return 1 + -(-len(self.lists) // _A_LIST)


def pack_plan(installments: Iterable[Installment]) -> bytes:
    """A plan as `unpack_plans` reads it: the same bytes whenever the installments are the same."""
    rows, packed = list(installments), []
    while rows:
        run = _next_run(rows[:_LONGEST])
        packed.append(_RUN.pack(rows[0][0], run.flags, run.size - 1, run.every, run.due, rows[0][3]))
        packed += [_listed(run.lists[n : n + _A_LIST]) for n in range(0, len(run.lists), _A_LIST)]
        del rows[: run.size]
    return b"".join(packed)


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
    if len(runs) < len(records):
        _read_lists(records[~is_run], runs, counts, due, other)
        flags &= _HAS_LISTS - 1
    days = _days_of(runs, counts, ends).astype(np.int32)
    return Unpacked(exists, spread(days), spread(flags), spread(due), spread(other))


def _next_run(rows: Sequence[Installment]) -> _Run:
    """The run that the first of these begin, in the fewest bytes an installment."""
    _, flags, due, other = rows[0]
    owed = due - other
    days = _days_while(rows, lambda row: row[1:] == (flags, due, other))
    plain = _Run(*_run_of(days), flags, due)
    if len(days) == len(rows):
        return plain
    small = rows[: len(_days_while(rows, lambda row: abs(row[3]) < _LISTED_MAX))]
    same_due = _days_while(small, lambda row: row[1:3] == (flags, due))
    same_owed = _days_while(small, lambda row: row[1] == flags and row[2] - row[3] == owed)
    if len(days) >= max(len(same_due), len(same_owed)):
        return plain
    lists = [row[3] for row in small]
    runs = (
        plain,
        _run_with_lists(same_due, flags | _HAS_LISTS, due, lists),
        _run_with_lists(same_owed, flags | _HAS_LISTS | _SAME_PRINCIPAL, owed, lists),
    )
    return min(runs, key=lambda run: Fraction(run.records, run.size))


def _days_while(rows: Sequence[Installment], is_alike: Callable[[Installment], bool]) -> list[int]:
    return [row[0] for row in takewhile(is_alike, rows)]


def _run_with_lists(days: list[int], flags: int, due: int, lists: list[int]) -> _Run:
    size, every = _run_of(days)
    return _Run(size, every, flags, due, lists[:size])


def _listed(values: Sequence[int]) -> bytes:
    first, *rest = [*values, *[0] * (_A_LIST - len(values))]
    return _LISTED.pack(first, _IS_LIST, *rest)


def _read_lists(records: NDArray[Any], runs: NDArray[Any], counts: Ints, due: Ints, other: Ints) -> None:
    """Put what is listed of installments in its places."""
    lists = records.view(_LIST)
    values = np.concatenate([lists["first"][:, None], lists["rest"]], axis=1)
    has_lists = (runs["flags"] & _HAS_LISTS) != 0
    listed = counts[has_lists]
    widths = -(-listed // _A_LIST) * _A_LIST  # the last list of a run may have room left
    starts = np.cumsum(widths) - widths - (np.cumsum(listed) - listed)
    other[np.repeat(has_lists, counts)] = values.ravel()[np.repeat(starts, listed) + np.arange(listed.sum())]
    of_principal = np.repeat((runs["flags"] & _SAME_PRINCIPAL) != 0, counts)
    due[of_principal] += other[of_principal]


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
