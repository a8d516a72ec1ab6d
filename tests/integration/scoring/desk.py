"""Loan states written straight into core, as ingest would, so that scoring is tested by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import asyncpg

from loanbook.topics import loan_key_of, slice_of

BOOK = "acme"
TODAY = date(2026, 5, 15)
INSTALLMENT = 10_000
COUNT = 12

PUT_STATE = """
INSERT INTO core.loan_state (slice, loan_key, book_key, currency_key, branch_key, status, bucket, as_of,
    version, terms_version, fold_version, disbursed_minor, scheduled_minor, principal_outstanding_minor,
    total_outstanding_minor,
    overdue_minor, overdue_principal_minor, paid_minor, cohort_on, first_due_on, past_due_on, next_due_on,
    next_boundary_on, last_payment_on, charged_off_on, restructured_on, on_time_streak, decided,
    recent_days_late, max_dpd, returned_payments)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $8, 1, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27, $28)
ON CONFLICT (slice, loan_key) DO UPDATE SET
    status = excluded.status, as_of = excluded.as_of, version = excluded.version,
    terms_version = excluded.terms_version,
    total_outstanding_minor = excluded.total_outstanding_minor, overdue_minor = excluded.overdue_minor,
    principal_outstanding_minor = excluded.principal_outstanding_minor,
    overdue_principal_minor = excluded.overdue_principal_minor, past_due_on = excluded.past_due_on,
    next_boundary_on = excluded.next_boundary_on, last_payment_on = excluded.last_payment_on,
    charged_off_on = excluded.charged_off_on, restructured_on = excluded.restructured_on,
    on_time_streak = excluded.on_time_streak, recent_days_late = excluded.recent_days_late,
    max_dpd = excluded.max_dpd, returned_payments = excluded.returned_payments, changed_at = now()
"""
PUT_PLAN = """
INSERT INTO core.loan_plan (slice, loan_key, schedule_version, due_on, kind, met_on, principal_due,
    interest_due, fee_due, penalty_due, principal_paid, interest_paid, fee_paid, penalty_paid, waived)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $7, $7, $7, $7, $7, $7, $7)
