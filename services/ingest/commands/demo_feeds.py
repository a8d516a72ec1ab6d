"""What a demonstration plays: a made-up book that never ends, or a lender's files day by day."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ingest.commands.books import BookError, Branch, NewBook, Product
from ingest.commands.import_events import read_events
from ingest.commands.mapping import load_mapping
from ingest.commands.replaying import every_day, replay
from ingest.commands.sending import Outgoing
from loanbook.synthetic.book import SyntheticBook
from loanbook.synthetic.settings import BRANCHES, PRODUCTS, SyntheticSettings, add_months

SYNTHETIC_BOOK = "demo"
_SOURCE = re.compile(r"urn:loanpulse:synthetic:seed=(\d+);loans=(\d+);months=(\d+)")
_REPEATED_EVERY, _LATE_SHARE = 10, 0.01  # of a lender's files, which are too tidy


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDay:
    """The events of one business day."""

    on: date
    events: Sequence[Outgoing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A book and its days; what lies before `live_from` is sent as fast as it goes."""

    book: NewBook
    source: str
    live_from: date
    seconds_per_day: float
    reference: Sequence[Outgoing]
    days: Callable[[date], Iterator[FeedDay]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asked of a made-up book; None: as it was, or as usual."""

    loans: int | None = None
    months: int | None = None
    seed: int | None = None


def synthetic_feed(settings: SyntheticSettings, seconds_per_day: float) -> Feed:
    """A made-up book: its history, then live."""
    made = SyntheticBook(settings)

    def days(from_on: date) -> Iterator[FeedDay]:
        for day in made.days(from_on):
            yield FeedDay(on=day.on, events=day.events)

    book = NewBook(
        book=settings.book,
        currencies=(settings.currency,),
        opens_on=settings.starts_on,
        products=tuple(Product(product=product.product, settings={}) for product in PRODUCTS),
        branches=tuple(
            Branch(branch=one.branch, name=one.name, region=one.region, manager=one.manager)
            for one in BRANCHES
        ),
    )
    return Feed(
        book=book,
        source=settings.source,
        live_from=settings.live_from,
        seconds_per_day=seconds_per_day,
        reference=made.reference_events(),
        days=days,
    )


def files_feed(folder: Path, mapping_name: str, seconds_per_day: float) -> Feed:
    """A lender's files, day by day at a pace, every tenth event twice and some late."""
    mapping = load_mapping(mapping_name)
    found = read_events(folder, mapping, folder.name)
    if not found.events:
        raise BookError(f"{folder} gives no event")
    first = found.events[0].on

    def days(from_on: date) -> Iterator[FeedDay]:
        closings = every_day(found.events)
        # Late events may need closings of their own after the last day.
        closings += [closings[-1] + timedelta(days=number) for number in range(1, 6)]
        for day in replay(
            found.events, close_days=closings, duplicate_every=_REPEATED_EVERY, late_share=_LATE_SHARE
        ):
            if day.closes_on is not None and day.closes_on >= from_on:
                yield FeedDay(on=day.closes_on, events=day.events)

    book = NewBook(
        book=folder.name, currencies=(mapping.currency,), opens_on=first, timezone=mapping.timezone
    )
    return Feed(
        book=book,
        source=mapping.source,
        live_from=first,
        seconds_per_day=seconds_per_day,
        reference=(),
        days=days,
    )


def settings_of(
    wanted: Wanted, opened_on: date | None, sources: Sequence[str], today: date
) -> SyntheticSettings:
    """Settings of the made-up book that is there, else as wanted; raises BookError on a clash."""
    known = [found for source in sources if (found := _SOURCE.fullmatch(source))]
    if opened_on is None or not known:
        usual = SyntheticSettings(starts_on=today)
        months = wanted.months or usual.months
        return SyntheticSettings(
            starts_on=opened_on or add_months(today, -months),
            seed=usual.seed if wanted.seed is None else wanted.seed,
            loans=wanted.loans or usual.loans,
            months=months,
        )
    seed, loans, months = (int(text) for text in known[0].groups())
    stored = Wanted(seed=seed, loans=loans, months=months)
    for name in ("seed", "loans", "months"):
        asked, there = getattr(wanted, name), getattr(stored, name)
        if asked is not None and asked != there:
            raise BookError(
                f"the book that is there was made with --{name} {there}, not {asked}; "
                "leave the option out to go on with it, or `make clean` to begin anew"
            )
    return SyntheticSettings(starts_on=opened_on, seed=seed, loans=loans, months=months)
