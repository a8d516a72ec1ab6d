"""A new schedule in mid-life: what was paid stays on the installments of the same due day."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import PeriodKind, SchedulePublished
from loanbook.domain.repayment import Share
from loanbook.domain.replay import Replay
from loanbook.domain.row import Row
from loanbook.domain.schedule import COMPONENTS, lacks_components, rows_of
from loanbook.domain.settings import Component


def carry_over(replay: Replay, fact: SchedulePublished) -> None:
    """Put the new rows in the place of the old, with their payments; what has no place is spread anew."""
    old_rows, replay.rows = replay.rows, rows_of(fact.periods, replay.history.disbursed_on)
    replay.schedule_version = fact.entity_version
    replay.estimated = lacks_components(fact.periods)
    counterparts: dict[tuple[int, str], list[Row]] = {}
    for row in replay.rows:
        counterparts.setdefault((row.due_day, row.kind), []).append(row)
    loose = [0] * COMPONENTS
    for old in old_rows:
        same_day = counterparts.get((old.due_day, old.kind))
        new = same_day.pop(0) if same_day else None
        if new is None and (old.charges or any(old.added_back)):
            replay.rows.append(_only_additions(old))
            new = replay.rows[-1]
        elif new is not None:
            _move_additions(old, new)
        for charge in replay.charges.values():
            charge.row = new if charge.row is old else charge.row
        waived = old.waived[Component.PRINCIPAL]
        _move_payments(old, new, loose, fact.effective_on)
        # What was waived and is no longer asked is given up with the schedule, not with the principal.
        replay.principal_settled -= waived - (new.waived[Component.PRINCIPAL] if new else 0)
        if new is not None:
            new.note(fact.effective_on.toordinal())
    replay.rows.sort(key=lambda row: (row.due_day, row.number))
    replay.scheduled = sum(sum(row.due) for row in replay.rows)
    replay.open = sum(row.open for row in replay.rows)
    replay.principal_settled -= loose[0]
    _spread(replay, sum(loose), fact)


def _move_payments(old: Row, new: Row | None, loose: list[int], on: date) -> None:
    if new is None:
        for component in range(COMPONENTS):
            loose[component] += old.paid[component]
        return
    for component in range(COMPONENTS):
        part = min(old.paid[component], new.due[component])
        new.paid[component] = part
        loose[component] += old.paid[component] - part
        new.waived[component] = min(old.waived[component], new.due[component] - part)
    new.open = sum(new.left(component) for component in range(COMPONENTS))
    kept = sum(new.paid)
    new.in_advance, new.paid_by_due = min(old.in_advance, kept), min(old.paid_by_due, kept)
    new.late = min(old.late, kept - new.in_advance)
    new.worst_late, new.met_before_bootstrap = old.worst_late, old.met_before_bootstrap
    if new.open == 0:
        _meet(old, new, on)
        return
    if old.met_on is not None:
        new.worst_late = max(new.worst_late, old.met_day - 1 - old.due_day)
    new.met_on = None


def _meet(old: Row, new: Row, on: date) -> None:
    """Say since when nothing is left: as before, or since the new schedule asks no more than was paid."""
    if old.met_on is not None and any(new.due):
        new.meet(old.met_on, old.met_day)
    elif any(new.due):
        new.meet(on, on.toordinal())


def _move_additions(old: Row, new: Row) -> None:
    """Charges and chargebacks are no part of a published schedule; they stay with their row."""
    new.charges, new.chargebacks, new.added_back = old.charges, old.chargebacks, old.added_back
    if new.kind is PeriodKind.ADDITIONAL:
        own = old.debts or tuple((day, amount) for day, _, amount in old.charges)
        back = () if old.debts else ((old.due_day, sum(old.added_back)),)
        new.debts = tuple(sorted((*new.debts, *own, *back)))
    new.log = old.log
    for component in range(COMPONENTS):
        new.due[component] += old.added_back[component]
    for _, component, amount in old.charges:
        new.due[component] += amount


def _only_additions(old: Row) -> Row:
    """A row that the new schedule no longer has keeps the charges and chargebacks put on it."""
    row = Row(old.number, PeriodKind.ADDITIONAL, old.from_on, old.due_on, [0, 0, 0, 0])
    _move_additions(old, row)
    return row


def _spread(replay: Replay, amount: int, fact: SchedulePublished) -> None:
    replay.closed_on = None if replay.open else replay.closed_on
    if amount:
        replay.settle(amount, None, "repayment", Share(fact.effective_on))
    replay.use_overpayment(fact.effective_on)
