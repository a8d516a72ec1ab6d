"""How money moves a loan: payments, credits, chargebacks, refunds, recoveries."""

from __future__ import annotations

from loanbook.domain.events import (
    CreditPosted,
    LoanEvent,
    OverpaymentRefunded,
    PaymentChargedBack,
    PaymentPosted,
    PeriodKind,
    Portions,
    RecoveryPosted,
)
from loanbook.domain.history import UnappliedReason
from loanbook.domain.repayment import Share, by_component
from loanbook.domain.replay import Record, Replay
from loanbook.domain.row import Row
from loanbook.domain.schedule import COMPONENTS, row_due_after
from loanbook.domain.settings import Component


def payment_posted(replay: Replay, event: LoanEvent, fact: PaymentPosted) -> None:
    """Cash settles debt; after a write-off it is a recovery."""
    if _is_undone(replay, event, fact.amount_minor):
        replay.returned_payments += replay.history.undoings.undoes_by_hand(event)
        return
    if replay.written_off_on is not None:
        _recover(replay, event, fact.amount_minor)
        return
    record = _settled(replay, event, fact, fact.kind.value)
    replay.paid += fact.amount_minor
    replay.last_payment_on, replay.last_payment = fact.effective_on, fact.amount_minor
    day = replay.cash.setdefault(fact.effective_on, [0, 0, 0])
    for timing in (0, 1, 2):
        day[timing] += record.by_timing[timing]


def credit_posted(replay: Replay, event: LoanEvent, fact: CreditPosted) -> None:
    """Relief settles debt, and is no cash."""
    if not _is_undone(replay, event, fact.amount_minor):
        _settled(replay, event, fact, fact.kind.value)


def charged_back(replay: Replay, event: LoanEvent, fact: PaymentChargedBack) -> None:
    """The debt comes back on this day: out of what is overpaid, else on the next installment due."""
    if _is_undone(replay, event, fact.amount_minor):
        return
    original = replay.find(fact.originals)
    if original is None:
        replay.history.refuse(event, UnappliedReason.UNKNOWN_ORIGINAL)
        return
    if original.reversed:
        replay.history.refuse(event, UnappliedReason.ORIGINAL_REVERSED)
        return
    if original.is_recovery:
        _recover(replay, event, -fact.amount_minor)
        return
    share = Share(fact.effective_on)
    covered = min(fact.amount_minor, replay.overpaid)
    if covered < fact.amount_minor:
        order = replay.settings.chargeback_order
        added = _portions_back(fact.amount_minor, original, fact.portions, order)
        row = _owe_again(replay, share, added, covered)
        if row.kind is not PeriodKind.ADDITIONAL:
            row.chargebacks = (*row.chargebacks, (share.day, int(fact.amount_minor)))
        row.note(share.day)
    replay.overpaid -= covered
    if original.event.fact.cash:
        _take_back_cash(replay, original, fact)
    replay.record(event, fact.amount_minor, share).estimated = fact.portions is None


def overpayment_refunded(replay: Replay, event: LoanEvent, fact: OverpaymentRefunded) -> None:
    """What was overpaid goes back; what was not is a debt again."""
    if _is_undone(replay, event, fact.amount_minor):
        return
    share = Share(fact.effective_on)
    covered = min(fact.amount_minor, replay.overpaid)
    if covered < fact.amount_minor:
        row = _owe_again(replay, share, [int(fact.amount_minor), 0, 0, 0], covered)
        row.note(share.day)
    replay.overpaid -= covered
    replay.refunded += fact.amount_minor
    replay.record(event, fact.amount_minor, share)


def recovered(replay: Replay, event: LoanEvent, fact: RecoveryPosted) -> None:
    """Money for what was given up."""
    if not _is_undone(replay, event, fact.amount_minor):
        _recover(replay, event, fact.amount_minor)


def _recover(replay: Replay, event: LoanEvent, amount: int) -> None:
    replay.recovered += amount
    replay.record(event, abs(amount)).is_recovery = True


def _is_undone(replay: Replay, event: LoanEvent, amount: int) -> bool:
    """Note a reversed transaction; one that upstream replaced in its own books leaves no trace."""
    undoings = replay.history.undoings
    if undoings.is_empty:
        return False
    if undoings.undoes_by_hand(event):
        replay.record(event, amount).reversed = True
        return True
    return undoings.undoes(event)


def _settled(replay: Replay, event: LoanEvent, fact: PaymentPosted | CreditPosted, kind: str) -> Record:
    share = Share(fact.effective_on)
    rest = int(fact.amount_minor)
    charge = replay.charges.get(fact.charge_id) if fact.charge_id else None
    if charge is not None and charge.row is not None:
        taken = share.pay(charge.row, min(rest, charge.amount), (charge.component,))
        replay.open -= taken
        rest -= taken
    overpaid = replay.settle(rest, fact.portions, kind, share) if rest else 0
    record = replay.record(event, fact.amount_minor, share)
    record.overpayment = overpaid
    record.by_timing = [share.by_timing[0], share.by_timing[1], share.by_timing[2] + overpaid]
    record.stated = fact.portions
    record.estimated = fact.portions is None
    return record


def _owe_again(replay: Replay, share: Share, added: list[int], covered: int) -> Row:
    """Put a debt on the row that takes one of this day; what was overpaid pays for its part at once."""
    row = row_due_after(replay.rows, share.on)
    for component in range(COMPONENTS):
        replay.owe_again(row, component, added[component], share.on)
        part = min(covered, added[component])
        row.paid[component] += part
        row.open -= part
        replay.open -= part
        covered -= part
        share.portions[component] = added[component] - part
        replay.principal_settled += part if component == Component.PRINCIPAL else 0
    replay.credited_back += added[0]
    share.settled = [(row.number, sum(added))]
    return row


def _portions_back(
    amount: int, original: Record, stated: Portions | None, order: tuple[Component, ...]
) -> list[int]:
    """Split what comes back: as upstream says, else by the product's order within the original's portions."""
    added = [0] * COMPONENTS
    if stated is not None:
        limits = by_component(stated)
        order = tuple(Component)
    else:
        limits = [paid - back for paid, back in zip(original.portions, original.returned, strict=True)]
    rest = amount
    for component in order:
        part = rest if order == (Component.PRINCIPAL,) else max(0, min(rest, limits[component]))
        added[component] += part
        original.returned[component] += part
        rest -= part
    added[Component.PRINCIPAL] += rest
    return added


def _take_back_cash(replay: Replay, original: Record, fact: PaymentChargedBack) -> None:
    """The cash figures lose it on this day, what had come in advance first."""
    replay.paid -= fact.amount_minor
    day = replay.cash.setdefault(fact.effective_on, [0, 0, 0])
    rest = int(fact.amount_minor)
    for timing in (2, 1, 0):
        part = min(rest, original.by_timing[timing])
        original.by_timing[timing] -= part
        day[timing] -= part
        rest -= part
    day[0] -= rest
