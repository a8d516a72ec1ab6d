"""What opens a plain loan, read off the data of its events: a contract with one schedule, or a snapshot.

Read are only the fields that count, and of them only the usual: regular installments with their principal,
amounts of two decimals. Whatever else a loan was opened with is for the decoder of the wire and the fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from operator import lt
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from loanbook.domain.errors import LoanbookError
from loanbook.domain.events import LoanCreated, LoanDisbursed, LoanOpenedFromSnapshot, SchedulePublished
from loanbook.domain.money import EXPONENTS
from loanbook.domain.plain import Ints
from loanbook.domain.plain_history import Paid
from loanbook.domain.plain_opening import Openings
from loanbook.domain.plainness import ROWS_MAX
from loanbook.postgres.ledger import TYPE_KEYS

Entry = Mapping[str, Any]  # a row of select_ledgers.sql

_CREATED, _DISBURSED, _SCHEDULE, _SNAPSHOT = (
    TYPE_KEYS[fact.TYPE] for fact in (LoanCreated, LoanDisbursed, SchedulePublished, LoanOpenedFromSnapshot)
)
OPENING = frozenset({_CREATED, _DISBURSED, _SCHEDULE, _SNAPSHOT})
_CONTRACT = OPENING - {_SNAPSHOT}
_AMOUNT_LENGTH_MAX = 16  # "0.00" to 10^15
_COMPONENTS = 4  # principal, interest, fee, penalty


class _Period(msgspec.Struct, frozen=True, gc=False):
    due_date: str
    principal: str
    kind: Literal["regular"] = "regular"
    interest: str = "0.00"
    fee: str = "0.00"
    penalty: str = "0.00"


class _Data(msgspec.Struct, frozen=True, gc=False):
    """The fields of all four facts."""

    effective_date: str
    currency: str | None = None
    entity_version: int = 1
    kind: str = "original"
    amount: str = "0.00"
    disbursed_date: str = ""
    disbursed: str = "0.00"
    paid: str = "0.00"
    paid_before: msgspec.Raw | None = None
    relates_to: msgspec.Raw | None = None
    annual_rate_bps: int | None = None
    term_days: int | None = None
    borrower_id: str | None = None
    branch: str | None = None
    officer: str | None = None
    product: str | None = None
    periods: tuple[_Period, ...] = ()


class Opening(NamedTuple):
    """What a loan was opened with; amounts in minor units."""

    who: _Data  # the contract or the snapshot
    currency: str
    disbursed_on: date
    disbursed: int
    paid: Paid  # what a snapshot brought along; nothing on day 0 without one
    schedule_version: int
    due_on: list[date]
    dues: list[list[int]]  # by component, each by installment


class UnusualError(LoanbookError):
    """A loan that is for the general fold."""


class _Days(dict[str, date]):
    """Days by their texts: the same ones come again and again."""

    def __missing__(self, text: str) -> date:
        try:
            self[text] = day = date.fromisoformat(text)
        except ValueError as error:
            raise UnusualError(text) from error
        return day


class _Minors(dict[str, int]):
    """Amounts by their texts."""

    def __missing__(self, text: str) -> int:
        digits = text[:-3] + text[-2:]
        if (
            text[-3:-2] != "."
            or len(text) > _AMOUNT_LENGTH_MAX
            or not (digits.isascii() and digits.isdigit())
        ):
            raise UnusualError(text)
        self[text] = minor = int(digits)
        return minor


class OpeningReader:
    """Reads the openings of some loans."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Data).decode
        self._days, self._minors = _Days(), _Minors()

    def read(self, entries: Sequence[Entry]) -> Opening:
        """The opening these entries make; raises UnusualError where it is not a usual one."""
        try:
            by_kind = {entry["type_key"]: self._decode(entry["detail"]) for entry in entries}
        except msgspec.MsgspecError as error:
            raise UnusualError("other fields than usual") from error
        if len(by_kind) < len(entries) or by_kind.keys() not in ({_SNAPSHOT}, _CONTRACT):
            raise UnusualError("neither a snapshot nor a contract with one schedule")
        currencies = {data.currency for data in by_kind.values() if data.currency is not None}
        if len(currencies) != 1 or any(data.relates_to is not None for data in by_kind.values()):
            raise UnusualError("several currencies, or related to other facts")
        currency = currencies.pop()
        if currency in EXPONENTS:
            raise UnusualError(currency)
        snapshot = by_kind.get(_SNAPSHOT)
        return self._taken_over(snapshot, currency) if snapshot else self._lent(by_kind, currency)

    def _lent(self, by_kind: Mapping[int, _Data], currency: str) -> Opening:
        paid_out, schedule = by_kind[_DISBURSED], by_kind[_SCHEDULE]
        if schedule.kind != "original":
            raise UnusualError(schedule.kind)
        return Opening(
            by_kind[_CREATED], currency, self._days[paid_out.effective_date], self._minors[paid_out.amount],
            (0, 0), schedule.entity_version, *self._plan(schedule.periods),
        )  # fmt: skip

    def _taken_over(self, snapshot: _Data, currency: str) -> Opening:
        if snapshot.paid_before is not None:
            raise UnusualError("paid by component")
        minors, days = self._minors, self._days
        paid = (days[snapshot.effective_date].toordinal(), minors[snapshot.paid])
        return Opening(
            snapshot, currency, days[snapshot.disbursed_date], minors[snapshot.disbursed], paid, 1,
            *self._plan(snapshot.periods),
        )  # fmt: skip

    def _plan(self, periods: Sequence[_Period]) -> tuple[list[date], list[list[int]]]:
        days, minors = self._days, self._minors
        due_on = [days[period.due_date] for period in periods]
        dues = [
            [minors[period.principal] for period in periods],
            [minors[period.interest] for period in periods],
            [minors[period.fee] for period in periods],
            [minors[period.penalty] for period in periods],
        ]
        has_dues = all(dues[0]) or all(map(any, zip(*dues, strict=True)))
        if not (has_dues and all(map(lt, due_on, due_on[1:])) and 0 < len(periods) <= ROWS_MAX):
            raise UnusualError("not the usual installments")
        return due_on, dues


def openings_of(openings: Sequence[Opening], rules: Ints) -> Openings:
    """Openings as columns, each with its row of rules."""
    counts = [len(opening.due_on) for opening in openings]
    exists = np.arange(max(counts)) < np.array(counts)[:, None]
    due_day = _matrix(exists, [day.toordinal() for opening in openings for day in opening.due_on])
    parts = [
        _matrix(exists, [due for opening in openings for due in opening.dues[component]])
        for component in range(_COMPONENTS)
    ]
    return Openings(
        due_day=due_day,
        principal=parts[0],
        other=parts[1] + parts[2] + parts[3],
        rules=rules,
        disbursed=_column([opening.disbursed for opening in openings]),
        disbursed_day=_column([opening.disbursed_on.toordinal() for opening in openings]),
        term_days=_column([-1 if o.who.term_days is None else o.who.term_days for o in openings]),
        paid=_column([opening.paid[1] for opening in openings]),
    )


def _matrix(exists: Any, values: Sequence[int]) -> Ints:  # noqa: ANN401 - flags
    matrix = np.zeros(exists.shape, np.int64)
    matrix[exists] = values
    return matrix


def _column(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)
