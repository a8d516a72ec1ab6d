"""The daily history of loans beside folds of the ledger at past closes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from ingest.recompute.holding import Difference, HeldLoan, recompute
from ingest.records import LoanRef, RollupCell, RollupMeasures
from ingest.restate_sweep import figures_of
from ingest.restating import DayFigures, as_known, at
from ingest.transaction import PostgresUnit
from loanbook.postgres.load_sql import load_sql

_DIMENSIONS = ("currency_key", "branch_key", "product_key", "bucket", "status")


async def loan_day_differences(
    unit: PostgresUnit, loans: Sequence[HeldLoan], days: Sequence[date]
) -> list[Difference]:
    """What the histories of these loans say of some closes, as known now, and the ledger does not."""
    if not days or not loans:
        return []
    told = await _told(unit, loans)
    found: list[Difference] = []
    for held in loans:
        for day in days:
            found += _on(unit, held, told[held.ref], day)
    return found


async def _told(unit: PostgresUnit, loans: Sequence[HeldLoan]) -> dict[LoanRef, list[DayFigures]]:
    entries: dict[LoanRef, list[tuple[date, DayFigures]]] = defaultdict(list)
    slices, keys = [held.ref.slice for held in loans], [held.ref.loan_key for held in loans]
    for row in await unit.connection.fetch(load_sql("ingest", "select_loan_days"), slices, keys):
        cell = RollupCell(*(row[name] for name in RollupCell._fields))
        measures = RollupMeasures(*(row[name] for name in RollupMeasures._fields))
        figures = DayFigures(row["on_date"], row["past_due_on"], cell, measures)
        entries[LoanRef(row["slice"], row["loan_key"])].append((row["known_on"], figures))
    for held in loans:
        stored = held.stored  # the newest entry is the state itself
        newest = DayFigures(stored.as_of, stored.past_due_on, stored.cell, stored.measures)
        entries[held.ref].append((stored.as_of, newest))
    return {ref: as_known(rows, date.max) for ref, rows in entries.items()}


def _on(unit: PostgresUnit, held: HeldLoan, told: Sequence[DayFigures], day: date) -> list[Difference]:
    key = f"{held.loan_id} on {day}"
    entry = at(told, day)
    is_known = any(day >= min(e.fact.effective_on, e.known_on or date.max) for e in held.events)
    if entry is None or not is_known:
        is_told = entry is not None
        return [Difference("loan_day", key, "is_told", is_told, is_known)] if is_told != is_known else []
    loan = recompute(held, day, unit.directory).after
    right = _named(figures_of(loan, held.book.book_key, unit))
    return [
        Difference("loan_day", key, name, value, right[name])
        for name, value in _named(entry).items()
        if value != right[name]
    ]


def _named(figures: DayFigures) -> dict[str, object]:
    named: dict[str, object] = {name: getattr(figures.cell, name) for name in _DIMENSIONS}
    return {"past_due_on": figures.past_due_on, **named, **figures.measures._asdict()}
