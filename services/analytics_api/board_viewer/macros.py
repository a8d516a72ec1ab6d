"""Grafana's variables and Postgres macros in a panel's SQL, expanded as strictly as Grafana does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Value = str | Sequence[str]

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)(?!\()\b|\[\[(\w+)\]\]")
_MACRO = re.compile(r"\$(\w+)\(([^)]*)\)")
_INTERVAL = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_HARMLESS = re.compile(r"^[A-Za-z0-9_.:-]*$")
_TEXTUAL = ("__interval", "__interval_ms", "__from", "__to")  # replaced as text, before the macros


class BoardQueryError(ValueError):
    """The board's SQL cannot be expanded as Grafana would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """What the page shows: both ends aware, and the width of one point."""

    from_at: datetime
    to_at: datetime
    interval: timedelta = timedelta(seconds=10)


def expand(sql: str, variables: Mapping[str, Value], time: TimeRange) -> str:
    """SQL ready for Postgres; raises BoardQueryError for what Grafana would refuse or pass on unexpanded."""
    return _expand_macros(_interpolate(sql, variables, time), time)


def variable_names(text: str) -> set[str]:
    """Names of the board's variables that a query, title or link mentions; Grafana's own are left out."""
    found = {next(filter(None, (m[1], m[3], m[4]))) for m in _VARIABLE.finditer(text)}
    return {name for name in found if not name.startswith("__")}


def interval_seconds(text: str) -> float:
    """Length of '10s', '5m', '1h', '1d'; raises BoardQueryError."""
    match = _INTERVAL.match(text)
    if match is None:
        msg = f"{text!r} is no interval"
        raise BoardQueryError(msg)
    return float(match[1]) * _SECONDS[match[2]]


def _interpolate(sql: str, variables: Mapping[str, Value], time: TimeRange) -> str:
    def replace(match: re.Match[str]) -> str:
        name = next(filter(None, (match[1], match[3], match[4])))
        if name in _TEXTUAL and match[2] is None:
            return _textual(name, time)
        if name not in variables:
            msg = f"${name} is neither a variable of the board nor known to Grafana"
            raise BoardQueryError(msg)
        return _format(name, variables[name], match[2])

    return _VARIABLE.sub(replace, sql)


def _textual(name: str, time: TimeRange) -> str:
    milliseconds = round(time.interval.total_seconds() * 1000)
    if name == "__interval":
        return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"
    if name == "__interval_ms":
        return str(milliseconds)
    return str(_epoch_ms(time.from_at if name == "__from" else time.to_at))


def _format(name: str, value: Value, how: str | None) -> str:
    if how == "sqlstring":
        return ",".join(map(_quote, _as_list(value)))
    if how is not None:
        msg = f"${{{name}:{how}}}: SQL takes the format sqlstring only"
        raise BoardQueryError(msg)
    if not isinstance(value, str):  # Grafana's SQL data sources quote the values of a multi-value variable
        return ",".join(map(_quote, value))
    # Grafana escapes a single value without quoting it, which is safe only between quotes of the query's own.
    if not _HARMLESS.match(value):
        msg = f"the value of ${name} may not stand in SQL unquoted: write ${{{name}:sqlstring}}"
        raise BoardQueryError(msg)
    return value


def _as_list(value: Value) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _quote(value: str) -> str:
    if (
        "\0" in value or "$__" in value
    ):  # a macro in a value would be expanded inside the quotes, and end them
        msg = "a variable's value holds a zero byte or a macro"
        raise BoardQueryError(msg)
    return "'" + value.replace("'", "''") + "'"


def _expand_macros(sql: str, time: TimeRange) -> str:
    def replace(match: re.Match[str]) -> str:
        name, args = match[1], [argument.strip(" ") for argument in match[2].split(",")]
        # Grafana's habit from before version 5.3: followed by a comma, the group names itself.
        if name == "__timeGroup" and sql[match.end() : match.end() + 1] == ",":
            name = "__timeGroupAlias"
        if name not in _MACROS:
            msg = f"unknown macro ${name}"
            raise BoardQueryError(msg)
        if "(" in match[2]:
            msg = f"${name}: Grafana ends a macro at the first ')', so its arguments cannot hold parentheses"
            raise BoardQueryError(msg)
        return _MACROS[name](name, args, time)

    expanded = _MACRO.sub(replace, sql)
    left = re.search(r"\$\w+", re.sub(r"'(?:[^']|'')*'", "", expanded))
    if left:
        msg = f"{left[0]} is left over after expansion"
        raise BoardQueryError(msg)
    return expanded


def _column(name: str, args: list[str]) -> str:
    if len(args) != 1 or not args[0]:
        msg = f"${name} takes one column"
        raise BoardQueryError(msg)
    return args[0]


def _time_filter(name: str, args: list[str], time: TimeRange) -> str:
    return f"{_column(name, args)} BETWEEN '{_rfc3339(time.from_at)}' AND '{_rfc3339(time.to_at)}'"


def _group(name: str, args: list[str], _time: TimeRange) -> str:
    if len(args) != 2:  # noqa: PLR2004  a third argument, the fill mode, is not drawn here
        msg = f"${name} takes a column and an interval"
        raise BoardQueryError(msg)
    seconds = f"{interval_seconds(args[1].strip(chr(39))):g}"
    column = args[0] if name.startswith("__unix") else f"extract(epoch from {args[0]})"
    alias = ' AS "time"' if name.endswith("Alias") else ""
    return f"floor({column}/{seconds})*{seconds}{alias}"


def _unix_filter(name: str, args: list[str], time: TimeRange) -> str:
    column = _column(name, args)
    return f"{column} >= {_epoch_ms(time.from_at) // 1000} AND {column} <= {_epoch_ms(time.to_at) // 1000}"


_MACROS: dict[str, Callable[[str, list[str], TimeRange], str]] = {
    "__time": lambda name, args, _time: f'{_column(name, args)} AS "time"',
    "__timeEpoch": lambda name, args, _time: f'extract(epoch from {_column(name, args)}) as "time"',
    "__timeFilter": _time_filter,
    "__timeFrom": lambda _name, _args, time: f"'{_rfc3339(time.from_at)}'",
    "__timeTo": lambda _name, _args, time: f"'{_rfc3339(time.to_at)}'",
    "__timeGroup": _group,
    "__timeGroupAlias": _group,
    "__unixEpochFilter": _unix_filter,
    "__unixEpochGroup": _group,
    "__unixEpochGroupAlias": _group,
}


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
