"""Backdated and reversed payments of plain loans: all payments again, as columns, from the ledger's rows.

Taken are only loans whose whole history can be played (`entries.playable_of`), and whose stored state is what
their payments give; every other loan is folded the general way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import numpy as np

from ingest.entries import (
    TALK,
    Entry,
    Played,
    all_payments,
    are_same,
    is_latest_officer,
    is_named,
    playable_of,
    played,
)
from ingest.locked import Locked, LockedColumns
from ingest.numbering import is_plain_payment, ordinals
from ingest.plain import Order, PlainChanges, Rules, are_plain, loans_of
from ingest.records import LedgerRow, LoanRef
from loanbook.domain.events import OfficerChanged, PaymentPosted, PaymentReversed
from loanbook.domain.plain_figures import plain_figures
from loanbook.domain.plain_history import pay_all, taken_back, unpaid
from loanbook.postgres.ledger import TYPE_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Plain loans with all their payments before and after the new events, in key order."""

    loans: list[Locked]
    fresh: list[list[LedgerRow]]
    before: list[Played]
    after: list[Played]
    last: list[Order]
    officers: list[str | None]  # who has it now, where that is another
    changed_from: list[int]  # first closed day that the new events change, 0 for none

    def take(self, places: Sequence[int]) -> Replays:
        """The loans at these places."""
        return Replays(**{f.name: [getattr(self, f.name)[place] for place in places] for f in fields(self)})


def replayable(
    fresh: Iterable[LedgerRow], locked: Mapping[LoanRef, Locked], rules: Rules
) -> dict[LoanRef, list[LedgerRow]]:
    """New events of plain loans to which nothing came but payments, reversals and talk, by loan."""
    by_loan: dict[LoanRef, list[LedgerRow]] = defaultdict(list)
    for row in fresh:
        by_loan[row.ref].append(row)
    refs = sorted(by_loan)
    loans = LockedColumns.of([locked[ref] for ref in refs])
    currencies = loans["currency_key"].tolist()
    return {
        ref: by_loan[ref]
        for ref, plain, currency in zip(refs, are_plain(loans).tolist(), currencies, strict=True)
        if plain and all(_is_playable(row, currency, rules) for row in by_loan[ref])
    }


def replays_of(
    wanted: Mapping[LoanRef, list[LedgerRow]],
    locked: Mapping[LoanRef, Locked],
    entries: Mapping[LoanRef, Sequence[Entry]],
    rules: Rules,
) -> Replays:
    """Those of these loans whose entries can be played as columns."""
    found = Replays(**{f.name: [] for f in fields(Replays)})
    for ref, rows in wanted.items():
        new = {row.identity for row in rows}
        book_key = rows[0].book.book_key
        counting = [e for e in entries[ref] if rules.counts_key(book_key, e["type_key"], e["source_key"])]
        playable, officer = playable_of(counting), _new_officer(rows)
        if playable is None or (officer is not None and not is_latest_officer(officer[0], counting, new)):
            continue
        before, after = played(playable, but=new), played(playable)
        if before is not None and after is not None:
            found.loans.append(locked[ref])
            found.fresh.append(rows)
            found.before.append(before)
            found.after.append(after)
            found.last.append(playable.last)
            found.officers.append(None if officer is None else officer[1])
            found.changed_from.append(_changed_from(rows, counting))
    return found


def replay(replays: Replays, rules: Rules) -> tuple[PlainChanges | None, set[LoanRef]]:
    """Play the payments of those loans whose stored state is what they gave before the new events."""
    if not replays.loans:
        return None, set()
    columns = LockedColumns.of(replays.loans)
    stored = loans_of(columns, rules)
    before, after = unpaid(stored), unpaid(stored)
    loans, day, gone = pay_all(before, all_payments(replays.before))
    explained = are_same(before, stored)
    if not explained.all():
        return replay(replays.take(np.flatnonzero(explained).tolist()), rules)
    came = pay_all(after, all_payments(replays.after))
    today = np.array([rows[0].book.business_on.toordinal() for rows in replays.fresh], np.int64)
    paid = [
        (place, row.event.fact.cash)
        for place, rows in enumerate(replays.fresh)
        for row in rows
        if type(row.event.fact) is PaymentPosted
    ]
    place, amount = np.array(paid, np.int64).reshape(-1, 2).T
    changes = PlainChanges(
        before=columns,
        today=today,
        loans=after,
        figures=plain_figures(after, today),
        received=[came, (loans, day, taken_back(gone))],
        last_order=ordinals(*zip(*replays.last, strict=True)),
        changed_from=np.array(replays.changed_from, np.int64),
        paid=(place, amount),
        named={place: (one.named, one.returned) for place, one in enumerate(replays.after) if one.named},
        officers={place: name for place, name in enumerate(replays.officers) if name is not None},
    )
    return changes, {rows[0].ref for rows in replays.fresh}


def _is_playable(row: LedgerRow, currency_key: int, rules: Rules) -> bool:
    event, fact = row.event, row.event.fact
    if fact.currency is not None and rules.currency_key(fact.currency) != currency_key:
        return False
    if not rules.counts(row.book.book_key, TYPE_KEYS[fact.TYPE], event.source):
        return False
    if type(fact) is PaymentReversed:
        return fact.effective_on <= row.book.business_on and bool(fact.originals)
    if type(fact) in {OfficerChanged, *TALK}:
        return fact.effective_on <= row.book.business_on and not fact.relates_to
    return fact.effective_on <= row.book.business_on and is_plain_payment(fact, row.data)


def _new_officer(rows: Sequence[LedgerRow]) -> tuple[Order, str] | None:
    """Who has a loan by the latest of its new events that says so, and when."""
    events = sorted((row.event for row in rows), key=attrgetter("order"))
    said = [
        (event.order[:4], event.fact.officer) for event in events if isinstance(event.fact, OfficerChanged)
    ]
    return said[-1] if said else None


def _changed_from(fresh: Sequence[LedgerRow], entries: Sequence[Entry]) -> int:
    """Ordinal of the first closed day that new events change, 0 for none: restating.first_changed_on."""
    days = [row.event.fact.effective_on for row in fresh]
    for row in fresh:
        if type(row.event.fact) is PaymentReversed:
            days += [entry["effective_on"] for entry in entries if is_named(entry, row.event.fact)]
    first = min(days)
    return first.toordinal() if first < fresh[0].book.business_on else 0
