"""Grafana's words for time: now-1h, now-30d/d, or epoch milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from analytics_api.board_viewer.macros import BoardQueryError, TimeRange

_RELATIVE = re.compile(r"^now(?:-(\d{1,5})([smhdw]))?$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=3700)


def parse_range(from_text: str, to_text: str, now: datetime) -> TimeRange:
    """Both ends to the full second, so that all who look in it share a query; raises BoardQueryError."""
    start, end = _instant(from_text, now), _instant(to_text, now)
    if not timedelta() < end - start <= _LONGEST:
        msg = "the range must run forward, and over ten years at most"
        raise BoardQueryError(msg)
    return TimeRange(from_at=start, to_at=end)


def _instant(text: str, now: datetime) -> datetime:
    if re.fullmatch(r"\d{10,13}", text):
        return datetime.fromtimestamp(int(text) // 1000, UTC)
    match = _RELATIVE.match(text)
    if match is None:
        msg = f"{text!r} is no point in time: write now-1h or epoch milliseconds"
        raise BoardQueryError(msg)
    ago = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match[1] else timedelta()
    return now.replace(microsecond=0) - ago
