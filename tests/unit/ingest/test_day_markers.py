"""A book's day ends at its cut-off, by the clock of its own time zone."""

from datetime import UTC, date, datetime, time

import pytest

from ingest.day_markers import is_over

DAY = date(2026, 3, 27)


@pytest.mark.parametrize(
    ("timezone", "now", "over"),
    [
        ("UTC", datetime(2026, 3, 27, 23, 59, tzinfo=UTC), False),
        ("UTC", datetime(2026, 3, 28, 0, 0, tzinfo=UTC), True),
        ("Africa/Lagos", datetime(2026, 3, 27, 22, 59, tzinfo=UTC), False),
        ("Africa/Lagos", datetime(2026, 3, 27, 23, 0, tzinfo=UTC), True),
        ("America/Sao_Paulo", datetime(2026, 3, 28, 2, 59, tzinfo=UTC), False),
        ("America/Sao_Paulo", datetime(2026, 3, 28, 3, 0, tzinfo=UTC), True),
    ],
)
def test_a_day_ends_at_midnight_where_the_book_is(timezone: str, now: datetime, over: bool) -> None:
    assert is_over(DAY, timezone, time(0), now) is over


def test_a_cut_off_is_a_time_of_the_next_day() -> None:
    assert not is_over(DAY, "UTC", time(4), datetime(2026, 3, 28, 3, 59, tzinfo=UTC))
    assert is_over(DAY, "UTC", time(4), datetime(2026, 3, 28, 4, 0, tzinfo=UTC))


def test_the_night_without_two_o_clock_ends_the_day_once() -> None:
    assert is_over(date(2026, 3, 28), "Europe/Berlin", time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
