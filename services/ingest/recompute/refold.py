"""Refolds loans in place from their ledger rows: what differs is written again, whole.

Differences of the figures reach core.book_now through the stored row, as with any change. Cash is no
column of a loan: what other code added for it cannot be taken away loan by loan. So refolded loans
leave core.cash_day alone; the run compares it with all folds at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from ingest.recompute.columns import Proven, proven
from ingest.recompute.holding import HeldLoan, differences_of, hold, recompute
from ingest.records import Book, ChangedLoan, LoanRef
from ingest.transaction import PostgresUnit
from loanbook.domain.loan import FOLD_VERSION

_NONE: Mapping[LoanRef, Proven] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refolded:
    """What a refold of some loans found."""

    loans: int = 0
    differing: int = 0
    outdated: int = 0  # folded by other code before, whatever came out

    def __add__(self, other: Refolded) -> Refolded:
        """Both together."""
        return Refolded(
            loans=self.loans + other.loans,
            differing=self.differing + other.differing,
            outdated=self.outdated + other.outdated,
        )


async def refold_loans(
    unit: PostgresUnit,
    book: Book,
    refs: Sequence[LoanRef],
    right: Mapping[LoanRef, Proven] = _NONE,
    *,
    retell: bool = False,
) -> Refolded:
    """Lock those of these loans that are not proven right, and write again what differs, its past told anew.

    With `retell` every past is told anew.
    """
    outdated = {ref for ref, loan in right.items() if loan.is_outdated}
    left = [ref for ref in refs if ref not in right]
    await unit.lock([*left, *outdated])
    held = await hold(unit, book, left)
    changes = {loan.ref: changed for loan in held if (changed := changed_by_refold(unit, loan)) is not None}
    await unit.save(list(changes.values()), [])
    kept = [
        (*loan.ref, loan.row["version"]) for loan in held if loan.ref not in changes and _is_outdated(loan)
    ]
    kept += [(*ref, right[ref].version) for ref in outdated]
    await unit.insert_many("mark_folded", [(*loan, FOLD_VERSION) for loan in kept])
    past = [(loan, _first_known_on(loan)) for loan in held if retell or loan.ref in changes]
    rows = [(*loan.ref, book.business_on, first) for loan, first in past if first < book.business_on]
    await unit.insert_many("insert_restates", rows)
    return _outcome(held, right, len(changes))


async def check_loans(unit: PostgresUnit, book: Book, refs: Sequence[LoanRef]) -> Refolded:
    """Count what a refold of these loans would change."""
    right = await proven(unit, book, refs)
    held = await hold(unit, book, [ref for ref in refs if ref not in right])
    return _outcome(held, right, sum(changed_by_refold(unit, loan) is not None for loan in held))


def changed_by_refold(unit: PostgresUnit, held: HeldLoan) -> ChangedLoan | None:
    """The loan at its book's day if it differs from what is stored, each compared at the stored day."""
    running, stored = held.book.business_on, held.stored
    on = min(stored.as_of, running)
    recomputed = recompute(held, on, unit.directory)
    if on == stored.as_of and not differences_of(held, recomputed, unit.directory):
        return None
    if on != running:
        recomputed = recompute(held, running, unit.directory)
    # A loan in quarantine has no cash in the roll-ups: what it has now is a difference like any other.
    return replace(recomputed, is_whole=not stored.quarantined)


def _outcome(held: Sequence[HeldLoan], right: Mapping[LoanRef, Proven], differing: int) -> Refolded:
    outdated = sum(map(_is_outdated, held)) + sum(loan.is_outdated for loan in right.values())
    return Refolded(loans=len(held) + len(right), differing=differing, outdated=outdated)


def _is_outdated(held: HeldLoan) -> bool:
    version: int = held.row["fold_version"]
    return version != FOLD_VERSION


def _first_known_on(held: HeldLoan) -> date:
    return min((event.fact.effective_on for event in held.events), default=held.book.business_on)
