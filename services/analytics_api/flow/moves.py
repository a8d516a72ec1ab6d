"""What a loan's move between two closes was: installments missed at each, and whether it was a cure; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from analytics_api.flow.figures import CHARGED_OFF
from analytics_api.flow.stories import Row
from loanbook.domain.loan import Loan, LoanStatus
from loanbook.domain.portfolio.migration import kind_of_cure
from loanbook.domain.portfolio.missed import MISSED_MAX, installments_missed

_ENDED = (LoanStatus.CLOSED, LoanStatus.OVERPAID)
_ENDS = {
    LoanStatus.CLOSED: 5,
    LoanStatus.OVERPAID: 5,
    CHARGED_OFF: 6,
    LoanStatus.WRITTEN_OFF: 7,
}  # places beside numbers of installments missed


class Outcome(IntEnum):
    """What became of a late loan; the numbers are stored."""

    NONE = 0
    CURED = 1
    RESTRUCTURED = 2  # current only because its terms were changed
    WAIVED = 3  # ... because a debt was given up
    WRITTEN_OFF = 4


_OF_KIND = {
    None: Outcome.NONE,
    "cured": Outcome.CURED,
    "restructure": Outcome.RESTRUCTURED,
    "waiver": Outcome.WAIVED,
    "written_off": Outcome.WRITTEN_OFF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One loan's move, or that of several alike that were never late."""

    row: Row
    missed: int
    place: int
    outcome: Outcome

    @property
    def loan(self) -> tuple[int, int]:
        """Slice and loan key."""
        return (self.row["slice"], self.row["loan_key"])


def move_of(row: Row, folded: tuple[Loan, Loan] | None) -> Move:
    """The move of a row; `folded` at both closes where the row alone cannot say how it stood."""
    before, after = folded or (None, None)
    missed_before = row["missed_before"] if before is None else installments_missed(before)
    missed_after = row["missed"] if after is None else installments_missed(after)
    is_late = row["bucket"] > 0
    return Move(
        row=row,
        missed=min(missed_before, MISSED_MAX),
        place=_ENDS.get(row["status"], min(missed_after, MISSED_MAX)),
        outcome=_outcome(row, before, after) if is_late else Outcome.NONE,
    )


def _outcome(row: Row, before: Loan | None, after: Loan | None) -> Outcome:
    if before is not None and after is not None:
        return _OF_KIND[kind_of_cure(before, after)]
    if row["status"] == LoanStatus.WRITTEN_OFF:
        return Outcome.WRITTEN_OFF
    is_current = row["status"] in _ENDED or row["past_due_on"] is None
    return Outcome.CURED if is_current else Outcome.NONE


def cells_of(moves: Iterable[Move], relapsed: Collection[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Sums by what they share, in the order of the table's columns from the currency on."""
    cells: dict[tuple[int, ...], list[int]] = {}
    for move in moves:
        row = move.row
        key = (row["currency_key"], row["branch_key"], row["product_key"], row["bucket"])
        sums = cells.setdefault((*key, move.missed, move.place, int(move.outcome)), [0, 0, 0, 0])
        sums[0] += row["loans"]
        sums[1] += row["principal_minor"]
        if move.outcome is Outcome.CURED and move.loan in relapsed:
            sums[2] += row["loans"]
            sums[3] += row["principal_minor"]
    return [(*key, *sums) for key, sums in cells.items()]
