"""What no longer counts because a later fact undoes it: reversals, corrections, undone decisions."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import (
    ChargeOffUndone,
    DisbursalUndone,
    Fact,
    LoanChargedOff,
    LoanDisbursed,
    LoanEvent,
    LoanRestructured,
    LoanWrittenOff,
    PaymentAdjusted,
    PaymentReversed,
    RelationKind,
    RestructureUndone,
    WriteOffUndone,
)

_DECISIONS: dict[type[Fact], type[Fact]] = {
    DisbursalUndone: LoanDisbursed,
    ChargeOffUndone: LoanChargedOff,
    WriteOffUndone: LoanWrittenOff,
    RestructureUndone: LoanRestructured,
}
_REPLACING = frozenset({RelationKind.REPLACES, RelationKind.REPLAYED_FROM, RelationKind.ADJUSTS})


class Undoings:
    """Which events of a loan are undone, and whether by hand or by upstream's own restating.

    What undoes counts from the day of its original, once it is booked: a returned payment never
    was. Only one booked ahead of its own day waits for that day.
    """

    __slots__ = ("_as_of", "_by_hand", "_technical", "_unfounded", "is_empty", "named")

    def __init__(self, facts: list[LoanEvent], as_of: date) -> None:
        self._as_of = as_of
        self._by_hand: set[str] = set()
        self._technical: set[str] = set()
        self._unfounded: set[str] = set()  # event ids of what undoes nothing known
        undoers = [e for e in facts if _may_undo(e.fact) and self.counts_already(e)]
        for event in undoers:
            originals = self._originals_of(event, facts)
            if originals is None:
                self._unfounded.add(event.event_id)
            elif isinstance(event.fact, PaymentReversed) and event.fact.manual:
                self._by_hand |= originals
            else:
                self._technical |= originals
        self.is_empty = not self._by_hand and not self._technical
        self.named = tuple(sorted({name for event in undoers for name in event.fact.originals}))

    def counts_already(self, event: LoanEvent) -> bool:
        """Whether an event has come; a fact that undoes and is booked has, whatever its own day."""
        fact = event.fact
        if fact.effective_on <= self._as_of:
            return True
        return fact.UNDOES and fact.cash == 0 and fact.effective_on <= fact.business_on

    def undoes(self, event: LoanEvent) -> bool:
        """Whether an event no longer counts."""
        return not self.is_empty and (event.event_id in self._by_hand or event.event_id in self._technical)

    def undoes_by_hand(self, event: LoanEvent) -> bool:
        """Whether somebody reversed it: a business fact, not upstream's replay of its books."""
        return event.event_id in self._by_hand

    def has_original(self, event: LoanEvent) -> bool:
        """Whether what this event undoes is known."""
        return event.event_id not in self._unfounded

    def _originals_of(self, event: LoanEvent, facts: list[LoanEvent]) -> set[str] | None:
        """Event ids of what an event undoes; None when that is not known, empty when undone before."""
        fact = event.fact
        decision = _DECISIONS.get(type(fact))
        if decision is None:
            named = _named_by(fact)
            found = {
                e.event_id for e in facts if e is not event and e.fact.REVERSIBLE and _is_named(e, named)
            }
            return found or None
        candidates = [e for e in facts if type(e.fact) is decision]
        if fact.relates_to:
            found = {e.event_id for e in candidates if _is_named(e, frozenset(fact.originals))}
            return found or None
        return _without_name(event, candidates, self._technical)


def _may_undo(fact: Fact) -> bool:
    if fact.UNDOES:
        return True
    return bool(fact.relates_to) and any(relation.kind in _REPLACING for relation in fact.relates_to)


def _named_by(fact: Fact) -> frozenset[str]:
    if isinstance(fact, PaymentReversed):
        return frozenset(fact.originals)
    kinds = _REPLACING if not isinstance(fact, PaymentAdjusted) else frozenset(RelationKind)
    return frozenset(relation.id for relation in fact.relates_to if relation.kind in kinds)


def _is_named(event: LoanEvent, ids: frozenset[str]) -> bool:
    return event.event_id in ids or event.fact.entity_id in ids


def _without_name(undoing: LoanEvent, candidates: list[LoanEvent], undone: set[str]) -> set[str] | None:
    """Every disbursement before; of the other decisions the latest one still standing."""
    before = [e for e in candidates if e.order < undoing.order]
    if not before:
        return None
    if type(undoing.fact) is DisbursalUndone:
        return {e.event_id for e in before}
    standing = [e for e in before if e.event_id not in undone]
    return {standing[-1].event_id} if standing else set()
