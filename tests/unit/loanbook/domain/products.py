"""Strategies for products and for the schedules that follow one another on a loan."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from loanbook.domain import events as facts
from loanbook.domain.money import Minor
from loanbook.domain.settings import (
    STEP_NAMES,
    AllocationOrder,
    Component,
    FutureRule,
    Processing,
    ProductSettings,
)
from tests.builders import some_periods


@st.composite
def product_settings(draw: st.DrawFn) -> ProductSettings:
    """Settings of a product."""
    orders = st.builds(
        AllocationOrder,
        steps=st.one_of(
            st.just(AllocationOrder().steps), st.permutations(tuple(STEP_NAMES.values())).map(tuple)
        ),
        future_rule=st.sampled_from(FutureRule),
        processing=st.sampled_from(Processing),
        charges_due_on_their_own=st.booleans(),
    )
    return draw(
        st.builds(
            ProductSettings,
            allocation=orders,
            allocation_by_kind=st.dictionaries(
                st.sampled_from(["goodwill", "repayment"]), orders, max_size=1
            ),
            chargeback_order=st.sampled_from([(Component.PRINCIPAL,), tuple(Component)]),
            grace_days=st.sampled_from([0, 0, 3]),
            tolerance_minor=st.sampled_from([0, 0, 5]),
            pause_counts=st.booleans(),
            charges_first=st.booleans(),
            carries_payments_over=st.booleans(),
        )
    )


def replanned(draw: st.DrawFn, periods: tuple[facts.Period, ...]) -> tuple[facts.Period, ...]:
    """Another schedule: due days moved, amounts changed, installments gone or new ones behind."""
    more = some_periods(draw(st.lists(st.integers(0, 100), max_size=1)), first_day=draw(st.integers(60, 140)))
    kept = periods[: draw(st.sampled_from([len(periods), len(periods), 1]))]
    moved = [
        changed(period, due_on=period.due_on + timedelta(days=draw(st.sampled_from([0, 0, 0, 5, 20]))))
        if period.principal_minor is None or draw(st.booleans())
        else changed(period, principal_minor=Minor(draw(st.integers(0, 100))))
        for period in kept
    ]
    moved += [changed(period, number=len(periods) + 1) for period in more]
    return tuple(moved)


def changed(period: facts.Period, **fields: object) -> facts.Period:
    """A period with other values."""
    values = {name: getattr(period, name) for name in period.__struct_fields__}
    return facts.Period(**{**values, **fields})
