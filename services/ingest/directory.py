"""Names to surrogate keys: books, sources, currencies, branches, products, officers; few and cached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ingest.records import Book, Record
from loanbook.domain.events import FACTS, LoanEvent
from loanbook.domain.money import exponent_of
from loanbook.domain.plain_figures import rules_of
from loanbook.domain.settings import ProductSettings
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection
from loanbook.wire import Received

UNKNOWN = 0  # the key of a name that is not given
_PARTS = {  # of a book that facts of a type name
    fact: parts
    for fact in FACTS
    if (parts := [kind for kind in ("branch", "product", "officer") if kind in fact.__struct_fields__])
}
_DEFAULTS = ProductSettings()
_DEFAULT_RULES = rules_of(_DEFAULTS)


class PostgresDirectory:
    """The names met so far; a name that is new gets its key before the batch's transaction."""

    def __init__(self) -> None:
        self.book_keys: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._currencies: dict[str, int] = {}
        self._branches: dict[tuple[int, str], int] = {}
        self._products: dict[tuple[int, str], int] = {}
        self._officers: dict[tuple[int, str], int] = {}
        self._settings: dict[tuple[int, str], ProductSettings] = {}
        self._rules: dict[int, tuple[int, ...]] = {}
        self._versions: dict[int, int] = {}  # of the books' settings
        self._authority: dict[tuple[int, int], int] = {}

    async def load(self, connection: Connection) -> None:
        """Read all names, as at the start and when a name is missing."""
        rows = await connection.fetch(load_sql("ingest", "select_directory"))
        read: dict[str, dict[Any, int]] = {kind: {} for kind in _KINDS}
        for row in rows:
            read[row["kind"]][_name(row)] = row["key"]
        self._load_settings(rows)
        self.book_keys, self._sources, self._currencies = read["book"], read["source"], read["currency"]
        self._branches, self._products, self._officers = read["branch"], read["product"], read["officer"]
        self._rules = {key: rules_of(self.settings(*name)) for name, key in self._products.items()}
        authority = await connection.fetch("SELECT book_key, type_key, source_key FROM core.authority")
        self._authority = {(row["book_key"], row["type_key"]): row["source_key"] for row in authority}

    def _load_settings(self, rows: Sequence[Any]) -> None:
        """Take over settings; an answer that other lanes' newer ones have overtaken is too late."""
        versions = {row["key"]: int(row["settings"]) for row in rows if row["kind"] == "book"}
        late = {key for key, version in versions.items() if version < self._versions.get(key, 0)}
        for row in rows:
            if row["kind"] == "product" and row["book_key"] not in late:
                settings = ProductSettings.from_json(json.loads(row["settings"]))
                self._settings[row["book_key"], row["name"]] = settings
        self._versions |= {key: version for key, version in versions.items() if key not in late}

    def is_behind(self, books: Iterable[Book]) -> bool:
        """Whether settings of a product have changed since they were read."""
        return any(book.settings_version > self._versions.get(book.book_key, 0) for book in books)

    async def prepare(self, connection: Connection, records: Sequence[Record]) -> None:
        """Give keys to the names of these records that have none yet."""
        await self.load(connection)  # another worker, or `loanpulse book add`, may have made them
        names = sorted(self.missing(records))
        await connection.execute(
            load_sql("ingest", "insert_names"),
            [kind for kind, _, _ in names],
            [book_key for _, book_key, _ in names],
            [name for _, _, name in names],
            [exponent_of(name) for _, _, name in names],
        )
        await self.load(connection)

    def missing(self, records: Iterable[Record]) -> set[tuple[str, int, str]]:
        """Names (kind, book key, name) in these records that have no key here."""
        return self.missing_in(r.value.event for r in records if isinstance(r.value, Received))

    def missing_in(self, events: Iterable[LoanEvent]) -> set[tuple[str, int, str]]:
        """Names (kind, book key, name) in these events that have no key here."""
        said: set[tuple[str, str, str | None]] = set()
        naming = []
        for event in events:  # once through: there are many, and they are not at hand
            said.add((event.source, event.book, event.fact.currency))
            if type(event.fact) in _PARTS:
                naming.append(event)
        found = {("source", UNKNOWN, uri) for uri, _, _ in said if uri not in self._sources}
        found |= {("currency", UNKNOWN, c) for _, _, c in said if c is not None and c not in self._currencies}
        # Of books only `loanpulse book add` makes new ones.
        found |= {("book", UNKNOWN, name) for _, name, _ in said if name not in self.book_keys}
        return found.union(*map(self._missing_parts, naming))

    def source_key(self, uri: str) -> int:
        """Key of an event source; raises KeyError unless prepared."""
        return self._sources[uri]

    def source_uris(self) -> dict[int, str]:
        """URIs by source key."""
        return {key: uri for uri, key in self._sources.items()}

    def currency_key(self, code: str | None) -> int:
        """Key of a currency, UNKNOWN without one."""
        return UNKNOWN if code is None else self._currencies[code]

    def branch_key(self, book_key: int, branch: str | None) -> int:
        """Key of a branch, UNKNOWN without one."""
        return UNKNOWN if branch is None else self._branches[book_key, branch]

    def product_key(self, book_key: int, product: str | None) -> int:
        """Key of a product, UNKNOWN without one."""
        return UNKNOWN if product is None else self._products[book_key, product]

    def officer_key(self, book_key: int, officer: str | None) -> int:
        """Key of an officer, UNKNOWN without one."""
        return UNKNOWN if officer is None else self._officers[book_key, officer]

    def settings(self, book_key: int, product: str | None) -> ProductSettings:
        """The product's rules, or the defaults."""
        return self._settings.get((book_key, product or ""), _DEFAULTS)

    def rules(self, product_key: int) -> tuple[int, ...]:
        """A product's settings as the short cut reads them."""
        return self._rules.get(product_key, _DEFAULT_RULES)

    def counts(self, book_key: int, type_key: int, source: str) -> bool:
        """Whether this source has the word on this event type; without a row every source has."""
        return self.counts_key(book_key, type_key, self._sources.get(source))

    def counts_key(self, book_key: int, type_key: int, source_key: int | None) -> bool:
        """The same, of the source's key."""
        authority = self._authority.get((book_key, type_key))
        return authority is None or authority == source_key

    def _missing_parts(self, event: LoanEvent) -> set[tuple[str, int, str]]:
        book_key = self.book_keys.get(event.book)
        if book_key is None:
            return set()
        known = {"branch": self._branches, "product": self._products, "officer": self._officers}
        named = {kind: getattr(event.fact, kind) for kind in _PARTS[type(event.fact)]}
        return {
            (kind, book_key, name)
            for kind, name in named.items()
            if name is not None and (book_key, name) not in known[kind]
        }


_KINDS = ("book", "source", "currency", "branch", "product", "officer")


def _name(row: Any) -> Any:  # noqa: ANN401 - a database row
    return row["name"] if row["book_key"] is None else (row["book_key"], row["name"])
