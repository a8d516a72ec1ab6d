"""How facts about the contract move a loan: made, paid out, planned anew, restructured, ended, moved."""

from __future__ import annotations

from datetime import timedelta

from loanbook.domain.events import (
    ApprovalUndone,
    BranchMoved,
    DelinquencyPaused,
    DelinquencyResumed,
    LoanApproved,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanEvent,
    LoanOpenedFromSnapshot,
    LoanRejected,
    LoanRestructured,
    LoanWithdrawn,
    OfficerChanged,
    OwnerChanged,
    RestructureKind,
    ScheduleKind,
    SchedulePublished,
)
from loanbook.domain.history import UnappliedReason
from loanbook.domain.repayment import Share
from loanbook.domain.replay import Replay
from loanbook.domain.reschedule import carry_over
from loanbook.domain.schedule import COMPONENTS

_ATTRIBUTES = ("borrower_id", "branch", "officer", "product", "annual_rate_bps", "term_days")


def created(replay: Replay, _: LoanEvent, fact: LoanCreated) -> None:
    """Know who, where and what; an application may be made again."""
    replay.cancelled = False
    for name in _ATTRIBUTES:
        if getattr(fact, name) is not None:
            setattr(replay, name, getattr(fact, name))


def ended_before_start(replay: Replay, _: LoanEvent, __: LoanRejected | LoanWithdrawn) -> None:
    """A rejected or withdrawn application is no loan."""
    replay.cancelled = True


def decided(replay: Replay, _: LoanEvent, __: LoanApproved | ApprovalUndone) -> None:
    """An application is open (again)."""
    replay.cancelled = False


def disbursed(replay: Replay, event: LoanEvent, fact: LoanDisbursed) -> None:
    """Money went out."""
    replay.disbursed += fact.amount_minor
    record = replay.record(event, fact.amount_minor)
    record.principal_after = max(0, record.principal_after - replay.overpaid)


def opened_from_snapshot(replay: Replay, _: LoanEvent, fact: LoanOpenedFromSnapshot) -> None:
    """Start from a state: what was paid before settles rows, and says nothing of when."""
    for name in ("borrower_id", "branch", "officer", "product", "annual_rate_bps"):
        if getattr(fact, name) is not None:
            setattr(replay, name, getattr(fact, name))
    replay.disbursed += fact.disbursed_minor
    share = Share(fact.effective_on)
    replay.settle(fact.paid_minor, fact.paid_before, "repayment", share)
    replay.paid += fact.paid_minor
    for row in replay.rows:
        row.late = row.in_advance = row.paid_by_due = 0
        row.met_before_bootstrap = row.met_on is not None


def scheduled(replay: Replay, event: LoanEvent, fact: SchedulePublished) -> None:
    """A restructure is noted; where the product carries payments over, the rows change here."""
    if fact.kind is ScheduleKind.RESTRUCTURED:
        _note_restructure(replay, event)
    if replay.settings.carries_payments_over and fact.entity_version > replay.schedule_version:
        carry_over(replay, fact)


def restructured(replay: Replay, event: LoanEvent, fact: LoanRestructured) -> None:
    """Remember it; a loan that lives on in another one owes nothing here any more."""
    if replay.history.undoings.undoes(event):
        return
    _note_restructure(replay, event)
    if fact.kind is RestructureKind.CLOSED_AS_RESCHEDULED:
        for row in replay.rows:
            for component in range(COMPONENTS):
                replay.waive(row, component, row.left(component), fact.effective_on)


def closed(replay: Replay, event: LoanEvent, fact: LoanClosed) -> None:
    """A check, not a fact: what is owed decides; crumbs within the tolerance are given up."""
    if replay.open > replay.settings.tolerance_minor:
        replay.history.refuse(event, UnappliedReason.STILL_OWING)
        return
    for row in replay.rows if replay.open else ():
        for component in range(COMPONENTS):
            replay.waive(row, component, row.left(component), fact.effective_on)


def branch_moved(replay: Replay, _: LoanEvent, fact: BranchMoved) -> None:
    """From here on it is the other branch's."""
    replay.branch = fact.branch


def officer_changed(replay: Replay, _: LoanEvent, fact: OfficerChanged) -> None:
    """From here on it is the other officer's."""
    replay.officer = fact.officer


def owner_changed(replay: Replay, _: LoanEvent, fact: OwnerChanged) -> None:
    """From here on it is the other owner's."""
    replay.owner = fact.owner


def paused(replay: Replay, _: LoanEvent, fact: DelinquencyPaused) -> None:
    """Days stop counting for the class."""
    start = fact.start_on or fact.effective_on
    if fact.end_on >= start:
        replay.pauses.append((start, fact.end_on))


def resumed(replay: Replay, _: LoanEvent, fact: DelinquencyResumed) -> None:
    """A pause that runs on that day ends on it."""
    on = fact.effective_on
    replay.pauses = [(start, on if start <= on < end else end) for start, end in replay.pauses]


def _note_restructure(replay: Replay, event: LoanEvent) -> None:
    """A restructure and its schedule are two facts of one day, and one restructure."""
    on = event.fact.effective_on
    if replay.restructured_on != on:
        replay.restructures += 1
    replay.restructured_on = max(on, replay.restructured_on or on - timedelta(days=1))
