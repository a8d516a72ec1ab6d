"""Which events of a batch take the short cut: payments on plain loans, later than all that was known.

What is strictly later than everything a loan had cannot be a repetition of it, and what is no
repetition, reversal or correction only adds to the sum paid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ingest.locked import Ints, Locked, LockedColumns
from ingest.numbering import ORDER
from ingest.plain import LAST_ORDER, PlainBatch, are_plain
from ingest.records import Identity, LedgerRow, LoanRef
from ingest.sorting_out import Taken
from loanbook.domain.plain import Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """New events loan by loan in their order, and their locked loans."""

    taken: Taken
    loans: LockedColumns
    is_later: Flags  # of each event: than all its loan had, and than the arrival before it

    @property
    def earlier(self) -> list[LedgerRow]:
        """What came to plain loans and may be a repetition: the ledger knows."""
        return self.taken.rows(np.flatnonzero(are_plain(self.loans)[self.taken.place] & ~self.is_later))

    def but(self, chosen: Flags) -> list[LedgerRow]:
        """All but the chosen ones, as they came."""
        left = np.flatnonzero(~chosen)
        return self.taken.rows(left[np.argsort(self.taken.arrived[left])])

    def beside(self, chosen: Flags) -> list[LedgerRow]:
        """The chosen ones of loans to which other events came, too."""
        place = self.taken.place
        return self.taken.rows(np.flatnonzero(chosen & np.isin(place, place[~chosen])))

    def locked_but(self, chosen: Flags) -> dict[LoanRef, Locked]:
        """The loans of all but the chosen ones."""
        loans = self.loans.take(np.unique(self.taken.place[~chosen]))
        return {LoanRef(*ref): loans.row(place) for place, ref in enumerate(loans.refs())}


def arrange(taken: Taken, loans: LockedColumns) -> Arrivals:
    """Tell which events are later than all that was known of their loans."""
    order = [taken.numbers[name] for name in ORDER]
    return Arrivals(taken=taken, loans=loans, is_later=_is_later(loans, taken.place, order))


def choose_idle(locked: Mapping[LoanRef, Locked], today: date) -> tuple[PlainBatch, dict[LoanRef, Locked]]:
    """Part plain loans for which nothing came but a new day from all others."""
    loans = LockedColumns.of(list(locked.values()))
    is_plain = are_plain(loans)
    batch = PlainBatch(
        loans=loans.take(np.flatnonzero(is_plain)),
        amounts=np.zeros(0, np.int64),
        place=np.zeros(0, np.int64),
        order=[np.zeros(0, np.int64)] * 4,
        today=np.full(np.count_nonzero(is_plain), today.toordinal(), np.int64),
    )
    return batch, {
        ref: locked[ref] for ref, plain in zip(locked, is_plain.tolist(), strict=True) if not plain
    }


def choose(arrivals: Arrivals, known: Collection[Identity], *, doubted: bool = False) -> Flags:
    """Which payments may take the short cut; `known` events are in the ledger already.

    `doubted`: later ones may be repetitions, too, told again under another time.
    """
    place = arrivals.taken.place
    is_plain = are_plain(arrivals.loans)
    fits = _fits(arrivals)
    repeats = _repeats(arrivals, known, np.ones_like(fits) if doubted else ~arrivals.is_later)
    is_plain[place[~repeats & ~(fits & arrivals.is_later)]] = False
    chosen: Flags = is_plain[place] & ~repeats
    return chosen


def batch_of(arrivals: Arrivals, chosen: Flags) -> PlainBatch:
    """The chosen payments and their loans."""
    taken = arrivals.taken
    numbers = taken.numbers[chosen]
    places, first, place = np.unique(taken.place[chosen], return_index=True, return_inverse=True)
    return PlainBatch(
        loans=arrivals.loans.take(places),
        amounts=numbers["amount"],
        place=place,
        order=[numbers[name] for name in ORDER],
        today=taken.meaning["today"][chosen][first],
    )


def _is_later(loans: LockedColumns, place: Ints, order: Sequence[Ints]) -> Flags:
    is_new = _is_over(order, [loans[name][place] for name in LAST_ORDER])
    is_first = np.diff(place, prepend=-1) > 0
    return is_new & (is_first | _is_over(order, [np.roll(part, 1) for part in order]))


def _is_over(order: Sequence[Ints], before: Sequence[Ints]) -> Flags:
    """Where one order is strictly above another, compared part by part."""
    is_over = np.zeros(len(order[0]), np.bool_)
    is_same = np.ones(len(order[0]), np.bool_)
    for part, part_before in zip(order, before, strict=True):
        is_over |= is_same & (part > part_before)
        is_same &= part == part_before
    return is_over


def _fits(arrivals: Arrivals) -> Flags:
    """Which events only add to what was paid, and are not undone by one that came before them."""
    taken, loans, place = arrivals.taken, arrivals.loans, arrivals.taken.place
    fits: Flags = (taken.numbers["amount"] > 0) & (taken.meaning["paid_in"] == loans["currency_key"][place])
    undone = [number for number, ids in enumerate(loans.named_ids) if ids]
    asked = np.flatnonzero(np.isin(place, undone))
    for number, row in zip(asked.tolist(), taken.rows(asked), strict=True):
        named = set(loans.named_ids[place[number]] or ())
        fits[number] &= not {row.event.event_id, row.event.fact.entity_id} & named
    return fits


def _repeats(arrivals: Arrivals, known: Collection[Identity], suspects: Flags) -> Flags:
    """Which of the suspects the ledger holds, or came before in this batch: they change nothing."""
    repeats = np.zeros(len(arrivals.taken), np.bool_)
    met = set(known)
    asked, place = np.flatnonzero(suspects), arrivals.taken.place
    behind = asked[(asked > 0) & (place[asked] == place[asked - 1])]  # another of its loan before it
    ahead = [row.identity for row in arrivals.taken.rows(behind - 1)]
    before = dict(zip(behind.tolist(), ahead, strict=True))
    for number, row in zip(asked.tolist(), arrivals.taken.rows(asked), strict=True):
        repeats[number] = row.identity in met or row.identity == before.get(number)
        met.add(row.identity)
    return repeats
