"""Reads the texts of a row as ids, days, amounts; a text that does not fit is a bad row with its column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from ingest.commands.csv_rows import BadRow, Row
from ingest.commands.mapping import Mapping
from loanbook.domain.errors import RejectedEventError
from loanbook.domain.money import Minor, exponent_of
from loanbook.wire_rules import FIRST_DAY, LAST_DAY, exponent_of_code, name_fault

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_DATE_LENGTH = 10
_END_OF_DAY = time(23, 59, 59)


class BadValueError(Exception):
    """A text of a row does not fit; names the column."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads values as one mapping says, and gathers what was bad."""

    mapping: Mapping
    bad_rows: list[BadRow] = field(default_factory=list)

    def note(self, file: str, row: Row, error: BadValueError) -> None:
        """List a row as bad."""
        self.bad_rows.append(BadRow(file=file, line=row.line, column=error.column, reason=error.reason))

    def name(self, row: Row, column: str) -> str:
        """An id; must be there."""
        text = row.values[column]
        if fault := name_fault(text):
            raise BadValueError(column, fault)
        return text

    def text(self, row: Row, column: str | None) -> str | None:
        """A text, None where the column or the text is missing."""
        text = row.values[column] if column else ""
        if text and column and (fault := name_fault(text)):
            raise BadValueError(column, fault)
        return text or None

    def currency(self, row: Row, column: str | None) -> str:
        """The currency of a row, the mapping's where it is missing."""
        code = self.text(row, column) or self.mapping.currency
        try:
            exponent_of_code(code)
        except RejectedEventError as error:
            raise BadValueError(column or "currency", error.reason) from None
        return code

    def whole(self, row: Row, column: str | None) -> int | None:
        """A whole number (`30` or `30.0`), None where it is missing."""
        text = self.text(row, column)
        if text is None or column is None:
            return None
        whole, _, rest = text.partition(".")
        if not (whole.isascii() and whole.isdigit() and len(whole) < 10 and not rest.strip("0")):  # noqa: PLR2004
            raise BadValueError(column, f"not a whole number: {text[:40]!r}")
        return int(whole)

    def rate_bps(self, row: Row, column: str | None) -> int | None:
        """A percentage (`9.9`) in basis points."""
        text = self.text(row, column)
        if text is None or column is None:
            return None
        return int(self._minor(text, column, exponent=2))

    def amount(self, row: Row, column: str, currency: str) -> Minor:
        """An amount, exact in its currency; must be there."""
        return self._minor(row.values[column], column, exponent_of(currency))

    def part(self, row: Row, column: str | None, currency: str) -> Minor:
        """A part of an amount, 0 where it is missing."""
        text = self.text(row, column)
        return self._minor(text, column, exponent_of(currency)) if text and column else Minor(0)

    def day(self, row: Row, column: str) -> date:
        """A day; of a time the local day."""
        return self._local(row, column, time(0)).date()

    def instant(self, row: Row, column: str, *, ends_day: bool = False) -> tuple[date, datetime]:
        """The local day and the instant in UTC; a date alone is the start of its day, or the end."""
        local = self._local(row, column, _END_OF_DAY if ends_day else time(0))
        return local.date(), local.astimezone(UTC)

    def _local(self, row: Row, column: str, clock: time) -> datetime:
        text = row.values[column]
        try:
            if self.mapping.date_format:
                found = datetime.strptime(text, self.mapping.date_format)  # noqa: DTZ007 - the zone follows
            else:
                found = datetime.fromisoformat(text)
        except ValueError:
            raise BadValueError(column, f"not a date: {text[:40]!r}" if text else "is empty") from None
        if not FIRST_DAY < found.date() < LAST_DAY:
            raise BadValueError(column, f"must lie between {FIRST_DAY} and {LAST_DAY}")
        if len(text) <= _DATE_LENGTH:
            found = datetime.combine(found.date(), clock)
        zone = ZoneInfo(self.mapping.timezone)
        return found.astimezone(zone) if found.tzinfo else found.replace(tzinfo=zone)

    def _minor(self, text: str, column: str, exponent: int) -> Minor:
        if not _AMOUNT.fullmatch(text):
            negative = text.startswith("-")
            reason = "must not be negative" if negative else "not a decimal amount"
            raise BadValueError(column, f"{reason}: {text[:40]!r}" if text else "is empty")
        try:
            return Minor.parse(text, exponent)
        except ValueError as error:
            raise BadValueError(column, str(error)) from None
