"""The fold's working memory: one loan's rows and sums, and the moves that facts make on them."""

from __future__ import annotations

from datetime import date

from loanbook.domain.events import (
    CreditPosted,
    LoanEvent,
    PaymentPosted,
    Period,
    Portions,
    SchedulePublished,
)
from loanbook.domain.history import History
from loanbook.domain.money import divide_half_even
from loanbook.domain.repayment import Plan, Share, allocate, allocate_portions, plan_of
from loanbook.domain.row import Row
from loanbook.domain.schedule import lacks_components, rows_of
from loanbook.domain.settings import ProductSettings


class Record:
    """A transaction while the loan is folded; later debts may still eat what it overpaid."""

    __slots__ = (
        "amount",
        "by_timing",
        "estimated",
        "event",
        "is_recovery",
        "overpayment",
        "portions",
        "principal_after",
        "returned",
        "reversed",
        "settled",
        "stated",
    )

    def __init__(self, event: LoanEvent, amount: int) -> None:
        self.event = event
        self.amount = amount
        self.portions = [0, 0, 0, 0]
        self.stated: Portions | None = None  # upstream's own split
        self.by_timing = [0, 0, 0]  # settings.Timing; what was overpaid is in advance
        self.returned = [0, 0, 0, 0]  # portions charged back since
        self.overpayment = 0
        self.reversed = False
        self.is_recovery = False
        self.estimated = False
        self.principal_after = 0
        self.settled: list[tuple[int, int]] = []

    def take(self, share: Share, amount: int) -> None:
        """Note that a part of what was overpaid has settled something since."""
        self.overpayment -= amount
        self.portions = [a + b for a, b in zip(self.portions, share.portions, strict=True)]
        self.settled = [*self.settled, *share.settled]


class Charge:
    """A charge while the loan is folded."""

    __slots__ = ("amount", "component", "due_on", "id", "name", "row", "waived")

    def __init__(self, charge_id: str, name: str | None, component: int, due_on: date, amount: int) -> None:
        self.id = charge_id
        self.name = name
        self.component = component
        self.due_on = due_on
        self.amount = amount
        self.waived = 0
        self.row: Row | None = None


