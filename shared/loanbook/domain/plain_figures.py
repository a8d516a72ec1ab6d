"""Every figure of many plain loans at the close of a day: the columns of what figures.py says of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loanbook.domain.delinquency import PAR_DAYS
from loanbook.domain.plain import Days, Flags, Ints, PlainLoans, open_of, sum_where
from loanbook.domain.punctuality import RECENT, WINDOW_DAYS
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import LoanStatus

_NEVER = np.int32(2**30)  # later than any day; the sum of it and a day is a number of 32 bits, too
_EDGES = slice(6, 9)


def rules_of(settings: ProductSettings) -> tuple[int, ...]:
    """A product's settings in the order in which the columns of `PlainLoans.rules` stand."""
    return (
        settings.tolerance_minor,
        settings.grace_days,
        settings.missed_after_days,
        settings.short_term_days,
        settings.first_payment_default_days,
        settings.first_payment_default_days_short,
        *settings.bucket_edges,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFigures:
    """Figures of plain loans, named as in `state.Loan`; days are ordinals, 0 for none."""

    status: Ints
    bucket: Ints
    first_payment_default: Flags
    principal_outstanding: Ints
    total_outstanding: Ints
    overdue: Ints
    overdue_principal: Ints
    due_to_date: Ints
    past_due_on: Ints
    next_due_on: Ints
    next_due: Ints
    next_boundary_on: Ints
    missed_12m: Ints
    on_time_streak: Ints
    decided: Ints
    days_late_sum: Ints
    max_dpd: Ints
    recent_days_late: Ints  # matrix of the last three, the latest first; -1 where there are fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lateness:
    """Of each installment: is it a judged one, how late, was it missed."""

    judged: Flags
    late: Days
    missed: Flags
    met: Flags
    counted_late: Days  # as the recent ones are told: an open one counts as just missed


def plain_figures(loans: PlainLoans, today: Ints) -> PlainFigures:
    """Read plain loans off at the close of each one's day."""
    plans, left, now = loans.plans, open_of(loans), today[:, None].astype(np.int32)
    past = plans.exists & (plans.due_day < now)
    late = past & (left > 0)
    principal_left = np.minimum(left, plans.due - plans.other)
    total = left.sum(axis=1)
    overdue = sum_where(late, left)
    classed_since = _first(plans.due_day, late & (left > loans.rules[:, 0, None]))
    default_day = _default_day(loans)
    lateness = _lateness(loans, past, now)
    coming = plans.exists & ~past & (left > 0)
    first_coming = np.arange(len(coming)), coming.argmax(axis=1)
    return PlainFigures(
        status=np.where(
            total > 0,
            int(LoanStatus.ACTIVE),
            np.where(loans.overpaid > 0, int(LoanStatus.OVERPAID), int(LoanStatus.CLOSED)),
        ),
        bucket=_buckets(loans, classed_since, today),
        first_payment_default=(default_day > 0) & (today >= default_day),
        principal_outstanding=_principal(loans, principal_left, total),
        total_outstanding=total,
        overdue=overdue,
        overdue_principal=np.where(
            loans.estimated, _pro_rata(loans, overdue), sum_where(late, principal_left)
        ),
        due_to_date=sum_where(plans.due_day <= now, plans.due),
        past_due_on=_first(plans.due_day, late),
        next_due_on=(plans.due_day[first_coming] * coming[first_coming]).astype(np.int64),
        next_due=left[first_coming] * coming[first_coming],
        next_boundary_on=_boundaries(loans, left, classed_since, lateness, default_day, today),
        missed_12m=lateness.missed.sum(axis=1),
        on_time_streak=_streak(lateness),
        decided=lateness.judged.sum(axis=1),
        days_late_sum=sum_where(lateness.judged & lateness.met, lateness.late),
        max_dpd=_worst(loans, past, now),
        recent_days_late=_recent(lateness),
    )


def _first(days: Ints | Days, mask: Flags) -> Ints:
    """The first day where the mask is set, 0 where nowhere."""
    found = (days + ~mask * _NEVER).min(axis=1).astype(np.int64)
    return np.where(found >= _NEVER, 0, found)


def _principal(loans: PlainLoans, left: Ints, total: Ints) -> Ints:
    plans = loans.plans
    paid = (plans.due - plans.other - left).sum(axis=1)
    owed = np.where(loans.estimated, _pro_rata(loans, total), np.maximum(0, loans.disbursed - paid))
    return np.where(total > 0, owed, 0)


def _pro_rata(loans: PlainLoans, amount: Ints) -> Ints:
    """`amount` of what was scheduled, as a part of what was disbursed; half to even."""
    scheduled = np.maximum(loans.scheduled, 1)
    whole, rest = np.divmod(np.where(loans.estimated, loans.disbursed * amount, 0), scheduled)
    is_up: Flags = (2 * rest > scheduled) | ((2 * rest == scheduled) & (whole % 2 == 1))
    return np.add(whole, is_up)


def _buckets(loans: PlainLoans, since: Ints, today: Ints) -> Ints:
    days = np.where(since > 0, np.maximum(0, today - since - loans.rules[:, 1]), 0)
    over = (loans.rules[:, _EDGES] < days[:, None]).sum(axis=1)
    return np.where(days > 0, 1 + over, 0)


def _default_day(loans: PlainLoans) -> Ints:
    """The day on which a first-payment default will be known; 0: never."""
    plans, rules = loans.plans, loans.rules
    place = np.arange(len(plans.due)), plans.countable.argmax(axis=1)
    last_due = plans.due_day.max(axis=1)
    term = np.where(loans.term_days >= 0, loans.term_days, last_due - loans.disbursed_day)
    last_day = plans.due_day[place] + np.where(term <= rules[:, 3], rules[:, 5], rules[:, 4])
    met_day = loans.met_day[place]
    never = ~plans.countable[place] | plans.before[place] | ((met_day > 0) & (met_day <= last_day))
    return np.where(never, 0, last_day + 1)


def _lateness(loans: PlainLoans, past: Flags, now: Days) -> _Lateness:
    plans, missed_after = loans.plans, loans.rules[:, 2, None].astype(np.int32)
    met = loans.met_day > 0
    late = np.maximum(0, loans.met_day + ~met * now - plans.due_day)
    judged = past & plans.countable & ~plans.before & (met | (late > missed_after))
    in_window = plans.due_day > now - WINDOW_DAYS
    return _Lateness(
        judged=judged,
        late=late,
        missed=judged & (late > missed_after) & in_window,
        met=met,
        counted_late=late * met + ~met * (missed_after + 1),
    )


def _streak(lateness: _Lateness) -> Ints:
    """Judged installments since the last late one."""
    was_late = lateness.judged & (lateness.late > 0)
    width = was_late.shape[1]
    last = np.where(was_late.any(axis=1), width - 1 - was_late[:, ::-1].argmax(axis=1), -1)
    streak: Ints = (lateness.judged & (np.arange(width) > last[:, None])).sum(axis=1)
    return streak


def _recent(lateness: _Lateness) -> Ints:
    judged, late = lateness.judged[:, ::-1].copy(), lateness.counted_late[:, ::-1]
    loans, picked = np.arange(len(judged)), []
    for _ in range(RECENT):
        latest = loans, judged.argmax(axis=1)
        picked.append(np.where(judged[latest], late[latest], -1))
        judged[latest] = False
    return np.stack(picked, axis=1)


def _worst(loans: PlainLoans, past: Flags, now: Days) -> Ints:
    """The most days past due that any installment has been."""
    is_open = loans.met_day == 0
    until = loans.met_day - 1 + is_open * (now + 1)
    late = (until - loans.plans.due_day) * (past & ~loans.plans.before)
    worst: Ints = np.maximum(0, late.max(axis=1)).astype(np.int64)
    return worst


def _boundaries(  # noqa: PLR0913, PLR0917 - the facts a day can depend on
    loans: PlainLoans, left: Ints, since: Ints, lateness: _Lateness, default_day: Ints, today: Ints
) -> Ints:
    """The first day after today on which the same events give another figure; 0: none."""
    plans, rules, now = loans.plans, loans.rules, today[:, None].astype(np.int32)
    is_due = plans.due_day == now
    missed_on = (plans.due_day + (rules[:, 2, None].astype(np.int32) + 1)) * (left > 0)
    by_row = plans.due_day * (plans.due_day > now) + (now + 1) * is_due + missed_on * (plans.due_day < now)
    first_missed = _first(plans.due_day, lateness.missed)
    graced = since + rules[:, 1] + 1
    by_loan = [default_day, np.where(first_missed > 0, first_missed + WINDOW_DAYS, 0), _if(since, graced)]
    by_loan += [_if(since, since + edge + 1) for edge in PAR_DAYS]
    by_loan += [_if(since, graced + edge) for edge in loans.rules[:, _EDGES].T]
    by_loan.append(_first(by_row, plans.exists & (by_row > now)))
    days = np.stack(by_loan, axis=1)
    return _first(days, days > now)


def _if(since: Ints, days: Ints) -> Ints:
    return np.where(since > 0, days, 0)
