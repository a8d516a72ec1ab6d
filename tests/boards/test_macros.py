"""The expander refuses what Grafana would refuse, and lets no value out of its quotes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analytics_api.board_viewer.macros import BoardQueryError, TimeRange, expand, variable_names

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
HOUR = TimeRange(from_at=NOON - timedelta(hours=1), to_at=NOON, interval=timedelta(minutes=1))
FROM, TO = "'2026-03-20T11:00:00Z'", "'2026-03-20T12:00:00Z'"


def expanded(sql: str, **variables: str | list[str]) -> str:
    return expand(sql, variables, HOUR)


@pytest.mark.parametrize(
    ("sql", "result"),
    [
        ("$__timeFilter(minute)", f"minute BETWEEN {FROM} AND {TO}"),
        ("x > $__timeFrom() AND x < $__timeTo()", f"x > {FROM} AND x < {TO}"),
        ("SELECT $__time(at)", 'SELECT at AS "time"'),
        ("$__timeEpoch(at)", 'extract(epoch from at) as "time"'),
        ("GROUP BY $__timeGroup(at, '5m')", "GROUP BY floor(extract(epoch from at)/300)*300"),
        ("SELECT $__timeGroup(at,1m), x", 'SELECT floor(extract(epoch from at)/60)*60 AS "time", x'),
        ("$__timeGroupAlias(at, $__interval)", 'floor(extract(epoch from at)/60)*60 AS "time"'),
        ("$__unixEpochFilter(t)", "t >= 1774004400 AND t <= 1774008000"),
        ("$__unixEpochGroup(t, '1h')", "floor(t/3600)*3600"),
        ("$__interval_ms ${__from} $__to", "60000 1774004400000 1774008000000"),
    ],
)
def test_macros_expand_as_in_grafana(sql: str, result: str) -> None:
    assert expanded(sql) == result


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("$__timeFilter(date_trunc('hour', at))", "parentheses"),
        ("$__timeBucket(at)", "unknown macro"),
        ("$__timeGroup(at)", "a column and an interval"),
        ("$__timeGroup(at, '5m', NULL)", "a column and an interval"),
        ("$__timeGroup(at, often)", "no interval"),
        ("$__timeFilter(a, b)", "one column"),
        ("WHERE x = $nobody", "neither a variable"),
        ("WHERE x = ${book:csv}", "sqlstring only"),
        ("WHERE x = ${book:raw}", "sqlstring only"),
        ("$__timeFilter", "neither a variable"),
    ],
)
def test_what_grafana_would_not_expand_is_an_error(sql: str, complaint: str) -> None:
    with pytest.raises(BoardQueryError, match=complaint):
        expanded(sql, book="riverside")


def test_sqlstring_quotes_one_value_and_many() -> None:
    assert expanded("x = ${b:sqlstring}", b="Main") == "x = 'Main'"
    assert expanded("x IN (${b:sqlstring})", b=["Main", "O'Malley"]) == "x IN ('Main','O''Malley')"


def test_a_list_without_a_format_is_quoted_and_a_plain_word_is_not() -> None:
    assert expanded("x IN ($b)", b=["a", "b'c"]) == "x IN ('a','b''c')"
    assert expanded("LIMIT ${n}", n="30") == "LIMIT 30"
    assert expanded("LIMIT [[n]]", n="30") == "LIMIT 30"


@pytest.mark.parametrize("value", ["1; DROP TABLE x", "' OR 1=1 --", "a b", "$1"])
def test_a_value_that_could_be_sql_never_stands_unquoted(value: str) -> None:
    with pytest.raises(BoardQueryError, match="unquoted"):
        expanded("LIMIT $n", n=value)


@pytest.mark.parametrize("value", ["$__timeFrom()", "x$__timeFilter(a)", "a\0b"])
def test_a_value_that_would_end_its_own_quotes_is_refused(value: str) -> None:
    with pytest.raises(BoardQueryError):
        expanded("x = ${b:sqlstring}", b=value)


@pytest.mark.parametrize("value", ["' OR ''='", "\\'; --", "'';'", "${book}", "$book", "%'"])
def test_a_quoted_value_stays_one_literal(value: str) -> None:
    literal = expanded("${b:sqlstring}", b=value)
    inside = literal[1:-1]
    assert literal[0] == literal[-1] == "'"
    assert inside.replace("''", "").count("'") == 0
    assert inside.replace("''", "'") == value


def test_the_variables_of_a_text_are_found_whatever_their_form() -> None:
    assert variable_names("$a ${b} ${c:sqlstring} [[d]] $__interval $__timeFilter(x)") == {"a", "b", "c", "d"}
