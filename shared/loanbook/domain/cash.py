"""What each effective day of one loan contributes to the cash figures."""

from __future__ import annotations

from datetime import date

from loanbook.domain.row import Row
from loanbook.domain.schedule import is_countable
from loanbook.domain.state import CashDay


def cash_days(rows: list[Row], received: dict[date, list[int]]) -> dict[date, CashDay]:
    """Dues by due day (future ones too), cash by its own day; `received`: arrears, current, advance."""
    due: dict[date, list[int]] = {}
    for row in rows:
        total = sum(row.due)
        if total:
            day = due.setdefault(row.due_on, [0, 0, 0, 0])
            day[0] += total
            day[1] += 1
            day[2] += is_countable(row) and row.met_on is not None and row.met_day <= row.due_day
            day[3] += row.paid_by_due
    nothing, no_due = (0, 0, 0), (0, 0, 0, 0)
    days = {}
    for on in sorted(due.keys() | received.keys()):
        owed, count, on_time, collected = due.get(on, no_due)
        arrears, current, advance = received.get(on, nothing)
        days[on] = CashDay(
            due=owed,
            due_count=count,
            current=current,
            arrears=arrears,
            advance=advance,
            on_time_count=on_time,
            due_collected=collected,
        )
    return days
