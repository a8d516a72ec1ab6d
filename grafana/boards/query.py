"""SQL for panels and variables: read from sql/, with the shorthands of the variables put in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import common

POSTGRES = common.DataSourceRef(type_val="grafana-postgresql-datasource", uid="lp-postgres")
_FOLDER = Path(__file__).parent / "sql"

# What every query of the book filters by, in the words of the reporting views.
_SHORTHANDS = {
    "@book": "book = ${book:sqlstring}",
    "@branches": (
        "book = ${book:sqlstring} AND currency = ${currency:sqlstring}"
        " AND region IN (${region:sqlstring}) AND branch IN (${branch:sqlstring})"
    ),
    "@selection": (
        "book = ${book:sqlstring} AND currency = ${currency:sqlstring}"
        " AND region IN (${region:sqlstring}) AND branch IN (${branch:sqlstring})"
        " AND product IN (${product:sqlstring})"
    ),
    # The same as arguments of the functions that sum by key.
    "@part": (
        "${book:sqlstring}, ${currency:sqlstring}, ARRAY[${region:sqlstring}], ARRAY[${branch:sqlstring}],"
        " ARRAY[${product:sqlstring}]"
    ),
    "@places": "${book:sqlstring}, ARRAY[${region:sqlstring}], ARRAY[${branch:sqlstring}]",
    # The inner SELECT makes Postgres choose the loan once, not once a partition.
    "@loan": (
        "book = ${book:sqlstring} AND loan_id = (SELECT chosen_loan(${book:sqlstring}, ${loan:sqlstring}))"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresQuery(variants.Dataquery):
    """The SDK knows no SQL data source; this is what Grafana's Postgres editor would save."""

    sql: str
    time_series: bool
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """The target as Grafana stores it."""
        return {
            "refId": self.ref_id,
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "time_series" if self.time_series else "table",
            "rawQuery": True,
            "rawSql": self.sql,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryBuilder(builder.Builder[variants.Dataquery]):
    """A query that is already built, in the shape panels take."""

    query: PostgresQuery

    def build(self) -> variants.Dataquery:
        """The query."""
        return self.query


def read_sql(name: str) -> str:
    """Text of sql/<name>.sql with the shorthands put in; raises KeyError for one that is not known."""
    text = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()
    return re.sub(r"@\w+", lambda match: _SHORTHANDS[match[0]], text)


def query(name: str, *, time_series: bool = False) -> QueryBuilder:
    """The query of sql/<name>.sql; `time_series` when its x axis is the dashboard's range."""
    return QueryBuilder(query=PostgresQuery(sql=read_sql(name), time_series=time_series))
