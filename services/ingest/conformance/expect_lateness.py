"""What a case expects of a loan's lateness: class, days, amounts, installment by installment, pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ingest.conformance.expect_tables import SETTLING, Pairs, cents_text, money
from loanbook.domain.delinquency import paused_days
from loanbook.domain.loan import InstallmentState, Loan

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


def loan_delinquency(step: Mapping[str, Any], loan: Loan, classed: Loan, grace: int) -> Pairs:
    """Class and days of the whole loan; the date a class counts from has the grace in it."""
    since = loan.past_due_on
    got = {
        "classification": _range_of(classed.delinquent_days),
        "delinquent_amount": cents_text(loan.overdue),
        "delinquent_date": "" if since is None else (since + timedelta(days=grace)).isoformat(),
        "past_due_date": "" if since is None else since.isoformat(),
        "delinquent_days": str(loan.delinquent_days),
        "past_due_days": str(loan.days_past_due),
    }
    return _named(step, got)


def _named(step: Mapping[str, Any], got: Mapping[str, str]) -> Pairs:
    """Each value a step names, as an amount where its name says so; what is unknown to us is not claimed."""
    found = []
    for name, value in step["values"].items():
        wanted = money(value) if name.endswith("amount") else str(value if value is not None else "")
        found.append((f"{name}={wanted}", f"{name}={got.get(name, wanted)}"))
    return found


def _range_of(days: int) -> str:
    if days <= 0:
        return "NO_DELINQUENCY"
    return next((name for name, last in RANGES if days <= last), "RANGE_240")


def next_payment_of(loan: Loan, rule: str) -> tuple[str, int]:
    """Day and amount of the source's next payment: the oldest open installment, or the next one to come.

    Its day is never before the last money, and the day itself when nothing is owed.
    """
    open_rows = sorted((row for row in loan.installments if row.outstanding), key=lambda row: row.due_on)
    if rule == "next-unpaid-due-date":
        open_rows = [row for row in open_rows if _is_to_come(row, loan.as_of)]
    if not open_rows:
        return loan.as_of.isoformat(), 0
    due_on = open_rows[0].due_on
    if rule == "earliest-unpaid-date":
        due_on = max([due_on, *(t.effective_on for t in loan.transactions if t.type in SETTLING)])
    return due_on.isoformat(), open_rows[0].outstanding


def _is_to_come(row: InstallmentState, today: date) -> bool:
    return row.due_on > today or (row.kind == "down_payment" and row.due_on == today)


def next_payment(step: Mapping[str, Any], loan: Loan, classed: Loan, rule: str) -> Pairs:
    """The next payment with its amount, and the class that is shown beside it."""
    due_on, amount = next_payment_of(loan, rule)
    got = {
        "classification": _range_of(classed.delinquent_days),
        "next_payment_due_date": due_on,
        "next_payment_amount": cents_text(amount),
    }
    return _named(step, got)


def installment_delinquency(step: Mapping[str, Any], loan: Loan) -> Pairs:
    """Overdue amounts by range, each installment by its own days; pauses count, grace does not."""
    got: Counter[str] = Counter()
    for row in loan.installments:
        if row.due_on < loan.as_of and row.outstanding:
            days = (loan.as_of - row.due_on).days - paused_days(list(loan.pauses), row.due_on, loan.as_of)
            got[_range_of(days)] += row.outstanding
    wanted = {row[0]: money(row[1]) for row in step["rows"]}
    return [
        (str(sorted(wanted.items())), str(sorted((name, cents_text(amount)) for name, amount in got.items())))
    ]


def pauses(step: Mapping[str, Any], loan: Loan) -> Pairs:
    """The pauses, and whether they run."""
    wanted = [tuple(row[-2:]) for row in step["rows"]]
    got: list[tuple[str, ...]] = [(start.isoformat(), end.isoformat()) for start, end in loan.pauses]
    if "active" in step["columns"]:
        wanted = [tuple(row) for row in step["rows"]]
        running = [str(start <= loan.as_of <= end).lower() for start, end in loan.pauses]
        got = [(flag, *dates) for flag, dates in zip(running, got, strict=True)]
    if any(row[0] == "RESUME" for row in step["rows"]):
        wanted = [row for row in wanted if row[-1]]
    return [(str(sorted(wanted)), str(sorted(got)))]
