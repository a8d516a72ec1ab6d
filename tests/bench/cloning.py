"""Makes a book of any size out of a base that was folded: whole tables, set by set.

Every row of a loan is written again for each layer, under the layer's loan and branch; a roll-up is the
sum of the layers', since each has one loan like each of the base, in the same slice. What comes out is what
the fold would have made of the layers' own events, which the product's verification is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from loanbook.topics import loan_key_of
from tests.bench.book import BOOK, BRANCHES, BookSpec, Loan, branch_of, loans_of, shift_of

_BRANCH_MARK = '"branch":"{}"'
_TABLES = """
CREATE TEMP TABLE alike (
    base_key bigint, loan_key bigint, loan_id text COLLATE "C", shift integer);
CREATE TEMP TABLE moved (
    shift integer, branch_key integer, new_key integer, name text, new_name text,
    PRIMARY KEY (shift, branch_key));
"""
# Of a partitioned table the key may lie on a part alone.
_SHAPES = """
SELECT c.oid::regclass::text AS name,
    (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attidentity = '' AND a.attgenerated = '') AS columns,
    (SELECT array_agg(a.attname::text ORDER BY a.attnum)
     FROM (SELECT indrelid, indkey FROM pg_partition_tree(c.oid) t JOIN pg_index i ON i.indrelid = t.relid
           WHERE i.indisprimary ORDER BY t.level LIMIT 1) i
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('core', 'risk') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.oid <> 'core.branch'::regclass
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    name: str
    columns: tuple[str, ...]  # without those that the server counts up by itself
    key: tuple[str, ...]  # of a roll-up: its dimensions

    @property
    def of_loans(self) -> bool:
        return "loan_key" in self.columns

    @property
    def of_branches(self) -> bool:
        return "branch_key" in self.columns

    @property
    def is_rollup(self) -> bool:
        return self.of_branches and "slice" in self.columns and not self.of_loans


async def add_layers(connection: asyncpg.Connection, spec: BookSpec) -> None:
    """Write the further layers of a book whose base stands in the tables."""
    await connection.execute("SET synchronous_commit = off; SET work_mem = '256MB'; SET jit = off")
    await connection.execute(_TABLES)
    await connection.copy_records_to_table("alike", records=_names(loans_of(spec)))
    await connection.execute("ANALYZE alike")
    await _move_branches(connection, sorted({shift_of(layer) for layer in range(spec.layers)}))
    for table in await _tables(connection):
        if table.of_loans:
            await connection.execute(_rows_of_loans(table))
        elif table.is_rollup:
            await _add_up(connection, table, spec.layers)


def _names(loans: Iterator[Loan]) -> Iterator[tuple[int, int, str, int]]:
    base_keys: list[int] = []
    for loan in loans:
        key = loan_key_of(BOOK, loan.loan_id)
        if loan.layer == 0:
            base_keys.append(key)
        else:
            yield base_keys[loan.like], key, loan.loan_id, shift_of(loan.layer)


async def _move_branches(connection: asyncpg.Connection, shifts: Sequence[int]) -> None:
    names = [branch_of(place) for place in range(BRANCHES)]
    await connection.execute(
        "INSERT INTO core.branch (book_key, branch)"
        " SELECT book_key, n FROM core.book, unnest($2::text[]) n WHERE book = $1"
        " AND NOT EXISTS (SELECT FROM core.branch b WHERE b.book_key = core.book.book_key AND b.branch = n)",
        BOOK,
        names,
    )
    rows = [
        (shift, branch_of(place), branch_of(place + shift)) for shift in shifts for place in range(BRANCHES)
    ]
    await connection.execute(
        "INSERT INTO moved SELECT g.shift, b.branch_key, t.branch_key, b.branch, t.branch"
        " FROM unnest($1::integer[], $2::text[], $3::text[]) AS g (shift, name, new_name)"
        " JOIN core.branch b ON b.branch = g.name JOIN core.branch t ON t.branch = g.new_name",
        *map(list, zip(*rows, strict=True)),
    )


async def _tables(connection: asyncpg.Connection) -> list[_Table]:
    rows = await connection.fetch(_SHAPES)
    return [_Table(name=r["name"], columns=tuple(r["columns"]), key=tuple(r["key"] or ())) for r in rows]


def _rows_of_loans(table: _Table) -> str:
    values = {
        "loan_key": "a.loan_key",
        "loan_id": "a.loan_id",
        "branch_key": "coalesce(m.new_key, t.branch_key)",
        "detail": _detail() if table.name == "core.event" else "t.detail",
    }
    join = ""
    if table.of_branches:
        join = " LEFT JOIN moved m ON m.shift = a.shift AND m.branch_key = t.branch_key"
    elif table.name == "core.event":
        join = (
            " JOIN core.loan_state s ON s.slice = t.slice AND s.loan_key = t.loan_key"
            " LEFT JOIN moved m ON m.shift = a.shift AND m.branch_key = s.branch_key"
        )
    selected = ", ".join(values.get(column, f"t.{column}") for column in table.columns)
    return (
        f"INSERT INTO {table.name} ({', '.join(table.columns)})"
        f" SELECT {selected} FROM {table.name} t JOIN alike a ON a.base_key = t.loan_key{join}"
    )


def _detail() -> str:
    old, new = _BRANCH_MARK.split("{}")
    marks = (f"'{old}' || {name} || '{new}'" for name in ("m.name", "m.new_name"))
    return (
        "CASE WHEN m.shift > 0 THEN"
        f" convert_to(replace(convert_from(t.detail, 'UTF8'), {', '.join(marks)}), 'UTF8') ELSE t.detail END"
    )


async def _add_up(connection: asyncpg.Connection, table: _Table, layers: int) -> None:
    shifts = [shift_of(layer) for layer in range(layers)]
    keys = ["m.new_key" if column == "branch_key" else f"t.{column}" for column in table.key]
    measures = [column for column in table.columns if column not in table.key]
    sums = [f"sum(t.{column} * w.layers) AS {column}" for column in measures]
    named = [f"{value} AS {column}" for value, column in zip(keys, table.key, strict=True)]
    await connection.execute("DROP TABLE IF EXISTS grown")
    await connection.execute(
        f"CREATE TEMP TABLE grown AS SELECT {', '.join(named + sums)} FROM {table.name} t"
        " JOIN moved m USING (branch_key)"
        f" JOIN (SELECT s AS shift, count(*) AS layers"
        f" FROM unnest('{{{','.join(map(str, shifts))}}}'::integer[]) s GROUP BY 1) w USING (shift)"
        f" GROUP BY {', '.join(keys)}"
    )
    columns = ", ".join((*table.key, *measures))
    await connection.execute(f"TRUNCATE {table.name}")
    await connection.execute(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM grown")
    await connection.execute("DROP TABLE grown")
