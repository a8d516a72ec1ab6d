"""Picks a page of loans from a picture of a book: whole columns are filtered and sorted at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from analytics_api.store.queries import LoanQuery, Selection

DAY_0 = date(2000, 1, 1)  # days are counted from here
UNKNOWN = "unknown"  # key 0: what the feed does not say
_LAST = int(np.iinfo(np.int64).max)
_SAMPLE = 10_000
Column = NDArray[np.int64] | NDArray[np.int32] | NDArray[np.int16]
Passing = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanPicture:
    """A book's loans at a moment, by id; no value is the lowest number of a column's type."""

    taken_at: datetime
    columns: Mapping[str, Column]
    branches: Mapping[int, tuple[str, str]]  # name and region by key
    products: Mapping[int, str]

    @property
    def loans(self) -> int:
        """How many."""
        return len(self.columns["loan_key"])

    def late_days(self, business_on: date) -> NDArray[np.int64]:
        """Days past due at a day, 0 when current."""
        due_on = self.columns["past_due_on"].astype(np.int64)
        days: NDArray[np.int64] = np.where(
            due_on == _none(self.columns["past_due_on"]), 0, (business_on - DAY_0).days - due_on
        )
        return days


@dataclass(frozen=True, slots=True, kw_only=True)
class PickedLoans:
    """One page, in order, and how many loans pass in all."""

    taken_at: datetime
    total: int
    slices: list[int]
    loan_keys: list[int]


def pick(picture: LoanPicture, query: LoanQuery) -> PickedLoans:
    """The page that a query asks for; loans that sort alike come in the order of their ids."""
    passing = list(_tests(picture, query))
    chosen = np.flatnonzero(np.logical_and.reduce(passing)) if passing else np.arange(picture.loans)
    places = _page(_sort_keys(picture, query, chosen), query.offset, query.limit)
    rows = chosen[places]
    return PickedLoans(
        taken_at=picture.taken_at,
        total=len(chosen),
        slices=picture.columns["slice"][rows].tolist(),
        loan_keys=picture.columns["loan_key"][rows].tolist(),
    )


def _tests(picture: LoanPicture, query: LoanQuery) -> Iterator[Passing]:
    """What each filter lets pass."""
    columns = picture.columns
    if query.currency_key is not None:
        yield columns["currency_key"] == query.currency_key
    for name, keys in (
        ("branch_key", _branch_keys(picture, query.selection)),
        ("product_key", _product_keys(picture, query.selection)),
        ("status", query.statuses),
        ("bucket", query.buckets),
        ("band", query.bands),
    ):
        if keys is not None:
            yield np.isin(columns[name], np.array(keys, dtype=columns[name].dtype))
    if query.days_past_due_min is not None:
        yield picture.late_days(query.business_on) >= query.days_past_due_min
    if query.days_past_due_max is not None:
        yield picture.late_days(query.business_on) <= query.days_past_due_max
    if query.overdue_only:
        yield columns["overdue"] > 0


def _branch_keys(picture: LoanPicture, selection: Selection) -> list[int] | None:
    if selection.regions is None and selection.branches is None:
        return None
    return [
        key
        for key, (branch, region) in {**picture.branches, 0: (UNKNOWN, UNKNOWN)}.items()
        if (selection.regions is None or region in selection.regions)
        and (selection.branches is None or branch in selection.branches)
    ]


def _product_keys(picture: LoanPicture, selection: Selection) -> list[int] | None:
    if selection.products is None:
        return None
    products = {**picture.products, 0: UNKNOWN}
    return [key for key, product in products.items() if product in selection.products]


def _sort_keys(picture: LoanPicture, query: LoanQuery, chosen: NDArray[np.intp]) -> NDArray[np.int64]:
    """Numbers of which the least comes first, for the chosen loans; what has no value comes last."""
    if query.sort == "loan_id":
        return -chosen if query.descending else chosen
    if query.sort == "days_past_due":
        values = picture.late_days(query.business_on)[chosen]
        return -values if query.descending else values
    if query.sort == "branch":
        names = {key: name for key, (name, _) in picture.branches.items()}
        column: Column = _ranks(names, picture.columns["branch_key"][chosen])
    elif query.sort == "product":
        column = _ranks(picture.products, picture.columns["product_key"][chosen])
    else:
        column = picture.columns[query.sort][chosen]
    values = column.astype(np.int64)
    if query.descending:
        np.negative(values, out=values)
    values[column == _none(column)] = _LAST
    return values


def _ranks(names: Mapping[int, str], keys: Column) -> NDArray[np.int64]:
    """The place of each key's name in the order of names."""
    table = np.full(max(names, default=0) + 1, np.iinfo(np.int64).min, dtype=np.int64)
    for rank, key in enumerate(sorted(names, key=lambda key: names[key].encode())):
        table[key] = rank
    return table[keys]


def _page(keys: NDArray[np.int64], offset: int, limit: int) -> NDArray[np.intp]:
    """Places of the page's keys: about as many are sorted as come before its end, however many are alike."""
    end = offset + limit
    edge = _edge(keys, end)
    below = np.flatnonzero(keys < edge)
    at_edge = np.flatnonzero(keys == edge)
    if len(below) + len(at_edge) < min(end, len(keys)):
        return np.argsort(keys, kind="stable")[offset:end]
    ordered = below[np.argsort(keys[below], kind="stable")]
    return np.concatenate((ordered, at_edge))[offset:end]


def _edge(keys: NDArray[np.int64], end: int) -> int:
    """A key that, most likely, at least `end` keys do not pass, and few more: judged by a sample."""
    sample = np.sort(keys[:: len(keys) // _SAMPLE + 1])
    expected = end / max(1, len(keys)) * len(sample)
    place = int(expected + 4 * expected**0.5) + 8
    return int(sample[place]) if place < len(sample) else _LAST


def _none(column: Column) -> int:
    return int(np.iinfo(column.dtype).min)
