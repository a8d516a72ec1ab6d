"""Names to surrogate keys: books, sources, currencies, branches, products, officers; few and cached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ingest.numbering import Named, Said
from ingest.records import Book
from loanbook.domain.money import exponent_of
from loanbook.domain.plain_figures import rules_of
from loanbook.domain.settings import ProductSettings
from loanbook.postgres.load_sql import load_sql
from loanbook.postgres.pool import Connection

UNKNOWN = 0  # the key of a name that is not given
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

    async def prepare(self, connection: Connection, said: Iterable[Said], named: Iterable[Named]) -> None:
        """Give keys to those of these names that have none yet."""
        await self.load(connection)  # another worker, or `loanpulse book add`, may have made them
        names = sorted(self.missing(said, named))
        await connection.execute(
            load_sql("ingest", "insert_names"),
            [kind for kind, _, _ in names],
            [book_key for _, book_key, _ in names],
            [name for _, _, name in names],
            [exponent_of(name) for _, _, name in names],
        )
        await self.load(connection)

    def missing(self, said: Iterable[Said], named: Iterable[Named]) -> set[tuple[str, int, str]]:
        """Those of these names (kind, book key, name) that have no key here."""
        said = set(said)
        found = {("source", UNKNOWN, one.source) for one in said if one.source not in self._sources}
        found |= {("currency", UNKNOWN, one.currency) for one in said
                  if one.currency is not None and one.currency not in self._currencies}  # fmt: skip
        # Of books only `loanpulse book add` makes new ones.
        found |= {("book", UNKNOWN, one.book) for one in said if one.book not in self.book_keys}
        known = {"branch": self._branches, "product": self._products, "officer": self._officers}
        return found | {
            (kind, self.book_keys[book], name)
            for kind, book, name in named
            if book in self.book_keys and (self.book_keys[book], name) not in known[kind]
        }

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


_KINDS = ("book", "source", "currency", "branch", "product", "officer")


def _name(row: Any) -> Any:  # noqa: ANN401 - a database row
    return row["name"] if row["book_key"] is None else (row["book_key"], row["name"])
