"""The fold's working memory: one loan's history played over its rows, fact by fact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from loanbook.domain.events import (
    BranchMoved,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanEvent,
    LoanOpenedFromSnapshot,
    PaymentPosted,
    Period,
    Portions,
    ScheduleKind,
    SchedulePublished,
)
from loanbook.domain.history import History, UnappliedReason
from loanbook.domain.money import divide_half_even
from loanbook.domain.repayment import Share, allocate, allocate_portions
from loanbook.domain.schedule import Row, lacks_components, rows_of
from loanbook.domain.settings import ProductSettings
from loanbook.domain.state import Amounts, TransactionState

_ATTRIBUTES = ("borrower_id", "branch", "officer", "product", "annual_rate_bps", "term_days")


class Replay:
    """A loan while it is folded."""

    __slots__ = (
        "annual_rate_bps",
        "borrower_id",
        "branch",
        "cash",
        "closed_on",
        "credited_back",
        "disbursed",
        "estimated",
        "history",
        "last_payment",
        "last_payment_on",
        "officer",
        "open",
        "overpaid",
        "paid",
        "principal_settled",
        "product",
        "restructured_on",
        "returned_payments",
        "rows",
        "schedule_version",
        "scheduled",
        "settings",
        "term_days",
        "transactions",
    )

    def __init__(self, history: History, settings: ProductSettings) -> None:
        self.history = history
        self.settings = settings
        self.borrower_id: str | None = None
        self.branch: str | None = None
        self.officer: str | None = None
        self.product: str | None = None
        self.annual_rate_bps: int | None = None
        self.term_days: int | None = None
        self.disbursed = 0
        self.credited_back = 0  # principal added by chargebacks and refunds
        self.principal_settled = 0  # principal paid, waived or written off
        self.overpaid = 0
        self.paid = 0
        self.last_payment_on: date | None = None
        self.last_payment = 0
        self.closed_on: date | None = None
        self.restructured_on: date | None = None
        self.returned_payments = 0
        self.schedule_version = 0
        self.transactions: list[TransactionState] = []
        self.cash: dict[date, list[int]] = {}  # day: arrears, current, advance
        self._plan(*_periods_in_force(history))

    def _plan(self, version: int, periods: tuple[Period, ...]) -> None:
        self.schedule_version = version
        self.rows: list[Row] = rows_of(periods) if self.history.disbursed_on is not None else []
        self.estimated = lacks_components(periods)
        self.scheduled = sum(row.open for row in self.rows)
        self.open = self.scheduled

    def play(self) -> None:
        """Apply every fact that counts, in order."""
        for event in self.history.applicable:
            handler = _HANDLERS.get(type(event.fact))
            if handler is not None:
                handler(self, event, event.fact)

    @property
    def principal_outstanding(self) -> int:
        """Disbursed and credited back, less repaid and written off; pro rata without components."""
        if self.estimated:
            if not self.scheduled:
                return self.disbursed
            return divide_half_even(self.disbursed * self.open, self.scheduled)
        if self.rows and not self.open:
            return 0
        return max(0, self.disbursed + self.credited_back - self.principal_settled)

    def note(self, event: LoanEvent, amount: int, share: Share | None, **more: Any) -> None:  # noqa: ANN401
        """Add a transaction as it counts now."""
        portions = share.portions if share else (0, 0, 0, 0)
        self.transactions.append(
            TransactionState(
                event_id=event.event_id,
                entity_id=event.fact.entity_id,
                type=event.fact.TYPE,
                effective_on=event.fact.effective_on,
                amount=amount,
                portions=more.get("portions") or amounts(portions),
                overpayment=more.get("overpayment", 0),
                reversed=more.get("reversed", False),
                estimated=more.get("estimated", False),
                principal_outstanding_after=self.principal_outstanding,
                settled=tuple(share.settled) if share else (),
            )
        )

    def settle(self, amount: int, portions: Portions | None, kind: str, share: Share) -> int:
        """Spread money over the rows; gives what was more than owed, which is then overpaid."""
        rest = amount
        if portions is not None:
            stated = portions.principal_minor + portions.interest_minor
            stated += portions.fee_minor + portions.penalty_minor
            if stated <= amount:
                rest = amount - stated + allocate_portions(self.rows, portions, share)
        if rest:
            rest = allocate(self.rows, rest, self.settings.allocation_for(kind), share)
        self.open -= amount - rest
        self.principal_settled += share.portions[0]
        self.overpaid += rest
        if not self.open and self.rows:
            self.closed_on = share.on
        return rest


def amounts(values: list[int] | tuple[int, ...]) -> Amounts:
    """The frozen form of a list by component."""
    return Amounts(principal=values[0], interest=values[1], fee=values[2], penalty=values[3])


def _periods_in_force(history: History) -> tuple[int, tuple[Period, ...]]:
    """The schedule of the highest version that has come into force; else what the bootstrap brought."""
    if history.schedules:
        latest = max(history.schedules, key=lambda event: (event.fact.entity_version, event.order))
        assert isinstance(latest.fact, SchedulePublished)  # noqa: S101 - what `schedules` holds
        return latest.fact.entity_version, latest.fact.periods
    if history.bootstrap is not None and history.disbursed_on is not None:
        assert isinstance(history.bootstrap.fact, LoanOpenedFromSnapshot)  # noqa: S101 - likewise
        return 1, history.bootstrap.fact.periods
    return 0, ()


def _apply_created(replay: Replay, _: LoanEvent, fact: LoanCreated) -> None:
    for name in _ATTRIBUTES:
        if getattr(fact, name) is not None:
            setattr(replay, name, getattr(fact, name))


def _apply_disbursed(replay: Replay, event: LoanEvent, fact: LoanDisbursed) -> None:
    replay.disbursed += fact.amount_minor
    replay.note(event, fact.amount_minor, None)


def _apply_bootstrap(replay: Replay, _: LoanEvent, fact: LoanOpenedFromSnapshot) -> None:
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


def _apply_payment(replay: Replay, event: LoanEvent, fact: PaymentPosted) -> None:
    if replay.history.is_undone(event):
        replay.returned_payments += 1
        replay.note(event, fact.amount_minor, None, reversed=True)
        return
    share = Share(fact.effective_on)
    rest = replay.settle(fact.amount_minor, fact.portions, fact.kind.value, share)
    replay.paid += fact.amount_minor
    replay.last_payment_on, replay.last_payment = fact.effective_on, fact.amount_minor
    day = replay.cash.setdefault(fact.effective_on, [0, 0, 0])
    for timing in range(3):
        day[timing] += share.by_timing[timing]
    day[2] += rest
    stated = None if fact.portions is None else _stated(fact.portions)
    replay.note(
        event, fact.amount_minor, share, overpayment=rest, portions=stated, estimated=fact.portions is None
    )


def _stated(portions: Portions) -> Amounts:
    return Amounts(
        principal=int(portions.principal_minor),
        interest=int(portions.interest_minor),
        fee=int(portions.fee_minor),
        penalty=int(portions.penalty_minor),
    )


def _apply_schedule(replay: Replay, _: LoanEvent, fact: SchedulePublished) -> None:
    if fact.kind is ScheduleKind.RESTRUCTURED:
        replay.restructured_on = fact.effective_on


def _apply_closed(replay: Replay, event: LoanEvent, _: LoanClosed) -> None:
    """A check, not a fact: what is owed decides."""
    if replay.open > replay.settings.tolerance_minor:
        replay.history.refuse(event, UnappliedReason.STILL_OWING)


def _apply_moved(replay: Replay, _: LoanEvent, fact: BranchMoved) -> None:
    replay.branch = fact.branch


_HANDLERS: dict[type, Callable[[Replay, LoanEvent, Any], None]] = {
    LoanCreated: _apply_created,
    LoanDisbursed: _apply_disbursed,
    LoanOpenedFromSnapshot: _apply_bootstrap,
    PaymentPosted: _apply_payment,
    SchedulePublished: _apply_schedule,
    LoanClosed: _apply_closed,
    BranchMoved: _apply_moved,
}
