"""What a case expects of a loan's lateness: class, days, amounts, installment by installment, pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ingest.conformance.expect_tables import Pairs, cents_text, money
from loanbook.domain.delinquency import paused_days
from loanbook.domain.loan import Loan

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


def loan_delinquency(step: Mapping[str, Any], loan: Loan, grace: int) -> Pairs:
    """Class and days of the whole loan; the date a class counts from has the grace in it."""
    since = loan.past_due_on
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
