"""Shapes rows about alert episodes."""

from __future__ import annotations

from decimal import Decimal

from analytics_api.schemas.alerts import Alert
from analytics_api.schemas.parts import Money
from analytics_api.store import Row, decoded
from loanbook.domain.money import exponent_of

_SAME = (
    "book", "rule", "severity", "state", "baseline", "loan_id", "region", "branch", "product", "opened_on",
    "opened_at", "escalated_at", "closed_on", "closed_at", "close_reason", "days_past_due", "assignee",
    "acknowledged_by", "acknowledged_at", "acknowledge_note", "useful",
)  # fmt: skip


def alert_of(row: Row) -> Alert:
    """One episode."""
    return Alert(
        id=row["episode_id"],
        **{name: row[name] for name in _SAME},
        overdue=_money(row["overdue"], row["currency"]),
        principal_outstanding=_money(row["principal"], row["currency"]),
        snapshot=decoded(row["snapshot"]),
    )


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    """An amount that the database has already put in major units, exactly."""
    if amount is None or currency is None:
        return None
    return Money(amount=f"{amount:.{exponent_of(currency)}f}", currency=currency)
