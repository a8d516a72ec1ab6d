"""Which function applies which fact: a loan's history played over its rows, fact by fact."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from loanbook.domain import apply_charges, apply_contract, apply_losses, apply_money, events
from loanbook.domain.events import Fact, LoanEvent
from loanbook.domain.replay import Replay

Handler = Callable[[Replay, LoanEvent, Any], None]

# What is not here says nothing of the repayment state: checks, collection, cards; undoing.py has reversals.
HANDLERS: dict[type[Fact], Handler] = {
    events.LoanCreated: apply_contract.created,
    events.LoanApproved: apply_contract.decided,
    events.ApprovalUndone: apply_contract.decided,
    events.LoanRejected: apply_contract.ended_before_start,
    events.LoanWithdrawn: apply_contract.ended_before_start,
    events.LoanDisbursed: apply_contract.disbursed,
    events.LoanOpenedFromSnapshot: apply_contract.opened_from_snapshot,
    events.SchedulePublished: apply_contract.scheduled,
    events.LoanRestructured: apply_contract.restructured,
    events.LoanClosed: apply_contract.closed,
    events.BranchMoved: apply_contract.branch_moved,
    events.OfficerChanged: apply_contract.officer_changed,
    events.OwnerChanged: apply_contract.owner_changed,
    events.DelinquencyPaused: apply_contract.paused,
    events.DelinquencyResumed: apply_contract.resumed,
    events.PaymentPosted: apply_money.payment_posted,
    events.PaymentAdjusted: apply_money.payment_posted,
    events.CreditPosted: apply_money.credit_posted,
    events.PaymentChargedBack: apply_money.charged_back,
    events.OverpaymentRefunded: apply_money.overpayment_refunded,
    events.RecoveryPosted: apply_money.recovered,
    events.ChargeAdded: apply_charges.added,
    events.ChargeUpdated: apply_charges.changed,
    events.ChargeDeleted: apply_charges.changed,
    events.ChargeWaiverUndone: apply_charges.changed,
    events.ChargeWaived: apply_charges.waived,
    events.LoanChargedOff: apply_losses.charged_off,
    events.LoanWrittenOff: apply_losses.written_off,
}


def play(replay: Replay) -> None:
    """Apply every fact that counts, each on its day."""
    facts = replay.history.applicable
    if any(type(event.fact) is events.ChargeAdded for event in facts):
        charges_first = replay.settings.charges_first
        place = partial(apply_charges.place, replay.history, charges_first=charges_first)
        facts = sorted(facts, key=place)
    for event in facts:
        handler = HANDLERS.get(type(event.fact))
        if handler is not None:
            handler(replay, event, event.fact)
            apply_losses.give_up_what_came_later(replay, event.fact.effective_on)
