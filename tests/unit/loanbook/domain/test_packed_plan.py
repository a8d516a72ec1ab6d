"""Packed plans: what is unpacked is what was packed, however regular it is."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanbook.domain.packed_plan import RUN, Installment, pack_plan, unpack_plans

ORDINARY = date(2026, 1, 31).toordinal()
MONTH_ENDS = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


@st.composite
def plans(draw: st.DrawFn) -> list[Installment]:
    """Stretches of like installments, of any day, any gap between them and any amount."""
    day = draw(st.integers(1, date.max.toordinal() - 100_000))
    rows: list[Installment] = []
    for _ in range(draw(st.integers(1, 4))):
        flags, due, other = draw(st.integers(0, 3)), draw(st.integers(0, 2**61)), draw(st.integers(0, 2**40))
        steady = st.sampled_from([[30, 31], [7], [7, 8, 6], [33, 28, 30, 31]])
        gaps = draw(st.one_of(steady, st.lists(st.integers(0, 400), min_size=1)))
        less = draw(st.one_of(st.just([0]), st.lists(st.integers(0, 2**32), min_size=1, max_size=13)))
        is_principal_same = draw(st.booleans())
        for number in range(draw(st.integers(1, 12))):
            now = other - less[number % len(less)]
            rows.append((day, flags, due + now if is_principal_same else due, now))
            day += gaps[number % len(gaps)]
    return rows


def read(packed: list[bytes]) -> list[list[Installment]]:
    found = unpack_plans(packed)
    columns = (found.due_day, found.flags, found.due, found.other)
    rows = zip(found.exists.tolist(), *(column.tolist() for column in columns), strict=True)
    return [[one[1:] for one in zip(*row, strict=True) if one[0]] for row in rows]


@given(st.lists(plans(), max_size=5))
def test_plans_are_unpacked_as_they_were_packed(given_plans: list[list[Installment]]) -> None:
    assert read([pack_plan(plan) for plan in given_plans]) == given_plans


def test_nothing_lies_behind_the_last_installment() -> None:
    found = unpack_plans([pack_plan([(ORDINARY, 1, 5, 2)] * 3), pack_plan([(ORDINARY, 1, 5, 2)]), b""])
    assert found.exists.tolist() == [[True] * 3, [True, False, False], [False] * 3]
    for column in (found.due_day, found.flags, found.due, found.other):
        assert not np.any(column[~found.exists])


@pytest.mark.parametrize(
    "days",
    [
        [ORDINARY],
        [day.toordinal() for day in MONTH_ENDS],
        [date(2026, month, 28).toordinal() for month in range(1, 13)],
        [ORDINARY + 14 * number for number in range(52)],
    ],
    ids=["one", "at the ends of months", "on a day of the month", "every two weeks"],
)
def test_equal_installments_in_a_rhythm_are_written_once(days: list[int]) -> None:
    assert len(pack_plan([(day, 1, 12_345, 345) for day in days])) == RUN.itemsize


MONTHS = [date(2026 + month // 12, month % 12 + 1, 5).toordinal() for month in range(24)]


@pytest.mark.parametrize(
    "amounts",
    [
        [(50_000, 12_000 - 400 * n) for n in range(24)],
        [(52_000 - 400 * n, 12_000 - 400 * n) for n in range(24)],
    ],
    ids=["an annuity", "equal parts of the principal"],
)
def test_what_changes_with_each_installment_is_listed_behind_the_run(amounts: list[tuple[int, int]]) -> None:
    plan: list[Installment] = [(day, 1, *amount) for day, amount in zip(MONTHS, amounts, strict=True)]
    packed = pack_plan(plan)
    assert read([packed, packed]) == [plan, plan]
    assert len(packed) == 6 * RUN.itemsize


def test_days_that_weekends_move_are_listed_as_what_they_lie_off() -> None:
    moved = [day + {5: 2, 6: 1}.get(date.fromordinal(day).weekday(), 0) for day in MONTHS]
    assert moved != MONTHS
    same: list[Installment] = [(day, 1, 50_000, 2_000) for day in moved]
    annuity: list[Installment] = [(day, 1, 50_000, 12_000 - 400 * n) for n, day in enumerate(moved)]
    packed = [pack_plan(same), pack_plan(annuity)]
    assert read(packed) == [same, annuity]
    assert [len(plan) for plan in packed] == [3 * RUN.itemsize, 8 * RUN.itemsize]


def test_another_amount_or_another_rhythm_begins_a_run() -> None:
    days = [date(2026, month, 5).toordinal() for month in range(1, 7)]
    assert len(pack_plan([(day, 1, 100 + (day == days[-1]), 0) for day in days])) == 2 * RUN.itemsize
    assert len(pack_plan([(day + (day > days[3]), 1, 100, 0) for day in days])) == 2 * RUN.itemsize
