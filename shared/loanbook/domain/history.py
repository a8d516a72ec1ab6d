"""A loan's events as a set: each fact once, in effective order, and which of them count on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from operator import attrgetter

from loanbook.domain.events import (
    LoanCreated,
    LoanDisbursed,
    LoanEvent,
    LoanOpenedFromSnapshot,
    ScheduleKind,
    SchedulePublished,
)
from loanbook.domain.state import Unapplied
from loanbook.domain.undoing import Undoings


class UnappliedReason(StrEnum):
    """Why an event is kept and does not count."""

    BEFORE_BOOTSTRAP = "before_bootstrap"
    BEFORE_DISBURSEMENT = "before_disbursement"
    FUTURE_DATED = "future_dated"
    NO_SCHEDULE = "no_schedule"
    ORIGINAL_REVERSED = "original_reversed"
    SECOND_BOOTSTRAP = "second_bootstrap"
    STILL_OWING = "still_owing"
    UNKNOWN_CHARGE = "unknown_charge"
    UNKNOWN_ORIGINAL = "unknown_original"
    WRONG_CURRENCY = "wrong_currency"


UNAPPLIED_REASONS = frozenset(reason.value for reason in UnappliedReason)
_ENTITY = attrgetter("fact.entity_id")
_RESETTING = frozenset({ScheduleKind.RESTRUCTURED, ScheduleKind.MOVED})
_CURRENCY_SETTERS = (LoanDisbursed, LoanOpenedFromSnapshot, LoanCreated)


class History:
    """The events that count at the close of a day, in effective order; the others with their reason."""

    __slots__ = (
        "applicable",
        "as_of",
        "bootstrap",
        "currency",
        "disbursed_on",
        "duplicates",
        "is_disbursal_undone",
        "is_revised",
        "last_order",
        "last_reset_on",
        "next_future_on",
        "schedules",
        "unapplied",
        "undoings",
    )

    def __init__(self, events: Iterable[LoanEvent], as_of: date) -> None:
        facts, self.duplicates = _each_once(events, as_of)
        self.as_of = as_of
        self.unapplied: list[Unapplied] = []
        self.last_order = facts[-1].order if facts else None
        self.is_revised = any(map(_is_later_version, facts))
        later = (event.fact.effective_on for event in facts if event.fact.effective_on > as_of)
        self.next_future_on = min(later, default=None)
        self.currency = _currency_of(facts)
        self.bootstrap = next((e for e in facts if type(e.fact) is LoanOpenedFromSnapshot), None)
        self.undoings = Undoings(facts, as_of)
        kept = self._on_time(facts)
        self.schedules = [event for event in kept if type(event.fact) is SchedulePublished]
        self.disbursed_on = _disbursed_on(kept)
        self.is_disbursal_undone = self.disbursed_on is None and any(
            type(event.fact) is LoanDisbursed and self.undoings.undoes(event) for event in facts
        )
        self.applicable = self._with_a_debt_to_move(kept)
        self.last_reset_on = self._last_reset_on()

    def refuse(self, event: LoanEvent, reason: UnappliedReason) -> None:
        """Keep an event aside; what is undone waits for nothing and is not shown."""
        if not self.undoings.undoes(event):
            self.unapplied.append(
                Unapplied(event_id=event.event_id, reason=reason.value, amount=event.fact.cash)
            )

    def _last_reset_on(self) -> date | None:
        """The latest day on which due days were changed, so that lateness before it needs the old plan."""
        start = self.disbursed_on
        resets = [event.fact.effective_on for event in self.schedules if event.fact.kind in _RESETTING]  # type: ignore[attr-defined]
        return max((on for on in resets if start is not None and on > start), default=None)

    def _on_time(self, facts: list[LoanEvent]) -> list[LoanEvent]:
        """Put aside what is dated later, in another currency, or before the loan's bootstrap."""
        start = self.bootstrap.order if self.bootstrap else None
        kept = []
        for event in facts:
            fact = event.fact
            if fact.effective_on > self.as_of and not self.undoings.counts_already(event):
                self.refuse(event, UnappliedReason.FUTURE_DATED)
            elif fact.currency is not None and fact.currency != self.currency:
                self.refuse(event, UnappliedReason.WRONG_CURRENCY)
            elif start is not None and not fact.ATTRIBUTES_ONLY and event.order < start:
                self.refuse(event, UnappliedReason.BEFORE_BOOTSTRAP)
            elif type(fact) is LoanOpenedFromSnapshot and event is not self.bootstrap:
                self.refuse(event, UnappliedReason.SECOND_BOOTSTRAP)
            elif type(fact) is not LoanDisbursed or not self.undoings.undoes(event):
                kept.append(event)
        return kept

    def _with_a_debt_to_move(self, facts: list[LoanEvent]) -> list[LoanEvent]:
        """Put aside money before the disbursement or without a schedule, and reversals of nothing."""
        start = self.disbursed_on
        planned = bool(self.schedules) or self.bootstrap is not None
        kept = []
        for event in facts:
            fact = event.fact
            if fact.UNDOES and not self.undoings.has_original(event):
                self.refuse(event, UnappliedReason.UNKNOWN_ORIGINAL)
            elif fact.MOVES_DEBT and (start is None or fact.effective_on < start):
                self.refuse(event, UnappliedReason.BEFORE_DISBURSEMENT)
            elif fact.MOVES_DEBT and not planned:
                self.refuse(event, UnappliedReason.NO_SCHEDULE)
            else:
                kept.append(event)
        return kept


