"""The figures of a naively played loan, by the names of `loanbook.domain.loan.Loan`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from loanbook.domain.events import LoanEvent, ScheduleKind
from loanbook.domain.settings import Component, ProductSettings
from loanbook.domain.state import DelinquencyBucket, LoanStatus
from loanbook.reference.book import Book
from loanbook.reference.parts import Part
from loanbook.reference.plays import play

_END = date.max
_RESETTING = (ScheduleKind.RESTRUCTURED, ScheduleKind.MOVED)


def naive_loan(events: Iterable[LoanEvent], settings: ProductSettings, as_of: date) -> dict[str, Any]:
    """The figures of one loan at the close of a day, from the set of its events."""
    events = list(events)
    book = play(events, settings, as_of)
    figures: dict[str, Any] = {
        "restructured_on": max(book.restructured_on, default=None),
        "restructures": len(book.restructured_on),
        "status": _status(book),
        "disbursed_on": book.facts.disbursed_on,
        "disbursed": book.disbursed,
        "unapplied": sorted(book.facts.unapplied),
        "charged_off_on": book.charged_off_on,
        "charged_off": book.charged_off,
        "written_off_on": book.written_off_on,
        "written_off": book.written_off,
        "recovered": book.recovered,
        "returned_payments": book.returned_payments,
        "last_payment_on": book.last_payment[0] if book.last_payment else None,
        "last_payment": book.last_payment[1] if book.last_payment else 0,
    }
    if book.facts.disbursed_on is None:
        return figures
    figures |= _debt(book) | _lateness(book) | _conduct(book) | {"installments": _installments(book)}
    return figures | _before_reset(book, events, figures)


def _before_reset(book: Book, events: list[LoanEvent], figures: dict[str, Any]) -> dict[str, Any]:
    """Days past due ever, and before a restructure: moved due days do not make past lateness undone."""
    start = book.facts.disbursed_on
    days = [x.fact.effective_on for x in book.facts.schedules if x.fact.kind in _RESETTING]  # type: ignore[attr-defined]
    later = [day for day in days if start is not None and day > start]
    if not later:
        return {"dpd_before_restructure": 0}
    reset_on = max(later)
    day_before = reset_on - timedelta(days=1)
    before = naive_loan(events, book.settings, day_before)
    since = before["past_due_on"]
    late = 0 if since is None else (day_before - since).days
    is_restructure = reset_on == figures["restructured_on"]
    return {
        "max_dpd": max(figures["max_dpd"], before["max_dpd"]),
        "dpd_before_restructure": late if is_restructure else before["dpd_before_restructure"],
    }


def _status(book: Book) -> LoanStatus | None:
    if book.facts.disbursed_on is None:
        return None  # an application; its states are upstream's
    if book.written_off_on is not None:
        return LoanStatus.WRITTEN_OFF
    if not book.parts or any(part.owed(_END) for part in book.parts):
        return LoanStatus.ACTIVE
    return LoanStatus.OVERPAID if book.overpaid else LoanStatus.CLOSED


def _debt(book: Book) -> dict[str, Any]:
    owed = sum(part.owed(_END) for part in book.parts)
    scheduled = sum(amount for part in book.parts for _, _, amount in part.debts)
    due = [part for part in book.parts if part.due_on <= book.as_of]
    return {
        "total_outstanding": owed,
        "scheduled": scheduled,
        "due_to_date": sum(amount for part in due for _, _, amount in part.debts),
        "principal_outstanding": _principal(book, owed, scheduled),
        "paid": book.paid,
        "overpaid": book.overpaid,
        "refunded": book.refunded,
    }


def _principal(book: Book, owed: int, scheduled: int) -> int:
    if not book.parts:
        return book.disbursed
    if not owed:
        return 0
    if book.totals_only:
        return _pro_rata(book, owed, scheduled)
    planned = sum(
        a for p in book.parts for day, c, a in p.debts if c is Component.PRINCIPAL and day == date.min
    )
    left = sum(part.owed(_END, Component.PRINCIPAL) for part in book.parts)
    return max(0, book.disbursed - planned + left)


def _pro_rata(book: Book, amount: int, scheduled: int) -> int:
    exact = Decimal(book.disbursed) * amount / scheduled
    return int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def _lateness(book: Book) -> dict[str, Any]:
    t, settings = book.as_of, book.settings
    late = [found for part in book.parts if (found := part.late(t)) is not None]
    tolerated = [f[0] for part in book.parts if (f := part.late(t, settings.tolerance_minor)) is not None]
    days = _delinquent_days(book, min(tolerated)) if tolerated else 0
    open_ahead = [part for part in _by_due(book) if part.due_on >= t and part.owed(_END)]
    return {
        "past_due_on": min(since for since, _ in late) if late else None,
        "overdue": sum(amount for _, amount in late),
        "delinquent_days": days,
        "bucket": DelinquencyBucket(sum(days > edge for edge in (0, *settings.bucket_edges))),
        "next_due_on": open_ahead[0].due_on if open_ahead else None,
        "next_due": open_ahead[0].owed(_END) if open_ahead else 0,
        "max_dpd": _worst(book),
    }


def _delinquent_days(book: Book, since: date) -> int:
    """Count the days one by one; the day a pause ends on still stands still."""
    days = 0
    day = since
    while day < book.as_of:
        day += timedelta(days=1)
        paused = any(start < day <= end for start, end in book.pauses)
        days += book.settings.pause_counts or not paused
    return max(0, days - book.settings.grace_days)


def _worst(book: Book) -> int:
    """Days past due at every close since the disbursement."""
    worst, day = 0, book.facts.disbursed_on or book.as_of
    first = min((part.due_on for part in book.parts), default=day)
    day = min(day, first)
    while day <= book.as_of:
        for part in book.parts:
            late = None if part.met_before_bootstrap else part.late(day)
            worst = max(worst, (day - late[0]).days if late else 0)
        day += timedelta(days=1)
    return worst


def _conduct(book: Book) -> dict[str, Any]:
    settings, t = book.settings, book.as_of
    known = [part for part in _by_due(book) if part.is_installment and not part.met_before_bootstrap]
    outcomes = []
    for part in (part for part in known if part.due_on < t):
        late = ((part.met_on or t) - part.due_on).days
        if part.met_on is not None or late > settings.missed_after_days:
            outcomes.append((part.due_on, max(0, late), part.met_on is not None))
    missed = [due for due, late, _ in outcomes if late > settings.missed_after_days]
    streak = 0
    for _, late, _ in outcomes:
        streak = streak + 1 if late == 0 else 0
    return {
        "decided": len(outcomes),
        "missed_12m": sum((t - due).days < 365 for due in missed),  # noqa: PLR2004 - twelve months
        "on_time_streak": streak,
        "days_late_sum": sum(late for _, late, met in outcomes if met),
        "recent_days_late": tuple(
            late if met else settings.missed_after_days + 1 for _, late, met in outcomes[-3:]
        ),
        "first_payment_default": _is_first_payment_default(book),
    }


def _is_first_payment_default(book: Book) -> bool:
    rows = [part for part in _by_due(book) if part.is_installment]
    if not rows or rows[0].met_before_bootstrap or book.facts.disbursed_on is None:
        return False
    settings, first = book.settings, rows[0]
    last_due_on = max(part.due_on for part in book.parts)
    term = (last_due_on - book.facts.disbursed_on).days if book.term_days is None else book.term_days
    days = settings.first_payment_default_days
    if term <= settings.short_term_days:
        days = settings.first_payment_default_days_short
    limit = first.due_on + timedelta(days=days)
    return limit < book.as_of and (first.met_on is None or first.met_on > limit)


def _installments(book: Book) -> list[tuple[Any, ...]]:
    """Number, due day, and by component what is due, paid and waived; since when nothing is owed."""
    return [
        (
            part.number,
            part.due_on,
            tuple(_sum(part.debts, component) for component in Component),
            tuple(_sum(part.settled, component) for component in Component),
            tuple(_sum(part.waived, component) for component in Component),
            part.met_on,
        )
        for part in _by_due(book)
    ]


def _sum(entries: list[tuple[date, Component, int]], component: Component) -> int:
    return sum(amount for _, part, amount in entries if part is component)


def _by_due(book: Book) -> list[Part]:
    return sorted(book.parts, key=lambda part: (part.due_on, part.number))
