"""How losses move a loan: charged off, written off."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import LoanChargedOff, LoanEvent, LoanWrittenOff
from loanbook.domain.repayment import Share
from loanbook.domain.replay import Replay
from loanbook.domain.schedule import COMPONENTS


def charged_off(replay: Replay, event: LoanEvent, fact: LoanChargedOff) -> None:
    """A mark beside the status: nothing is paid or forgiven by it."""
    if replay.history.undoings.undoes(event):
        return
    amount = replay.open if fact.amount_minor is None else int(fact.amount_minor)
    replay.charged_off_on, replay.charged_off = fact.effective_on, amount
    share = Share(fact.effective_on)
    share.portions = _outstanding(replay)
    replay.record(event, amount, share)


def written_off(replay: Replay, event: LoanEvent, fact: LoanWrittenOff) -> None:
    """Everything that is owed is given up."""
    if replay.history.undoings.undoes(event):
        return
    share = Share(fact.effective_on)
    share.portions = _give_up(replay, fact.effective_on)
    replay.written_off_on = fact.effective_on
    replay.record(event, sum(share.portions), share)


def give_up_what_came_later(replay: Replay, on: date) -> None:
    """A debt that comes after a write-off is given up as it comes."""
    if replay.written_off_on is not None and replay.open:
        _give_up(replay, on)


def _give_up(replay: Replay, on: date) -> list[int]:
    given_up = [0] * COMPONENTS
    for row in replay.rows if replay.open else ():
        for component in range(COMPONENTS):
            given_up[component] += replay.waive(row, component, row.left(component), on)
    replay.written_off += sum(given_up)
    return given_up


def _outstanding(replay: Replay) -> list[int]:
    return [sum(row.left(component) for row in replay.rows) for component in range(COMPONENTS)]
