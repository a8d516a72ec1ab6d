"""Cuts events into business days as they would have come in: some twice, some late, in any order."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ingest.commands.import_rows import ImportEvent

_LATE_DAYS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDay:
    """What comes in before a business day is closed; without a day to close, what comes after all of them."""

    closes_on: date | None
    events: list[ImportEvent]


def every_day(events: Sequence[ImportEvent]) -> list[date]:
    """Each day from the first to the last of these ordered events."""
    if not events:
        return []
    first, last = events[0].on, events[-1].on
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def replay(  # noqa: PLR0913 - the ways in which a feed may be untidy
    events: Sequence[ImportEvent],
    *,
    close_days: Sequence[date],
    duplicate_every: int = 10,
    late_share: float = 0.01,
    shuffle: bool = False,
    seed: int = 0,
) -> Iterator[ReplayDay]:
    """The same days for the same seed: every n-th event twice, a share of them some closings late.

    With `shuffle` the events between two closings come in any order. 0 turns a disorder off.
    """
    closings = sorted(close_days)
    chance = random.Random(seed)  # noqa: S311 - a seeded replay, no secret
    waiting: dict[int, list[ImportEvent]] = defaultdict(list)
    for number, event in enumerate(events, start=1):
        place = bisect_left(closings, event.on)
        if late_share and chance.random() < late_share:
            place = min(place + chance.randint(1, _LATE_DAYS_MAX), len(closings))
        waiting[place].append(event)
        if duplicate_every and number % duplicate_every == 0:
            waiting[place].append(event)
    for place in range(len(closings) + 1):
        found = waiting.pop(place, [])
        if shuffle:
            chance.shuffle(found)
        if place < len(closings):
            yield ReplayDay(closes_on=closings[place], events=found)
        elif found:
            yield ReplayDay(closes_on=None, events=found)