class Replay:
    """A loan while it is folded."""

    __slots__ = (
        "annual_rate_bps",
        "borrower_id",
        "branch",
        "cancelled",
        "cash",
        "charged_off",
        "charged_off_on",
        "charges",
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
        "owner",
        "paid",
        "pauses",
        "plans",
        "principal_settled",
        "product",
        "records",
        "recovered",
        "refunded",
        "restructured_on",
        "restructures",
        "returned_payments",
        "rows",
        "schedule_version",
        "scheduled",
        "settings",
        "term_days",
        "written_off",
        "written_off_on",
    )

    def __init__(self, history: History, settings: ProductSettings) -> None:
        self.history = history
        self.settings = settings
        self.plans: dict[str, Plan] = {}  # allocation by kind of transaction
        self.borrower_id: str | None = None
        self.branch: str | None = None
        self.officer: str | None = None
        self.owner: str | None = None
        self.product: str | None = None
        self.annual_rate_bps: int | None = None
        self.term_days: int | None = None
        self.cancelled = False
        self.disbursed = 0
        self.credited_back = 0  # principal added by chargebacks and refunds
        self.principal_settled = 0  # principal paid, waived or written off
        self.overpaid = 0
        self.paid = 0
        self.refunded = 0
        self.recovered = 0
        self.charged_off = 0
        self.written_off = 0
        self.last_payment_on: date | None = None
        self.last_payment = 0
        self.closed_on: date | None = None
        self.charged_off_on: date | None = None
        self.written_off_on: date | None = None
        self.restructured_on: date | None = None
        self.restructures = 0
        self.returned_payments = 0
        self.pauses: list[tuple[date, date]] = []
        self.charges: dict[str, Charge] = {}
        self.records: list[Record] = []
        self.cash: dict[date, list[int]] = {}  # day: arrears, current, advance
        self.plan(*first_plan(history, settings))

    def plan(self, version: int, periods: tuple[Period, ...]) -> None:
        """Start from the rows of a schedule; nothing is paid on them yet."""
        self.schedule_version = version
        self.rows: list[Row] = rows_of(periods, self.history.disbursed_on)
        self.estimated = lacks_components(periods)
        self.scheduled = self.open = sum(row.open for row in self.rows)

    @property
    def principal_outstanding(self) -> int:
        """Disbursed and credited back, less repaid and written off; pro rata without components."""
        if self.estimated:
            return self.pro_rata(self.open) if self.scheduled else self.disbursed
        return max(0, self.disbursed + self.credited_back - self.principal_settled)

    def pro_rata(self, outstanding: int) -> int:
        """The principal's part of an outstanding amount where the feed gives totals only."""
        return divide_half_even(self.disbursed * outstanding, self.scheduled) if self.scheduled else 0

    def record(self, event: LoanEvent, amount: int, share: Share | None = None) -> Record:
        """Note a transaction as it counts now."""
        record = Record(event, amount)
        if share is not None:
            record.portions = share.portions
            record.by_timing = share.by_timing
            record.settled = share.settled
        record.principal_after = self.principal_outstanding
        self.records.append(record)
        return record

    def settle(self, amount: int, portions: Portions | None, kind: str, share: Share) -> int:
        """Spread money over the rows; gives what was more than owed, which is then overpaid."""
        rest = amount
        if portions is not None:
            stated = portions.principal_minor + portions.interest_minor
            stated += portions.fee_minor + portions.penalty_minor
            if stated <= amount:
                rest = amount - stated + allocate_portions(self.rows, portions, share)
        if rest:
            plan = self.plans.get(kind)
            if plan is None:
                plan = self.plans[kind] = plan_of(self.settings.allocation_for(kind))
            rest = allocate(self.rows, rest, plan, share)
        self.open -= amount - rest
        self.principal_settled += share.portions[0]
        self.overpaid += rest
        if not self.open:
            self.closed_on = share.on
        return rest

    def owe(self, row: Row, component: int, amount: int, due_on: date) -> None:
        """Add a debt to a row."""
        if amount:
            row.owe(component, amount, due_on.toordinal())
            self._note_debt(amount)

    def owe_again(self, row: Row, component: int, amount: int, on: date) -> None:
        """Add a debt to a row that had been settled before."""
        if amount:
            row.owe_again(component, amount, on.toordinal())
            self._note_debt(amount)

    def _note_debt(self, amount: int) -> None:
        self.open += amount
        self.scheduled += amount
        self.closed_on = None

    def waive(self, row: Row, component: int, amount: int, on: date) -> int:
        """Give up a part of a row; gives what was given up."""
        part = row.waive(component, amount, on)
        self.open -= part
        if component == 0:
            self.principal_settled += part
        if part and not self.open:
            self.closed_on = on
        return part

    def use_overpayment(self, on: date) -> None:
        """Let what was overpaid earlier pay the debts there are now; its transactions stay as they were."""
        if self.overpaid and self.open:
            offered, self.overpaid = self.overpaid, 0
            self.settle(offered, None, "repayment", Share(on))

    def settle_from_overpaid(self, since: date) -> None:
        """Let what was overpaid pay a debt that came later: each transaction on its day and by its order.

        What no transaction is known to have overpaid pays on the day of the debt.
        """
        for record in self.records if self.overpaid else ():
            offered = min(record.overpayment, self.overpaid)
            fact = record.event.fact
            if offered and self.open and isinstance(fact, PaymentPosted | CreditPosted):
                share = Share(fact.effective_on)
                share.noted_day = since.toordinal()
                self.overpaid -= offered
                record.take(share, offered - self.settle(offered, None, fact.kind.value, share))
        self.use_overpayment(since)

    def find(self, ids: tuple[str, ...]) -> Record | None:
        """The latest transaction that one of these ids names."""
        for record in reversed(self.records):
            if record.event.event_id in ids or record.event.fact.entity_id in ids:
                return record
        return None


def versions_in_force(history: History) -> list[LoanEvent]:
    """The schedules that have come into force, lowest version first."""
    return sorted(history.schedules, key=lambda event: (event.fact.entity_version, event.order))


def first_plan(history: History, settings: ProductSettings) -> tuple[int, tuple[Period, ...]]:
    """The schedule to start from: the one in force, or the first where payments are carried over."""
    versions = versions_in_force(history) if history.schedules else ()
    if versions:
        chosen = versions[0 if settings.carries_payments_over else -1].fact
        assert isinstance(chosen, SchedulePublished)  # noqa: S101 - what `schedules` holds
        return chosen.entity_version, chosen.periods
    if history.bootstrap is not None and history.disbursed_on is not None:
        return 1, history.bootstrap.fact.periods  # type: ignore[attr-defined]
    return 0, ()
