"""Mapping files: which columns of a lender's files mean what (services/ingest/mappings/README.md)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from loanbook.domain.errors import LoanbookError, RejectedEventError
from loanbook.wire_rules import exponent_of_code


class MappingError(LoanbookError):
    """A mapping file cannot be used."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    file: str


class LoanColumns(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the loans' file: one row a loan."""

    loan_id: str
    disbursed_at: str
    principal: str
    borrower_id: str | None = None
    branch: str | None = None
    officer: str | None = None
    product: str | None = None
    currency: str | None = None
    term_days: str | None = None
    installments: str | None = None
    annual_rate_percent: str | None = None


class ScheduleColumns(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the schedule's file: one row an installment."""

    loan_id: str
    number: str
    due_on: str
    total: str | None = None
    principal: str | None = None
    interest: str | None = None
    fee: str | None = None
    penalty: str | None = None


class PaymentColumns(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the payments' file: one row a payment."""

    payment_id: str
    loan_id: str
    amount: str
    paid_at: str
    channel: str | None = None


class BorrowerColumns(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of the borrowers' file; the first row of a borrower counts."""

    borrower_id: str
    birth_year: str | None = None
    age: str | None = None
    age_at: str | None = None
    gender: str | None = None
    employment: str | None = None
    education: str | None = None
    monthly_income: str | None = None
    dependents: str | None = None
    housing: str | None = None
    region: str | None = None


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a row means that does not say."""

    product: str | None = None
    branch: str = "unknown"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the files of one lender become events."""

    source: str
    currency: str
    loans: LoanColumns
    timezone: str = "UTC"
    date_format: str | None = None
    defaults: Defaults = Defaults()
    schedule: ScheduleColumns | None = None
    payments: PaymentColumns | None = None
    borrowers: BorrowerColumns | None = None


def load_mapping(name: str) -> Mapping:
    """Read a mapping file, or the committed one of this name; raises MappingError."""
    path = Path(name)
    if path.suffix != ".toml":
        path = Path(str(resources.files("ingest.mappings"))) / f"{path.name}.toml"
    if not path.is_file():
        msg = f"no mapping {name!r}; known are {', '.join(mapping_names())}, or give a .toml file"
        raise MappingError(msg)
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
        ZoneInfo(mapping.timezone)
        exponent_of_code(mapping.currency)
    except RejectedEventError as error:
        raise MappingError(f"{path}: currency {error.reason}") from error
    except (msgspec.MsgspecError, ValueError, ZoneInfoNotFoundError) as error:
        raise MappingError(f"{path}: {error}") from error
    return mapping


def mapping_names() -> list[str]:
    """Names of the committed mappings."""
    found = Path(str(resources.files("ingest.mappings"))).glob("*.toml")
    return sorted(path.stem for path in found)
