"""What a case expects of a loan's tables: its schedule, the sums of it, its transactions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from loanbook.domain.loan import InstallmentState, Loan, TransactionState

Pairs = list[tuple[str, str]]  # (expected, got)
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

SETTLING = {"payment.posted.v1", "credit.posted.v1"}


def money(text: str | None) -> str:
    """An amount as the comparison writes it."""
    return "" if text is None else f"{Decimal(text):.2f}"


def cents_text(minor: int) -> str:
    """Minor units as the comparison writes them."""
    return f"{Decimal(minor) / 100:.2f}"


def schedule(step: Mapping[str, Any], loan: Loan) -> Pairs:
    """Rows by their numbers; how many there are."""
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
        found.append(
            (
                f"row {cell['nr']} {_differing(wanted, compared)}",
                f"row {cell['nr']} {_differing(compared, wanted)}",
            )
        )
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


def schedule_totals(step: Mapping[str, Any], loan: Loan) -> Pairs:
    """Sums over all rows."""
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
        (f"{name}={money(value)}", f"{name}={cents_text(got[name])}")
        for name, value in step["values"].items()
    ]


def transactions(step: Mapping[str, Any], loan: Loan) -> Pairs:
    """Each listed transaction with its portions; no other where the list is exact."""
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
        found.append(
            ("no other transactions", ", ".join(f"{t.effective_on} {t.type} {t.amount}" for t in left))
        )
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
    candidates.sort(key=lambda t: t.reversed != is_reverted if "reverted" in row else 0)
    if not candidates:
        return None
    left.remove(candidates[0])
    return candidates[0]


def _portions(row: Mapping[str, str], t: TransactionState) -> tuple[dict[str, str], dict[str, str]]:
    """The state keeps nothing of what a reversed one had settled, nor a balance of 0 "after" a charge-off."""
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
