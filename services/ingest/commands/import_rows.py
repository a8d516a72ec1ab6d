"""What each row of a lender's files means: loans, installments, payments, borrowers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from ingest.commands.csv_rows import Row
from ingest.commands.import_values import BadValueError, Reader
from ingest.commands.mapping import BorrowerColumns, LoanColumns, Mapping, PaymentColumns, ScheduleColumns
from loanbook import wire
from loanbook.domain.events import (
    BorrowerProfile,
    LoanCreated,
    LoanDisbursed,
    PaymentPosted,
    Period,
    SchedulePublished,
)
from loanbook.topics import BORROWER_PROFILES, LOAN_EVENTS, reference_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEvent:
    """An encoded event and where it goes; `on` is the day it counts from."""

    on: date
    recorded_at: datetime
    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedLoan:
    """What later rows must know of a loan."""

    row: Row
    on: date
    recorded_at: datetime
    currency: str
    borrower_id: str | None


@dataclass(slots=True, kw_only=True)
class Collected:
    """What was read so far."""

    mapping: Mapping
    book: str
    reader: Reader
    events: list[ImportEvent] = field(default_factory=list)
    loans: dict[str, ImportedLoan] = field(default_factory=dict)

    def add(
        self,
        data: wire.Data,
        subject: str,
        event_id: str,
        at: tuple[date, datetime],
        topic: str = LOAN_EVENTS,
    ) -> None:
        """Encode an event and keep it; `at` is its day and when it was recorded."""
        value = wire.encode(
            data,
            book=self.book,
            subject=subject,
            source=self.mapping.source,
            event_id=event_id,
            recorded_at=at[1],
        )
        key = subject.encode() if topic == LOAN_EVENTS else reference_key(self.book, subject)
        self.events.append(ImportEvent(on=at[0], recorded_at=at[1], topic=topic, key=key, value=value))

    def loan_of(self, row: Row, column: str) -> tuple[str, ImportedLoan]:
        """The loan that a row names; raises BadValueError when the loans' file has none such."""
        loan_id = self.reader.name(row, column)
        loan = self.loans.get(loan_id)
        if loan is None:
            raise BadValueError(column, f"no such loan in {self.mapping.loans.file}: {loan_id[:40]!r}")
        return loan_id, loan


class Rows(Protocol):
    """Takes the rows of one file."""

    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> list[str]: ...  # noqa: D102
    def take(self, row: Row) -> None:
        """Make events of a row; raises BadValueError."""

    def finish(self) -> None:
        """Make the events that needed all rows."""


class LoanRows:
    """Loans: created and paid out on the same day."""

    def __init__(self, out: Collected, columns: LoanColumns) -> None:
        self._out, self._named = out, columns
        self.file, self.columns = columns.file, _named(columns)

    def take(self, row: Row) -> None:
        """Make the two events of a loan."""
        out, named, read = self._out, self._named, self._out.reader
        loan_id = read.name(row, named.loan_id)
        if loan_id in out.loans:
            raise BadValueError(
                named.loan_id, f"loan was given before, on line {out.loans[loan_id].row.line}"
            )
        at = read.instant(row, named.disbursed_at)
        created = self._created(row, at[0])
        disbursed = LoanDisbursed(
            effective_on=at[0],
            business_on=at[0],
            currency=created.currency,
            entity_id="disbursal",
            amount_minor=read.amount(row, named.principal, created.currency or ""),
        )
        out.loans[loan_id] = ImportedLoan(
            row=row,
            on=at[0],
            recorded_at=at[1],
            currency=created.currency or "",
            borrower_id=created.borrower_id,
        )
        out.add(created, loan_id, f"{_stem(self.file)}/{loan_id}/created", at)
        out.add(disbursed, loan_id, f"{_stem(self.file)}/{loan_id}/disbursed", at)

    def finish(self) -> None:
        """Nothing waits."""

    def _created(self, row: Row, on: date) -> LoanCreated:
        named, read, mapping = self._named, self._out.reader, self._out.mapping
        currency = read.currency(row, named.currency)
        return LoanCreated(
            effective_on=on,
            business_on=on,
            currency=currency,
            principal_minor=read.amount(row, named.principal, currency),
            annual_rate_bps=read.rate_bps(row, named.annual_rate_percent),
            term_days=read.whole(row, named.term_days),
            installments=read.whole(row, named.installments),
            borrower_id=read.text(row, named.borrower_id),
            branch=read.text(row, named.branch) or mapping.defaults.branch,
            officer=read.text(row, named.officer),
            product=read.text(row, named.product) or mapping.defaults.product,
        )


