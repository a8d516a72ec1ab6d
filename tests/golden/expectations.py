"""What a case expects, held against the state: each check gives what differs, or None where we claim nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loanbook.domain.delinquency import paused_days
from loanbook.domain.loan import InstallmentState, Loan, LoanStatus, TransactionState

if TYPE_CHECKING:
    from tests.golden.player import Player

SCHEDULE = {"schedule", "schedule_totals"}
STATUSES = {
    "SUBMITTED_AND_PENDING_APPROVAL": {LoanStatus.PENDING},
    "APPROVED": {LoanStatus.PENDING, LoanStatus.CANCELLED},  # a disbursal undone leaves an approved loan there
    "ACTIVE": {LoanStatus.ACTIVE},
    "OVERPAID": {LoanStatus.OVERPAID},
    "CLOSED_OBLIGATIONS_MET": {LoanStatus.CLOSED},
    "CLOSED_WRITTEN_OFF": {LoanStatus.WRITTEN_OFF},
    "REJECTED": {LoanStatus.CANCELLED},
    "WITHDRAWN_BY_CLIENT": {LoanStatus.CANCELLED},
}
TYPES = {
    "Disbursement": "loan.disbursed.v1",
    "Repayment": "payment.posted.v1",
    "Down Payment": "payment.posted.v1",
    "Merchant Issued Refund": "credit.posted.v1",
    "Payout Refund": "credit.posted.v1",
    "Goodwill Credit": "credit.posted.v1",
    "Interest Payment Waiver": "credit.posted.v1",
    "Charge Adjustment": "credit.posted.v1",
    "Credit Balance Refund": "overpayment.refunded.v1",
    "Chargeback": "payment.charged_back.v1",
    "Charge-off": "loan.charged_off.v1",
    "Close (as written-off)": "loan.written_off.v1",
    "Waive loan charges": "charge.waived.v1",
}
_SETTLING = {"payment.posted.v1", "credit.posted.v1"}
RANGES = (
    ("RANGE_1", 3),
    ("RANGE_3", 30),
    ("RANGE_30", 60),
    ("RANGE_60", 90),
    ("RANGE_90", 120),
    ("RANGE_120", 150),
    ("RANGE_150", 180),
    ("RANGE_180", 240),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that is not what the case expects."""

    step: int
    expected: str
    got: str


Checker = Callable[[Mapping[str, Any], "Player", Loan], list[tuple[str, str]] | None]


def check(step: Mapping[str, Any], player: Player) -> list[Difference] | None:
    """Hold the state to one expectation."""
    checker = _CHECKERS.get(step["expect"])
    if checker is None:
        return None
    found = checker(step, player, player.loan())
    if found is None:
        return None
    return [
        Difference(step=step["n"], expected=f"{step['expect']}: {want}", got=got) for want, got in found if want != got
    ]


def money(text: str | None) -> str:
    """An amount as the comparison writes it."""
    return "" if text is None else f"{Decimal(text):.2f}"


def cents_text(minor: int) -> str:
    """Minor units as the comparison writes them."""
    return f"{Decimal(minor) / 100:.2f}"


