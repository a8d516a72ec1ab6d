"""Which of a loan's events count on a day, read off the definitions one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from loanbook.domain import events as e
from loanbook.domain.events import Fact, LoanEvent

MONEY = (
    e.PaymentPosted,
    e.PaymentAdjusted,
    e.CreditPosted,
    e.PaymentChargedBack,
    e.OverpaymentRefunded,
    e.RecoveryPosted,
)
_NEEDS_A_DEBT = (
    *MONEY[:-1],
    e.ChargeAdded,
    e.ChargeUpdated,
    e.ChargeWaived,
    e.ChargeWaiverUndone,
    e.ChargeDeleted,
    e.LoanChargedOff,
    e.LoanWrittenOff,
)
_REPLACING = (e.RelationKind.REPLACES, e.RelationKind.REPLAYED_FROM, e.RelationKind.ADJUSTS)
_MOVES_NOTHING = (
    e.LoanCreated,
    e.BranchMoved,
    e.OfficerChanged,
    e.OwnerChanged,
    e.CollectionAttempted,
    e.PromiseMade,
    e.LegalActionStarted,
    e.CardLimitChanged,
    e.CardSpent,
    e.CardStatementIssued,
    e.BureauScoreReceived,
)
_UNDOING = (
    e.PaymentReversed,
    e.RestructureUndone,
    e.DisbursalUndone,
    e.ChargeOffUndone,
    e.WriteOffUndone,
)
_DECISIONS: tuple[tuple[type[Fact], type[Fact]], ...] = (
    (e.DisbursalUndone, e.LoanDisbursed),
    (e.ChargeOffUndone, e.LoanChargedOff),
    (e.WriteOffUndone, e.LoanWrittenOff),
    (e.RestructureUndone, e.LoanRestructured),
)


class Facts:
    """The events that count, those undone, and those put aside with their reason."""

    def __init__(self, events: Iterable[LoanEvent], as_of: date) -> None:
        self.as_of = as_of
        self.all = _each_fact_once(list(events), as_of)
        self.unfounded: set[str] = set()
        self.undone = self._reversed() | self._undone_decisions()
        self.by_hand = self._reversed(by_hand=True)
        self.bootstrap = next((x for x in self.all if isinstance(x.fact, e.LoanOpenedFromSnapshot)), None)
        self.currency = self._currency()
        self.unapplied: list[tuple[str, str]] = []
        self.in_time = [event for event in self.all if self._is_in_time(event)]
        self.schedules = [event for event in self.in_time if isinstance(event.fact, e.SchedulePublished)]
        self.disbursed_on = self._disbursed_on()
        self.count = [event for event in self.in_time if self._has_a_debt(event)]

    def put_aside(self, event: LoanEvent, reason: str) -> bool:
        """Note an event that waits; what is undone waits for nothing."""
        if event.event_id not in self.undone:
            self.unapplied.append((event.event_id, reason))
        return False

    def has_come(self, event: LoanEvent) -> bool:
        """Whether it is dated up to the day; what undoes counts once it is booked."""
        fact = event.fact
        if fact.effective_on <= self.as_of:
            return True
        undoes = isinstance(fact, _UNDOING)
        return undoes and fact.effective_on <= fact.business_on

    def _reversed(self, *, by_hand: bool = False) -> set[str]:
        found: set[str] = set()
        for event in self.all:
            fact = event.fact
            reverses = isinstance(fact, e.PaymentReversed)
            replaces = any(relation.kind in _REPLACING for relation in fact.relates_to)
            adjusts = isinstance(fact, e.PaymentAdjusted)
            if not (reverses or replaces or adjusts) or not self.has_come(event):
                continue
            named = {r.id for r in fact.relates_to if reverses or adjusts or r.kind in _REPLACING}
            if reverses and not named and fact.entity_id:
                named = {fact.entity_id}
            hits = {x.event_id for x in self.all if x is not event and _is_money(x) and _is_one_of(x, named)}
            if not hits and (reverses or adjusts):
                self.unfounded.add(event.event_id)
            if not by_hand or (isinstance(fact, e.PaymentReversed) and fact.manual):
                found |= hits
        return found

    def _undone_decisions(self) -> set[str]:
        undone: set[str] = set()
        for undoing, decision in _DECISIONS:
            for event in self.all:
                if type(event.fact) is undoing and self.has_come(event):
                    undone |= self._decisions_undone_by(event, decision, undone)
        return undone

    def _decisions_undone_by(self, event: LoanEvent, decision: type[Fact], undone: set[str]) -> set[str]:
        named = {relation.id for relation in event.fact.relates_to}
        made = [x for x in self.all if type(x.fact) is decision]
        if named:
            hits = {x.event_id for x in made if _is_one_of(x, named)}
            if not hits:
                self.unfounded.add(event.event_id)
            return hits
        before = [x.event_id for x in made if x.order < event.order]
        if not before:
            self.unfounded.add(event.event_id)
        if decision is e.LoanDisbursed:
            return set(before)
        return set([x for x in before if x not in undone][-1:])

    def _is_in_time(self, event: LoanEvent) -> bool:
        fact = event.fact
        if not self.has_come(event):
            return self.put_aside(event, "future_dated")
        if fact.currency is not None and fact.currency != self.currency:
            return self.put_aside(event, "wrong_currency")
        start = self.bootstrap
        if start is not None and event.order < start.order and not isinstance(fact, _MOVES_NOTHING):
            return self.put_aside(event, "before_bootstrap")
        if isinstance(fact, e.LoanOpenedFromSnapshot) and event is not start:
            return self.put_aside(event, "second_bootstrap")
        return not (isinstance(fact, e.LoanDisbursed) and event.event_id in self.undone)

    def _has_a_debt(self, event: LoanEvent) -> bool:
        fact = event.fact
        if event.event_id in self.unfounded:
            return self.put_aside(event, "unknown_original")
        if not isinstance(fact, _NEEDS_A_DEBT):
            return True
        if self.disbursed_on is None or fact.effective_on < self.disbursed_on:
            return self.put_aside(event, "before_disbursement")
        if not self.schedules and self.bootstrap is None:
            return self.put_aside(event, "no_schedule")
        return True

    def _currency(self) -> str | None:
        for kinds in ((e.LoanDisbursed, e.LoanOpenedFromSnapshot, e.LoanCreated), (Fact,)):
            named = [x.fact.currency for x in self.all if isinstance(x.fact, kinds) and x.fact.currency]
            if named:
                return named[0]
        return None

    def _disbursed_on(self) -> date | None:
        for event in self.in_time:
            if isinstance(event.fact, e.LoanOpenedFromSnapshot):
                return event.fact.disbursed_on
            if isinstance(event.fact, e.LoanDisbursed):
                return event.fact.effective_on
        return None


def _is_money(event: LoanEvent) -> bool:
    return isinstance(event.fact, MONEY)


def _is_one_of(event: LoanEvent, ids: set[str]) -> bool:
    return event.event_id in ids or event.fact.entity_id in ids


def _each_fact_once(events: list[LoanEvent], as_of: date) -> list[LoanEvent]:
    """Drop what comes again under its id, copies under another id, and versions that were replaced."""
    kept: list[LoanEvent] = []
    for event in sorted(events, key=lambda event: (event.order, event.source)):
        if not any(_is_same(event, other) for other in kept):
            kept.append(event)
    return [event for event in kept if not any(_replaces(other, event, as_of) for other in kept)]


def _is_same(one: LoanEvent, other: LoanEvent) -> bool:
    if one.source != other.source:
        return False
    if one.event_id == other.event_id:
        return True
    a, b = one.fact, other.fact
    same_entity = a.entity_id is not None and a.entity_id == b.entity_id
    return type(a) is type(b) and same_entity and a.entity_version == b.entity_version


def _replaces(newer: LoanEvent, older: LoanEvent, as_of: date) -> bool:
    a, b = newer.fact, older.fact
    if isinstance(b, e.SchedulePublished) or type(a) is not type(b) or newer.source != older.source:
        return False
    if b.entity_id is None or a.entity_id != b.entity_id:
        return False
    return a.entity_version > b.entity_version and a.effective_on <= as_of
