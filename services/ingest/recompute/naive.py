"""The tables beside the naive fold, which shares no code with the fold that wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ingest.directory import PostgresDirectory
from ingest.folding import counted, product_of
from ingest.recompute.holding import Difference, HeldLoan, max_days_past_due, plain
from ingest.rows import STATE_COLUMNS, STATE_FIGURES
from loanbook.reference import naive_loan

_COLUMNS = dict(zip(STATE_FIGURES, STATE_COLUMNS[-len(STATE_FIGURES) :], strict=True))
_COMPONENTS = ("principal", "interest", "fee", "penalty")
_CANNOT = (ArithmeticError, LookupError, TypeError, ValueError)


def naive_differences(held: HeldLoan, on: date, directory: PostgresDirectory) -> list[Difference]:
    """Figures of the tables that the naive fold contradicts; a loan in quarantine has none."""
    events = counted(held.events, held.book, directory)
    settings = directory.settings(held.book.book_key, product_of(events))
    if held.row["quarantine"] is not None:
        return []
    try:
        naive = naive_loan(events, settings, on)
    except _CANNOT as error:
        return [Difference("naive", held.loan_id, "fold", "there", f"{type(error).__name__}: {error}")]
    if naive["status"] is None:
        del naive["status"]  # an application: its states are upstream's
    row = {**held.row, "max_dpd": max_days_past_due(held.row, on)}
    found = [
        Difference("naive", held.loan_id, column, row[column], naive[attribute])
        for attribute, column in _COLUMNS.items()
        if attribute in naive and plain(row[column]) != plain(naive[attribute])
    ]
    stored = sorted((event_id, reason) for event_id, (reason, _) in held.unapplied.items())
    if stored != sorted(set(naive["unapplied"])):
        found.append(Difference("naive", held.loan_id, "unapplied", stored, naive["unapplied"]))
    return found + _plan_differences(held.loan_id, row, naive.get("installments"))


def _plan_differences(
    loan_id: str, row: Mapping[str, Any], installments: Sequence[tuple[Any, ...]] | None
) -> list[Difference]:
    if installments is None or row["due_on"] is None:
        return []
    right: dict[str, list[Any]] = {
        "due_on": [part[1] for part in installments],
        "met_on": [part[5] for part in installments],
        "waived": [sum(part[4]) for part in installments],
    }
    for place, name in enumerate(_COMPONENTS):
        right[f"{name}_due"] = [part[2][place] for part in installments]
        right[f"{name}_paid"] = [part[3][place] for part in installments]
    return [
        Difference("naive", loan_id, column, row[column], values)
        for column, values in right.items()
        if list(row[column]) != (values if column.endswith("_on") or any(values) else [])
    ]
