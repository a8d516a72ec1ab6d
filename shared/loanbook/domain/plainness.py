"""Which loans are plain: their state follows from the schedule, the sum paid and the days of settlement.

To such a loan a payment that is later than all it had can be added without its history: see plain.py.
"""

from __future__ import annotations

from loanbook.domain.events import PaymentKind, PeriodKind
from loanbook.domain.packed_plan import Installment, pack_plan
from loanbook.domain.repayment import plan_of
from loanbook.domain.replay import Replay
from loanbook.domain.row import Row
from loanbook.domain.schedule import is_countable
from loanbook.domain.settings import USUAL_COMPONENTS, ProductSettings

COUNTABLE, BEFORE_BOOTSTRAP = 1, 2  # flags of a packed installment
ROWS_MAX = 120  # longer plans would make the matrices of all others as wide
_ADDITIONAL = PeriodKind.ADDITIONAL
_NOTHING = [0, 0, 0, 0]
_KINDS = tuple(kind.value for kind in PaymentKind)
_DAYS_LATE_MAX = 2**15 - 1  # they are stored as smallint
_PRODUCT_MAX = 2**62  # pro rata amounts must fit 64 bits


def plain_plan(replay: Replay) -> bytes:
    """The loan's plan, packed for plain.py; empty where the loan is not plain."""
    rows, history = replay.rows, replay.history
    is_touched = (
        replay.pauses
        or replay.credited_back
        or replay.charged_off_on is not None
        or replay.written_off_on is not None
        or history.unapplied
        or history.is_revised
        or history.last_reset_on is not None
    )
    if is_touched or history.disbursed_on is None or history.currency is None:
        return b""
    if not 0 < len(rows) <= ROWS_MAX or replay.principal_settled != sum(row.paid[0] for row in rows):
        return b""
    if replay.estimated and replay.disbursed * replay.scheduled >= _PRODUCT_MAX:
        return b""
    if not (_is_oldest_first(rows) and takes_oldest_first(replay.settings)):
        return b""
    return pack_plan(map(_installment, rows))


def takes_oldest_first(settings: ProductSettings) -> bool:
    """Whether every payment goes to the oldest installment: penalty, fee, interest, then principal."""
    return all(plan_of(settings.allocation_for(kind)).usual == USUAL_COMPONENTS for kind in _KINDS)


def _is_oldest_first(rows: list[Row]) -> bool:
    """Whether what was paid lies on the rows as one sum spread oldest first would."""
    is_behind = False  # a row before this one is still open
    for row in rows:
        if not _is_simple(row):
            return False
        if is_behind and row.paid != _NOTHING:
            return False
        if row.open:
            if row.paid != _NOTHING and not _is_paid_in_order(row):
                return False
            is_behind = True
    return True


def _is_paid_in_order(row: Row) -> bool:
    """Whether the penalty was paid first, then fee, interest and principal."""
    paid = row.paid
    if (row.left(3) and (paid[2] or paid[1] or paid[0])) or (row.left(2) and (paid[1] or paid[0])):
        return False
    return not (row.left(1) and paid[0])


def _is_simple(row: Row) -> bool:
    if row.kind is _ADDITIONAL or row.chargebacks or row.debts or row.worst_late or row.waived != _NOTHING:
        return False
    if row.due == _NOTHING or min(row.due) < 0:
        return False
    return row.met_on is None or abs(row.met_day - row.due_day) <= _DAYS_LATE_MAX


def _installment(row: Row) -> Installment:
    flags = COUNTABLE * is_countable(row) + BEFORE_BOOTSTRAP * row.met_before_bootstrap
    principal, interest, fee, penalty = row.due
    other = interest + fee + penalty
    return row.due_day, flags, principal + other, other
