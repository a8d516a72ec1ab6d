"""Plain loans as columns, as contract or snapshot opened them: their plans, and nothing paid yet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from loanbook.domain.packed_plan import pack_plan
from loanbook.domain.plain import Ints, PlainLoans, Plans, nothing_paid
from loanbook.domain.plainness import BEFORE_BOOTSTRAP, COUNTABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """Loans with one schedule of regular installments, by principal; a snapshot may have paid on it."""

    due_day: Ints  # matrix, ascending; 0 behind the last
    principal: Ints  # matrix
    other: Ints  # matrix of interest, fees and penalties
    rules: Ints
    disbursed: Ints
    disbursed_day: Ints
    term_days: Ints
    paid: Ints  # before the snapshot


def opened(openings: Openings) -> PlainLoans:
    """The loans with nothing paid on them yet; `plain_history.pay_all` takes what was."""
    exists, due = openings.due_day > 0, openings.principal + openings.other
    until = np.cumsum(due, axis=1)
    plans = Plans(
        exists=exists,
        due_day=openings.due_day.astype(np.int32),
        due=due,
        other=openings.other,
        until=until,
        countable=exists,
        before=exists & (until <= openings.paid[:, None]),
    )
    return PlainLoans(
        plans=plans,
        rules=openings.rules,
        disbursed=openings.disbursed,
        disbursed_day=openings.disbursed_day,
        scheduled=plans.total,
        term_days=openings.term_days,
        estimated=np.zeros(len(due), np.bool_),
        **nothing_paid(plans),
    )


def packed_plans(plans: Plans) -> list[bytes]:
    """The plan of each loan as `plainness` packs it."""
    flags = COUNTABLE * plans.countable + BEFORE_BOOTSTRAP * plans.before
    matrices = (plans.due_day, flags, plans.due, plans.other)
    columns = [matrix.tolist() for matrix in matrices]
    counts = plans.exists.sum(axis=1).tolist()
    return [
        pack_plan(islice(zip(*rows, strict=True), count))
        for count, *rows in zip(counts, *columns, strict=True)
    ]
