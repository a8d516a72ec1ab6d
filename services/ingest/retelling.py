"""Past days of plain loans told anew as columns: each close is read off what had been paid by then.

Taken are only loans whose history can be played (`entries.playable_of`), whose stored state is what their
payments give, and whose contract and place were on all the days to tell what they are now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ingest.entries import (
    PLACING,
    REVERSAL,
    Entry,
    Played,
    all_payments,
    are_same,
    identity_of,
    playable_of,
    played,
)
from ingest.locked import Ints, Locked, LockedColumns
from ingest.plain import Rules, are_plain, loans_of
from ingest.records import LoanRef, RollupCell, RollupMeasures
from ingest.restating import DayFigures, Restatement
from loanbook.domain.plain_figures import plain_figures
from loanbook.domain.plain_history import paid_until, pay_all, unpaid

_AT_ONCE = 5_000  # closes
_CELL = len(RollupCell._fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """A plain loan with what it came to as known now, and as known when the days are told."""

    item: Restatement
    loan: Locked
    now: Played
    then: Played


def retell_plain(
    work: Sequence[Restatement],
    locked: Mapping[LoanRef, Locked],
    entries: Mapping[LoanRef, Sequence[Entry]],
    rules: Rules,
) -> dict[LoanRef, list[DayFigures]]:
    """What `restating.retell` gives, of those loans for which columns are enough."""
    plain = are_plain(LockedColumns.of([locked[item.ref] for item in work])).tolist()
    tried = [
        _retelling(item, locked[item.ref], entries[item.ref], rules)
        for item, is_plain in zip(work, plain, strict=True)
        if is_plain
    ]
    found = [one for one in tried if one is not None]
    return _told(_explained(found, rules), rules) if found else {}


def _retelling(item: Restatement, loan: Locked, entries: Sequence[Entry], rules: Rules) -> Retelling | None:
    counting = [e for e in entries if rules.counts_key(item.book_key, e["type_key"], e["source_key"])]
    placing = [entry for entry in counting if entry["type_key"] in PLACING]
    if any(entry["known_on"] > item.known_on or entry["effective_on"] > item.from_on for entry in placing):
        return None
    # One that was booked ahead of its own day waits for that day.
    if any(e["type_key"] == REVERSAL and e["effective_on"] > e["business_on"] for e in counting):
        return None
    playable = playable_of(counting)
    now = None if playable is None else played(playable)
    if playable is None or now is None:
        return None
    later = {identity_of(entry) for entry in counting if entry["known_on"] > item.known_on}
    then = played(playable, but=later) if later else now
    return None if then is None else Retelling(item=item, loan=loan, now=now, then=then)


def _explained(found: Sequence[Retelling], rules: Rules) -> list[Retelling]:
    stored = loans_of(LockedColumns.of([one.loan for one in found]), rules)
    given = unpaid(stored)
    pay_all(given, all_payments([one.now for one in found]))
    return [found[place] for place in np.flatnonzero(are_same(given, stored)).tolist()]


def _told(found: Sequence[Retelling], rules: Rules) -> dict[LoanRef, list[DayFigures]]:
    """An entry for the first close of each loan, and for each that differs from the one before."""
    told: dict[LoanRef, list[DayFigures]] = {one.item.ref: [] for one in found}
    closes = [
        (place, day)
        for place, one in enumerate(found)
        for day in range(one.item.from_on.toordinal(), one.item.known_on.toordinal())
    ]
    if not closes:
        return told
    parts = [closes[at : at + _AT_ONCE] for at in range(0, len(closes), _AT_ONCE)]
    figures = np.concatenate([_figures(found, part, rules) for part in parts])
    is_told = np.append(True, (figures[1:] != figures[:-1]).any(axis=1))
    days = [day for _, day in closes]
    for at, row in zip(np.flatnonzero(is_told).tolist(), figures[is_told].tolist(), strict=True):
        place, past_due, *figures_then = row
        told[found[place].item.ref].append(
            DayFigures(
                on_date=date.fromordinal(days[at]),
                past_due_on=date.fromordinal(past_due) if past_due else None,
                cell=RollupCell(*figures_then[:_CELL]),
                measures=RollupMeasures(*figures_then[_CELL:]),
            )
        )
    return told


def _figures(found: Sequence[Retelling], closes: Sequence[tuple[int, int]], rules: Rules) -> Ints:
    """A row a close: place of the loan, past due since, then the cell and the measures of the roll-ups."""
    place, day = np.array(closes, np.int64).T
    columns = LockedColumns.of([one.loan for one in found]).take(place)
    loans = unpaid(loans_of(columns, rules))
    pay_all(loans, paid_until(all_payments([one.then for one in found]), place, day))
    figures = plain_figures(loans, day)
    return np.column_stack(
        [
            place,
            figures.past_due_on,
            *(columns[name] for name in RollupCell._fields[:-2]),
            figures.bucket,
            figures.status,
            np.ones_like(place),
            loans.disbursed,
            loans.paid,
            figures.principal_outstanding,
            figures.total_outstanding,
            figures.overdue,
            figures.overdue_principal,
            loans.estimated,
        ]
    )