ON CONFLICT (slice, loan_key) DO UPDATE SET due_on = excluded.due_on, met_on = excluded.met_on
"""


@dataclass(kw_only=True)
class LoanRow:
    """A loan of twelve monthly installments of 100.00; the oldest unpaid one fell due `late` days ago."""

    loan_id: str
    late: int = 0
    unpaid: int = 1  # installments past due, when late
    paid: int = 2  # installments met before
    version: int = 1
    as_of: date = TODAY
    status: int = 1
    branch_key: int = 0
    term_days: int | None = 360
    charged_off_on: date | None = None
    restructured_on: date | None = None
    recent_days_late: list[int] = field(default_factory=list)
    on_time_streak: int = 0
    max_dpd: int | None = None
    returned_payments: int = 0
    boundary_in: int | None = None  # days until the state changes by itself
    met_late_on: date | None = None  # when the installments once late were met, when nothing is late now
    was_late: int = 0

    @property
    def slice(self) -> int:
        return slice_of(self.loan_id)

    @property
    def key(self) -> int:
        return loan_key_of(BOOK, self.loan_id)

    @property
    def past_due_on(self) -> date | None:
        return self.as_of - timedelta(days=self.late) if self.late else None

    def due_dates(self) -> list[date]:
        since = self.late or self.was_late
        anchor = self.as_of - timedelta(days=since) if since else self.as_of + timedelta(days=10)
        return [anchor + timedelta(days=30 * (number - self.paid)) for number in range(COUNT)]

    def met_dates(self) -> list[date | None]:
        due = self.due_dates()
        met: list[date | None] = [day if number < self.paid else None for number, day in enumerate(due)]
        if self.met_late_on is not None:
            met[self.paid] = self.met_late_on
        return met


class Desk:
    """Writes books, days and loans as the owner of the database."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.book_key = 0
        self.currency_key = 0

    async def open_book(self, business_on: date = TODAY, *, replaying: bool = False) -> None:
        self.book_key = await self.connection.fetchval(
            "INSERT INTO core.book (book, default_currency, opened_on, business_on, replaying)"
            " VALUES ($1, 'EUR', $2, $2, $3) RETURNING book_key",
            BOOK,
            business_on,
            replaying,
        )
        self.currency_key = await self.connection.fetchval(
            "INSERT INTO core.currency (code, exponent) VALUES ('EUR', 2) RETURNING currency_key"
        )

    async def put(self, *rows: LoanRow) -> None:
        """Write loans as their rows say; a row again is an update."""
        for row in rows:
            await self._put(row)

    async def _put(self, row: LoanRow) -> None:
        due = row.due_dates()
        await self.connection.execute(
            "INSERT INTO core.loan (slice, loan_key, book_key, loan_id, disbursed_on, term_days)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            row.slice, row.key, self.book_key, row.loan_id, due[0] - timedelta(days=30), row.term_days,
        )  # fmt: skip
        left = (COUNT - row.paid) * INSTALLMENT if row.status == 1 else 0
        overdue = row.unpaid * INSTALLMENT if row.late else 0
        boundary = row.as_of + timedelta(days=row.boundary_in) if row.boundary_in else None
        await self.connection.execute(
            PUT_STATE,
            row.slice, row.key, self.book_key, self.currency_key, row.branch_key, row.status, row.as_of,
            row.version, COUNT * INSTALLMENT, COUNT * INSTALLMENT, left, left, overdue, overdue,
            row.paid * INSTALLMENT, due[0] - timedelta(days=30), due[0], row.past_due_on, due[row.paid],
            boundary, due[row.paid - 1] if row.paid else None, row.charged_off_on, row.restructured_on,
            row.on_time_streak, len(row.recent_days_late), row.recent_days_late,
            row.late if row.max_dpd is None else row.max_dpd,
            row.returned_payments,
        )  # fmt: skip
        nothing, principal = [0] * COUNT, [INSTALLMENT] * COUNT
        await self.connection.execute(
            PUT_PLAN, row.slice, row.key, due, ["regular"] * COUNT, row.met_dates(), principal, nothing
        )

    async def close_days(self, count: int = 1) -> date:
        """Close business days, as the day roll does; gives the running one."""
        for _ in range(count):
            await self.connection.execute(
                "INSERT INTO core.day_roll (book_key, business_on, slice, swept_at)"
                " SELECT book_key, business_on, slice, now() FROM core.book, generate_series(0, 15) AS slice"
            )
            await self.connection.execute("UPDATE core.book SET business_on = business_on + 1")
        today: date = await self.connection.fetchval("SELECT business_on FROM core.book")
        return today

    async def replaying(self, on: bool) -> None:
        await self.connection.execute("UPDATE core.book SET replaying = $1", on)

    async def score(self, row: LoanRow) -> asyncpg.Record:
        return await self.connection.fetchrow("SELECT * FROM risk.score WHERE loan_key = $1", row.key)

    async def episodes(self) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.connection.fetch(
            "SELECT * FROM risk.alert_episode ORDER BY episode_id"
        )
        return rows

    async def deliveries(self) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.connection.fetch(
            "SELECT * FROM risk.delivery ORDER BY sequence"
        )
        return rows

    def notice(self, *rows: LoanRow, committed_at: datetime | None = None) -> bytes:
        """The notice ingest would publish for loans of one slice."""
        from loanbook.wire import LoansChanged, encode_notice  # noqa: PLC0415

        return encode_notice(
            LoansChanged(
                book=BOOK,
                slice=rows[0].slice,
                loan_keys=tuple(row.key for row in rows),
                committed_at=committed_at or datetime.now(UTC),
            )
        )