def _value(read: Callable[[Loan], Any], show: Callable[[Any], str] = str) -> Checker:
    def checker(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
        wanted = step["value"]
        return [(money(wanted) if show is cents_text else str(wanted), show(read(loan)))]

    return checker


def _status(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    good = loan.status in STATUSES.get(step["value"], set())
    return [(step["value"], step["value"] if good else loan.status.name)]


def _schedule(step: Mapping[str, Any], player: Player, loan: Loan) -> list[tuple[str, str]]:
    rows = sorted(loan.installments, key=lambda row: (row.due_on, row.number))
    found = [(f"{step['period_count']} periods", f"{len(rows)} periods")]
    numbered = [dict(zip(step["columns"], row, strict=True)) for row in step["rows"]]
    for cell in numbered:
        if cell["nr"] is None:
            continue
        at = int(cell["nr"]) - 1
        if at >= len(rows):
            found.append((f"row {cell['nr']}", "no such row"))
            continue
        got = _row_cells(rows, at, loan)
        wanted = {name: _normal(name, value) for name, value in cell.items() if name != "nr"}
        compared = {name: got[name] for name in wanted}
        found.append((f"row {cell['nr']} {_differing(wanted, compared)}", f"row {cell['nr']} {_differing(compared, wanted)}"))
    return found


def _row_cells(rows: list[InstallmentState], at: int, loan: Loan) -> dict[str, str]:
    row = rows[at]
    before = row.from_on or (rows[at - 1].due_on if at else loan.disbursed_on or row.due_on)
    return {
        "due_date": row.due_on.isoformat(),
        "days": str((row.due_on - before).days),
        "paid_date": row.met_on.isoformat() if row.met_on else "",
        "balance": cents_text(_balance_after(rows, at, loan)),
        "principal_due": cents_text(row.due.principal),
        "interest_due": cents_text(row.due.interest),
        "fees_due": cents_text(row.due.fee),
        "penalties_due": cents_text(row.due.penalty),
        "total_due": cents_text(row.due.total),
        "paid": cents_text(row.paid.total),
        "paid_in_advance": cents_text(row.paid_in_advance),
        "paid_late": cents_text(row.paid_late),
        "waived": cents_text(row.waived.total),
        "outstanding": cents_text(row.outstanding),
    }


def _balance_after(rows: list[InstallmentState], at: int, loan: Loan) -> int:
    """The plan's balance after a row: what was disbursed by then, less the principal planned up to it."""
    payouts = [t for t in loan.transactions if t.type == TYPES["Disbursement"]]
    if not payouts:
        return sum(row.due.principal for row in rows) - sum(row.due.principal for row in rows[: at + 1])
    row = rows[at]
    first = payouts[0].effective_on
    given = sum(t.amount for t in payouts if t.effective_on == first or t.effective_on < row.due_on)
    same_day = {r.due_on for r in rows[: at + 1] if r.kind == "down_payment"} & {row.due_on}
    if same_day or at == len(rows) - 1:
        given += sum(t.amount for t in payouts if t.effective_on == row.due_on != first)
    planned = sum(r.due.principal - r.added_back.principal for r in rows[: at + 1])
    return max(0, given - planned)


def _normal(name: str, value: str | None) -> str:
    if name in {"due_date", "days", "paid_date"}:
        return value or ""
    return money(value or "0")


def _differing(mine: dict[str, str], other: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in mine.items() if other[name] != value)


def _schedule_totals(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    rows = loan.installments
    got = {
        "principal_due": sum(row.due.principal for row in rows),
        "interest_due": sum(row.due.interest for row in rows),
        "fees_due": sum(row.due.fee for row in rows),
        "penalties_due": sum(row.due.penalty for row in rows),
        "total_due": sum(row.due.total for row in rows),
        "paid": sum(row.paid.total for row in rows),
        "paid_in_advance": sum(row.paid_in_advance for row in rows),
        "paid_late": sum(row.paid_late for row in rows),
        "waived": sum(row.waived.total for row in rows),
        "outstanding": sum(row.outstanding for row in rows),
    }
    return [
        (f"{name}={money(value)}", f"{name}={cents_text(got[name])}") for name, value in step["values"].items()
    ]


def _transactions(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    wanted = [dict(zip(step["columns"], row, strict=True)) for row in step["rows"]]
    wanted = [row for row in wanted if not row["type"].startswith("Accrual")]
    left = list(loan.transactions)
    found = []
    for row in wanted:
        match = _take(left, row)
        label = f"{row['date']} {row['type']} {money(row['amount'])}"
        if match is None:
            found.append((label, "not there"))
            continue
        want, got = _portions(row, match)
        found.append((f"{label} {_differing(want, got)}", f"{label} {_differing(got, want)}"))
    if step.get("exact") and left:
        found.append(("no other transactions", ", ".join(f"{t.effective_on} {t.type} {t.amount}" for t in left)))
    return found


def _take(left: list[TransactionState], row: Mapping[str, str]) -> TransactionState | None:
    is_reverted = row.get("reverted") == "true"
    candidates = [
        t
        for t in left
        if t.type == TYPES.get(row["type"], row["type"])
        and t.effective_on.isoformat() == row["date"]
        and cents_text(t.amount) == money(row["amount"])
    ]
    candidates.sort(key=lambda t: (t.reversed != is_reverted if "reverted" in row else 0))
    if not candidates:
        return None
    left.remove(candidates[0])
    return candidates[0]


def _portions(row: Mapping[str, str], t: TransactionState) -> tuple[dict[str, str], dict[str, str]]:
    """What a reversed transaction had settled is no part of the state; nor is a balance "after" a charge-off."""
    got = {
        "principal": cents_text(t.portions.principal),
        "interest": cents_text(t.portions.interest),
        "fees": cents_text(t.portions.fee),
        "penalties": cents_text(t.portions.penalty),
        "balance": cents_text(t.principal_outstanding_after),
    }
    if t.type == TYPES["Disbursement"]:
        got |= dict.fromkeys(("principal", "interest", "fees", "penalties"), "0.00")
    if t.reversed:
        got = {}
    elif t.type == TYPES["Charge-off"]:
        del got["balance"]
    flags = {"reverted": str(t.reversed).lower()} if "reverted" in row else {}
    wanted = {name: money(row[name]) for name in got if name in row}
    wanted |= {name: row[name] for name in flags}
    return wanted, {name: (got | flags)[name] for name in wanted}


def _reverted(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    wanted = step["transaction_type"]
    matches = [
        t
        for t in loan.transactions
        if t.type == TYPES.get(wanted, wanted) and ("date" not in step or t.effective_on.isoformat() == step["date"])
    ]
    if "nth" in step:  # the place in the whole list, whatever the type
        matches = [t for t in loan.transactions[int(step["nth"]) - 1 :][:1] if t in matches]
    return [(str(step["value"]), str(any(t.reversed for t in matches)))]


def _count(step: Mapping[str, Any], player: Player, loan: Loan) -> list[tuple[str, str]]:
    kind = step["transaction_type"].lower()
    standing = {t.event_id for t in loan.transactions}
    got = sum(
        event.event_id in standing and getattr(event.fact, "kind", None) == kind
        for event in {e.event_id: e for e in player.events}.values()
    )
    return [(str(step["value"]), str(got))]


def _charges(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    wanted = Counter()
    for row in step["rows"]:
        cell = dict(zip(step["columns"], row, strict=True))
        amounts = tuple(money(cell[name]) for name in ("due", "paid", "waived", "outstanding"))
        wanted[(cell["is_penalty"], cell["due_date"], *amounts)] += 1
    got = Counter(
        (
            str(charge.is_penalty).lower(),
            charge.due_on.isoformat(),
            *(cents_text(a) for a in (charge.amount, charge.paid, charge.waived, charge.outstanding)),
        )
        for charge in loan.charges
    )
    missing, extra = wanted - got, got - wanted
    return [(str(sorted(missing.elements())), str(sorted(extra.elements())) if step.get("exact") or missing else "[]")]


def _loan_delinquency(step: Mapping[str, Any], player: Player, loan: Loan) -> list[tuple[str, str]]:
    since = loan.past_due_on
    grace = int(player.case["loan"].get("arrears_grace_days") or player.case["depends_on"].get("arrears_grace_days") or 0)
    got = {
        "classification": _range_of(loan.delinquent_days),
        "delinquent_amount": cents_text(loan.overdue),
        "delinquent_date": "" if since is None else (since + timedelta(days=grace)).isoformat(),
        "past_due_date": "" if since is None else since.isoformat(),
        "delinquent_days": str(loan.delinquent_days),
        "past_due_days": str(loan.days_past_due),
    }
    found = []
    for name, value in step["values"].items():
        wanted = money(value) if name.endswith("amount") else str(value if value is not None else "")
        found.append((f"{name}={wanted}", f"{name}={got.get(name, 'unknown to us')}"))
    return found


def _range_of(days: int) -> str:
    if days <= 0:
        return "NO_DELINQUENCY"
    return next((name for name, last in RANGES if days <= last), "RANGE_240")


def _installment_delinquency(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    got: Counter[str] = Counter()
    for row in loan.installments:
        if row.due_on < loan.as_of and row.outstanding:
            days = (loan.as_of - row.due_on).days - paused_days(list(loan.pauses), row.due_on, loan.as_of)
            got[_range_of(days)] += row.outstanding
    wanted = {row[0]: money(row[1]) for row in step["rows"]}
    return [(str(sorted(wanted.items())), str(sorted((name, cents_text(amount)) for name, amount in got.items())))]


def _pauses(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    wanted = [tuple(row[-2:]) for row in step["rows"]]
    got = [(start.isoformat(), end.isoformat()) for start, end in loan.pauses]
    if "active" in step["columns"]:
        wanted = [tuple(row) for row in step["rows"]]
        got = [
            (str(start <= loan.as_of <= end).lower(), start.isoformat(), end.isoformat()) for start, end in loan.pauses
        ]
    if any(row[0] == "RESUME" for row in step["rows"]):
        wanted = [row for row in wanted if row[-1]]
    return [(str(sorted(wanted)), str(sorted(got)))]


def _last_payment(step: Mapping[str, Any], _: Player, loan: Loan) -> list[tuple[str, str]]:
    # The source's "payment" is any transaction that settles debt; ours is cash.
    settling = [t for t in loan.transactions if t.type in _SETTLING and not t.reversed]
    latest = settling[-1] if settling else None
    got = {
        "last_payment_amount": cents_text(latest.amount if latest else 0),
        "last_payment_date": str(latest.effective_on if latest else ""),
        "last_repayment_amount": cents_text(loan.last_payment),
        "last_repayment_date": str(loan.last_payment_on or ""),
    }
    return [
        (f"{name}={money(v) if name.endswith('amount') else v}", f"{name}={got[name]}")
        for name, v in step["values"].items()
    ]


def _next_due(step: Mapping[str, Any], player: Player, loan: Loan) -> list[tuple[str, str]]:
    unpaid = sorted(row.due_on for row in loan.installments if row.outstanding)
    earliest: date | None = unpaid[0] if unpaid else None
    got = earliest if player.next_due_rule == "earliest-unpaid-date" else loan.next_due_on
    return [(str(step["value"]), str(got))]


def _maturity(loan: Loan) -> date | None:
    return loan.closed_on or max((row.due_on for row in loan.installments), default=None)


_CHECKERS: dict[str, Checker] = {
    "status": _status,
    "schedule": _schedule,
    "schedule_totals": _schedule_totals,
    "transactions": _transactions,
    "transaction_reverted": _reverted,
    "transaction_count": _count,
    "charges": _charges,
    "loan_delinquency": _loan_delinquency,
    "installment_delinquency": _installment_delinquency,
    "delinquency_actions": _pauses,
    "delinquency_pause_periods": _pauses,
    "last_payment": _last_payment,
    "next_payment_due_date": _next_due,
    "total_outstanding": _value(lambda loan: loan.total_outstanding, cents_text),
    "total_overpaid": _value(lambda loan: loan.overpaid, cents_text),
    "total_overdue": _value(lambda loan: loan.overdue, cents_text),
    "charged_off_on": _value(lambda loan: loan.charged_off_on),
    "closed_on": _value(lambda loan: loan.closed_on),
    "actual_maturity_date": _value(_maturity),
    "all_installments_complete": _value(lambda loan: all(row.outstanding == 0 for row in loan.installments)),
}
