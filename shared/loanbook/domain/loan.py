"""The state of one loan is a fold over the set of its events, in effective order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from loanbook.domain.events import LoanEvent
from loanbook.domain.figures import loan_at
from loanbook.domain.history import UNAPPLIED_REASONS, History, UnappliedReason
from loanbook.domain.play import play
from loanbook.domain.replay import Replay
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import (
    Amounts,
    CashDay,
    ChargeState,
    DelinquencyBucket,
    InstallmentState,
    Loan,
    LoanStatus,
    TransactionState,
    Unapplied,
)

__all__ = [
    "FOLD_VERSION",
    "UNAPPLIED_REASONS",
    "Amounts",
    "CashDay",
    "ChargeState",
    "DelinquencyBucket",
    "InstallmentState",
    "Loan",
    "LoanStatus",
    "TransactionState",
    "Unapplied",
    "UnappliedReason",
    "fold",
]

FOLD_VERSION = 4  # rises whenever the same events give another state


def fold(  # noqa: PLR0913 - the set of events and what they are read with
    book: str,
    loan_id: str,
    events: Iterable[LoanEvent],
    settings: ProductSettings,
    as_of: date,
    *,
    earlier: Loan | None = None,
) -> Loan:
    """The loan at the close of `as_of`, from the set of its events in whatever order they are given.

    `earlier` may be the fold of the very same events at an earlier day; it saves work and changes nothing.
    """
    events = list(events)
    history = History(events, as_of)
    replay = Replay(history, settings)
    play(replay)
    loan = loan_at(book, loan_id, replay, earlier)
    changed_on = history.last_reset_on
    if changed_on is None:
        return loan
    before = fold(book, loan_id, events, settings, changed_on - timedelta(days=1))
    return replace(
        loan,
        max_dpd=max(loan.max_dpd, before.max_dpd),
        dpd_before_restructure=before.days_past_due
        if changed_on == loan.restructured_on
        else before.dpd_before_restructure,
    )
