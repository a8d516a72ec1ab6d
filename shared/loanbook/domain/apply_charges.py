"""How charges move a loan: added, changed, waived, deleted."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import (
    ChargeAdded,
    ChargeBasis,
    ChargeDeleted,
    ChargeUpdated,
    ChargeWaived,
    ChargeWaiverUndone,
    LoanEvent,
)
from loanbook.domain.history import History, UnappliedReason
from loanbook.domain.money import divide_half_even
from loanbook.domain.replay import Charge, Replay
from loanbook.domain.schedule import row_of_charge
from loanbook.domain.settings import Component

_BPS = 10_000


def place(
    history: History, event: LoanEvent, *, charges_first: bool
) -> tuple[date, bool, tuple[object, ...]]:
    """Where a fact is applied: on its day, charges before that day's money or as they were booked."""
    fact = event.fact
    if isinstance(fact, ChargeAdded):
        return (_counts_from(history, event, fact), not charges_first, event.order[1:])
    return (fact.effective_on, True, event.order[1:])


def added(replay: Replay, event: LoanEvent, fact: ChargeAdded) -> None:
    """Put a charge on the installment its due day lies in, with what later facts made of it."""
    if _is_deleted(replay, fact.charge_id):
        return
    due_on, amount = _as_updated(replay.history, event, fact)
    if amount is None:
        amount = _percentage(replay, fact)
    component = Component.PENALTY if fact.is_penalty else Component.FEE
    charge = Charge(fact.charge_id, fact.name, component, due_on, amount)
    charge.row = row_of_charge(replay.rows, due_on)
    replay.charges[fact.charge_id] = charge
    charge.row.charges = (*charge.row.charges, (due_on.toordinal(), int(component), amount))
    replay.owe(charge.row, component, amount, due_on)
    since = min(due_on, fact.effective_on)
    charge.row.note(since.toordinal())
    replay.settle_from_overpaid(since)


def changed(
    replay: Replay, event: LoanEvent, fact: ChargeUpdated | ChargeDeleted | ChargeWaiverUndone
) -> None:
    """The charge itself was made with this in mind; here only an unknown charge is noticed."""
    known = any(
        isinstance(other.fact, ChargeAdded) and other.fact.charge_id == fact.charge_id
        for other in replay.history.applicable
    )
    if not known:
        replay.history.refuse(event, UnappliedReason.UNKNOWN_CHARGE)


def waived(replay: Replay, event: LoanEvent, fact: ChargeWaived) -> None:
    """What is left of a charge need not be paid."""
    charge = replay.charges.get(fact.charge_id)
    if charge is None or charge.row is None:
        if not _is_deleted(replay, fact.charge_id):
            replay.history.refuse(event, UnappliedReason.UNKNOWN_CHARGE)
        return
    if _is_taken_back(replay, event, fact):
        return
    asked = charge.amount - charge.waived if fact.amount_minor is None else int(fact.amount_minor)
    part = min(asked, charge.amount - charge.waived, charge.row.left(charge.component))
    charge.row.forgive(charge.due_on.toordinal(), part)
    charge.waived += replay.waive(charge.row, charge.component, part, fact.effective_on)
    replay.record(event, part)


def _counts_from(history: History, event: LoanEvent, fact: ChargeAdded) -> date:
    """A charge counts from its due day, or from the day it was made where that is earlier."""
    return min(_as_updated(history, event, fact)[0], fact.effective_on)


def _as_updated(history: History, event: LoanEvent, fact: ChargeAdded) -> tuple[date, int | None]:
    """A charge's due day and amount with what later facts made of them."""
    due_on = fact.due_on or history.disbursed_on or fact.effective_on
    amount = fact.amount_minor
    for other in history.applicable:
        update = other.fact
        if not isinstance(update, ChargeUpdated) or update.charge_id != fact.charge_id:
            continue
        if other.order > event.order:
            due_on = update.due_on or due_on
            amount = update.amount_minor if update.amount_minor is not None else amount
    return due_on, amount


def _percentage(replay: Replay, fact: ChargeAdded) -> int:
    """A percentage of the scheduled principal, interest or both, rounded half to even."""
    principal = sum(row.due[0] - row.added_back[0] for row in replay.rows)
    interest = sum(row.due[1] - row.added_back[1] for row in replay.rows)
    base = {
        ChargeBasis.AMOUNT: principal,
        ChargeBasis.INTEREST: interest,
        ChargeBasis.AMOUNT_AND_INTEREST: principal + interest,
    }[fact.basis]
    return divide_half_even(base * (fact.percent_bps or 0), _BPS)


def _is_deleted(replay: Replay, charge_id: str) -> bool:
    return any(
        isinstance(other.fact, ChargeDeleted) and other.fact.charge_id == charge_id
        for other in replay.history.applicable
    )


def _is_taken_back(replay: Replay, event: LoanEvent, fact: ChargeWaived) -> bool:
    return any(
        isinstance(other.fact, ChargeWaiverUndone)
        and other.fact.charge_id == fact.charge_id
        and other.order > event.order
        for other in replay.history.applicable
    )