class ScheduleRows:
    """Installments: the rows of a loan make one schedule, or none when one of them is bad."""

    def __init__(self, out: Collected, columns: ScheduleColumns) -> None:
        self._out, self._named = out, columns
        self.file, self.columns = columns.file, _named(columns)
        self._periods: dict[str, dict[int, Period]] = {}
        self._broken: set[str] = set()

    def take(self, row: Row) -> None:
        """Keep an installment."""
        loan_id, loan = self._out.loan_of(row, self._named.loan_id)
        try:
            period = self._period(row, loan.currency, self._periods.setdefault(loan_id, {}))
        except BadValueError as error:
            self._broken.add(loan_id)  # a schedule with a hole would be wrong from there on
            raise BadValueError(error.column, f"{error.reason} (the loan's schedule is left out)") from None
        self._periods[loan_id][period.number] = period

    def finish(self) -> None:
        """Publish the schedules; a loan without one is listed."""
        for loan_id, loan in self._out.loans.items():
            if loan_id in self._periods and loan_id not in self._broken:
                self._publish(loan_id, loan)
            elif loan_id not in self._broken:
                loans = self._out.mapping.loans
                error = BadValueError(loans.loan_id, f"the loan has no row in {self.file}")
                self._out.reader.note(loans.file, loan.row, error)

    def _publish(self, loan_id: str, loan: ImportedLoan) -> None:
        published = SchedulePublished(
            effective_on=loan.on,
            business_on=loan.on,
            currency=loan.currency,
            entity_id="schedule",
            periods=tuple(period for _, period in sorted(self._periods[loan_id].items())),
        )
        self._out.add(published, loan_id, f"{_stem(self.file)}/{loan_id}", (loan.on, loan.recorded_at))

    def _period(self, row: Row, currency: str, others: dict[int, Period]) -> Period:
        named, read = self._named, self._out.reader
        number = read.whole(row, named.number)
        if number is None or number in others:
            raise BadValueError(
                named.number, f"installment {number} was given before" if number else "is empty"
            )
        return Period(
            number=number,
            due_on=read.day(row, named.due_on),
            principal_minor=read.part(row, named.principal, currency) if named.principal else None,
            interest_minor=read.part(row, named.interest, currency),
            fee_minor=read.part(row, named.fee, currency),
            penalty_minor=read.part(row, named.penalty, currency),
            total_minor=read.amount(row, named.total, currency) if named.total else None,
        )


class PaymentRows:
    """Payments: one event a row."""

    def __init__(self, out: Collected, columns: PaymentColumns) -> None:
        self._out, self._named = out, columns
        self.file, self.columns = columns.file, _named(columns)
        self._lines: dict[str, int] = {}

    def take(self, row: Row) -> None:
        """Make the event of a payment."""
        named, read = self._named, self._out.reader
        payment_id = read.name(row, named.payment_id)
        if payment_id in self._lines:
            reason = f"payment was given before, on line {self._lines[payment_id]}"
            raise BadValueError(named.payment_id, reason)
        loan_id, loan = self._out.loan_of(row, named.loan_id)
        at = read.instant(row, named.paid_at, ends_day=True)
        payment = PaymentPosted(
            effective_on=at[0],
            business_on=at[0],
            currency=loan.currency,
            entity_id=payment_id,
            amount_minor=read.amount(row, named.amount, loan.currency),
            channel=read.text(row, named.channel),
        )
        self._lines[payment_id] = row.line
        self._out.add(payment, loan_id, f"{_stem(self.file)}/{payment_id}", at)

    def finish(self) -> None:
        """Nothing waits."""


class BorrowerRows:
    """Borrowers' attributes, from the day of their first loan; without a loan they are of no concern."""

    def __init__(self, out: Collected, columns: BorrowerColumns) -> None:
        self._out, self._named = out, columns
        self.file, self.columns = columns.file, _named(columns)
        self._first: dict[str, ImportedLoan] = {}
        for loan in sorted(out.loans.values(), key=lambda loan: loan.recorded_at):
            if loan.borrower_id:
                self._first.setdefault(loan.borrower_id, loan)

    def take(self, row: Row) -> None:
        """Make the event of a borrower's first row."""
        borrower_id = self._out.reader.name(row, self._named.borrower_id)
        loan = self._first.get(borrower_id)
        if loan is None:
            return
        profile = self._profile(row, borrower_id, loan.currency)
        del self._first[borrower_id]
        event_id = f"{_stem(self.file)}/{borrower_id}/profile"
        self._out.add(profile, borrower_id, event_id, (loan.on, loan.recorded_at), BORROWER_PROFILES)

    def finish(self) -> None:
        """Nothing waits."""

    def _profile(self, row: Row, borrower_id: str, currency: str) -> BorrowerProfile:
        named, read = self._named, self._out.reader
        birth_year, age = read.whole(row, named.birth_year), read.whole(row, named.age)
        if birth_year is None and age is not None and named.age_at:
            birth_year = read.day(row, named.age_at).year - age
        income = read.text(row, named.monthly_income)
        return BorrowerProfile(
            borrower_id=borrower_id,
            birth_year=birth_year,
            gender=read.text(row, named.gender),
            employment=read.text(row, named.employment),
            education=read.text(row, named.education),
            monthly_income_minor=read.part(row, named.monthly_income, currency) if income else None,
            currency=currency if income else None,
            dependents=read.whole(row, named.dependents),
            housing=read.text(row, named.housing),
            region=read.text(row, named.region),
        )


def _named(table: LoanColumns | ScheduleColumns | PaymentColumns | BorrowerColumns) -> list[str]:
    named = [getattr(table, name) for name in table.__struct_fields__ if name != "file"]
    return list(dict.fromkeys(column for column in named if column))


def _stem(file: str) -> str:
    return Path(file).name.partition(".")[0]
