"""From counted moves to figures: cures by bucket, and the matrix by installments missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from analytics_api.flow.figures import ratio
from analytics_api.flow.moves import Outcome
from analytics_api.flow.rolling import BUCKETS, month_end
from analytics_api.schemas.cures import (
    BucketCures,
    CuresMonth,
    Loans,
    MissedMonth,
    MissedMove,
    MissedMoves,
    MissedName,
    MissedPlaceName,
    Relapses,
)
from analytics_api.schemas.parts import money
from analytics_api.store import Row
from loanbook.domain.portfolio.missed import RELAPSE_DAYS

_MISSED: Final[tuple[MissedName, ...]] = ("0", "1", "2", "3", "4+")
_PLACES: Final[tuple[MissedPlaceName, ...]] = (*_MISSED, "closed", "charged_off", "written_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthMoved:
    """The counted moves of one month, of one part of a book."""

    mark: Row
    cells: Sequence[Row]
    currency: str

    def sums(self, chosen: Callable[[Row], bool], what: str = "") -> tuple[int, int]:
        """Loans and principal of some cells; `what` may be "relapsed_"."""
        found = [cell for cell in self.cells if chosen(cell)]
        of_principal = "relapsed_minor" if what else "principal_minor"
        return sum(cell[f"{what}loans"] for cell in found), sum(cell[of_principal] for cell in found)

    def days(self) -> dict[str, Any]:
        """What a month's answer says of its days."""
        month, closing_on = self.mark["month"], self.mark["closing_on"]
        return {
            "month": f"{month:%Y-%m}",
            "opening_on": self.mark["opening_on"],
            "closing_on": closing_on,
            "to_date": self.mark["as_of"] < month_end(month),
        }


def moved_by_part(marks: Sequence[Row], cells: Iterable[Row], currency: str) -> dict[str, list[MonthMoved]]:
    """Every part's months in order; an undivided book is the part ""."""
    by_key: dict[tuple[str, date], list[Row]] = {}
    for cell in cells:
        by_key.setdefault((cell["label"], cell["month"]), []).append(cell)
    labels = sorted({label for label, _ in by_key}) or [""]
    return {
        label: [
            MonthMoved(mark=mark, cells=by_key.get((label, mark["month"]), []), currency=currency)
            for mark in marks
        ]
        for label in labels
    }


def cures_of(moved: MonthMoved) -> CuresMonth:
    """What became of the late loans of each bucket."""
    return CuresMonth(**moved.days(), buckets=[_cures(moved, number) for number in range(1, len(BUCKETS))])


def missed_of(moved: MonthMoved) -> MissedMonth:
    """The matrix by installments missed."""
    return MissedMonth(**moved.days(), rows=[_missed(moved, count) for count in range(len(_MISSED))])


def _cures(moved: MonthMoved, bucket: int) -> BucketCures:
    def of(outcome: Outcome) -> tuple[int, int]:
        return moved.sums(lambda cell: cell["bucket"] == bucket and cell["outcome"] == outcome)

    loans, principal = moved.sums(lambda cell: cell["bucket"] == bucket)
    cured = of(Outcome.CURED)
    return BucketCures(
        bucket=BUCKETS[bucket],
        opening=_loans(moved, (loans, principal)),
        cured=_loans(moved, cured),
        cure_rate_by_count=ratio(cured[0], loans),
        cure_rate=ratio(cured[1], principal),
        by_restructure=_loans(moved, of(Outcome.RESTRUCTURED)),
        by_waiver=_loans(moved, of(Outcome.WAIVED)),
        written_off=_loans(moved, of(Outcome.WRITTEN_OFF)),
        relapsed=_relapses(moved, bucket, cured),
    )


def _relapses(moved: MonthMoved, bucket: int, cured: tuple[int, int]) -> Relapses | None:
    last_on = moved.mark["closing_on"] + timedelta(days=RELAPSE_DAYS)
    if moved.mark["as_of"] < last_on:
        return None
    loans, principal = moved.sums(lambda cell: cell["bucket"] == bucket, "relapsed_")
    return Relapses(
        last_on=last_on,
        loans=loans,
        rate_by_count=ratio(loans, cured[0]),
        principal=money(principal, moved.currency),
        rate=ratio(principal, cured[1]),
    )


def _missed(moved: MonthMoved, count: int) -> MissedMoves:
    loans, principal = moved.sums(lambda cell: cell["missed"] == count)
    ends = [
        moved.sums(lambda cell, place=place: cell["missed"] == count and cell["place"] == place)  # type: ignore[misc]
        for place in range(len(_PLACES))
    ]
    return MissedMoves(
        missed=_MISSED[count],
        opening=_loans(moved, (loans, principal)),
        to=[
            MissedMove(
                place=place,
                principal=money(amount, moved.currency),
                roll_rate=ratio(amount, principal),
                loans=number,
                transition=ratio(number, loans),
            )
            for place, (number, amount) in zip(_PLACES, ends, strict=True)
        ],
    )


def _loans(moved: MonthMoved, sums: tuple[int, int]) -> Loans:
    return Loans(loans=sums[0], principal=money(sums[1], moved.currency))
