"""Months of closes, and the matrix of moves between them."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analytics_api.flow.figures import ratio
from analytics_api.schemas.measures import BucketMoves, MonthMoves, Move, PlaceName
from analytics_api.schemas.parts import money
from analytics_api.schemas.portfolio import BucketName
from analytics_api.store import Row

BUCKETS: tuple[BucketName, ...] = ("current", "1-30", "31-60", "61-90", "91+")
PLACES: tuple[PlaceName, ...] = (*BUCKETS, "closed", "charged_off", "written_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCloses:
    """The last closes of a month and of the one before."""

    month: date
    opening_on: date
    closing_on: date
    to_date: bool


def month_end(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def month_after(month: date, count: int = 1) -> date:
    """The first day of the month so many months on (or, below 0, back)."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def closes_of(rows: Sequence[Row], business_on: date) -> list[MonthCloses]:
    """The months whose moves have been counted."""
    pairs = dict.fromkeys((row["opening_on"], row["closing_on"]) for row in rows)
    return [
        MonthCloses(
            month=closing_on.replace(day=1),
            opening_on=opening_on,
            closing_on=closing_on,
            to_date=business_on <= month_end(closing_on),
        )
        for opening_on, closing_on in pairs
    ]


def moves_of(closes: MonthCloses, rows: Sequence[Row], currency: str) -> MonthMoves:
    """One month's matrix, from the moves between all pairs of closes."""
    mine = [row for row in rows if row["opening_on"] == closes.opening_on]
    return MonthMoves(
        month=f"{closes.month:%Y-%m}",
        opening_on=closes.opening_on,
        closing_on=closes.closing_on,
        to_date=closes.to_date,
        buckets=[
            _row(number, [row for row in mine if row["bucket"] == number], currency)
            for number in range(len(BUCKETS))
        ],
    )


def _row(number: int, moved: Sequence[Row], currency: str) -> BucketMoves:
    by_place = {row["place"]: (row["principal_minor"], row["loans"]) for row in moved}
    principal = sum(amount for amount, _ in by_place.values())
    loans = sum(count for _, count in by_place.values())
    cells = [by_place.get(place, (0, 0)) for place in range(len(PLACES))]
    return BucketMoves(
        bucket=BUCKETS[number],
        opening_principal=money(principal, currency),
        opening_loans=loans,
        to=[
            Move(
                place=place,
                principal=money(amount, currency),
                roll_rate=ratio(amount, principal),
                loans=count,
                transition=ratio(count, loans),
            )
            for place, (amount, count) in zip(PLACES, cells, strict=True)
        ],
    )