def _each_once(events: Iterable[LoanEvent], as_of: date) -> tuple[list[LoanEvent], int]:
    """Facts in order, of several copies the first, of several versions the last that has come; copies."""
    by_id = {(event.source, event.event_id): event for event in events}
    ordered = list(by_id.values())
    if len({source for source, _ in by_id}) > 1:
        ordered.sort(key=attrgetter("source"))  # settles what the order leaves open
    ordered.sort(key=attrgetter("order"))
    if not any(map(_ENTITY, ordered)):
        return ordered, 0
    newest: dict[tuple[str, str, str], int] = {}
    copies: dict[tuple[str, str, str, int], LoanEvent] = {}
    for event in ordered:
        fact = event.fact
        if fact.entity_id is not None:
            entity = (event.source, fact.TYPE, fact.entity_id)
            copies.setdefault((*entity, fact.entity_version), event)
            if fact.effective_on <= as_of:
                newest[entity] = max(newest.get(entity, 0), fact.entity_version)
    firsts = [e for e in ordered if e.fact.entity_id is None or copies[_copy_key(e)] is e]
    return [e for e in firsts if _is_in_force(e, newest)], len(ordered) - len(firsts)


def _is_later_version(event: LoanEvent) -> bool:
    """Whether an event is a corrected version of a fact; a schedule's versions are no corrections."""
    return event.fact.entity_version != 1 and type(event.fact) is not SchedulePublished


def _copy_key(event: LoanEvent) -> tuple[str, str, str, int]:
    fact = event.fact
    return (event.source, fact.TYPE, fact.entity_id or "", fact.entity_version)


def _is_in_force(event: LoanEvent, newest: dict[tuple[str, str, str], int]) -> bool:
    """Whether no later version of the fact has come; every version of a schedule has its time."""
    fact = event.fact
    if fact.entity_id is None or type(fact) is SchedulePublished:
        return True
    return fact.entity_version >= newest.get((event.source, fact.TYPE, fact.entity_id), 0)


def _currency_of(facts: list[LoanEvent]) -> str | None:
    """The loan's currency: what it was paid out in, else what it was created in, else the first named."""
    for kinds in (*_CURRENCY_SETTERS, object):
        for event in facts:
            if event.fact.currency is not None and isinstance(event.fact, kinds):
                return event.fact.currency
    return None


def _disbursed_on(facts: list[LoanEvent]) -> date | None:
    for event in facts:
        if type(event.fact) is LoanOpenedFromSnapshot:
            return event.fact.disbursed_on
        if type(event.fact) is LoanDisbursed:
            return event.fact.effective_on
    return None
