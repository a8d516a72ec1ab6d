"""A lender's files become events; bad rows are listed with line and column, and the rest goes on."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.commands.import_book import main
from ingest.commands.import_events import Import, events, read_events
from ingest.commands.mapping import Mapping, MappingError, load_mapping, mapping_names
from loanbook import wire
from loanbook.domain.events import (
    BorrowerProfile,
    LoanCreated,
    LoanDisbursed,
    PaymentPosted,
    SchedulePublished,
)
from loanbook.topics import BORROWER_PROFILES, LOAN_EVENTS

DATA = Path(__file__).parents[3].parent / "shared" / "data"
MAPPING: dict[str, Any] = {
    "source": "urn:example:core",
    "currency": "EUR",
    "defaults": {"product": "personal"},
    "loans": {
        "file": "loans.csv",
        "loan_id": "id",
        "disbursed_at": "paid_out",
        "principal": "amount",
        "borrower_id": "customer",
        "branch": "branch",
        "annual_rate_percent": "rate",
        "term_days": "days",
    },
    "schedule": {
        "file": "schedule.csv",
        "loan_id": "loan",
        "number": "no",
        "due_on": "due",
        "principal": "capital",
        "interest": "interest",
    },
    "payments": {
        "file": "payments.csv.gz",
        "payment_id": "id",
        "loan_id": "loan",
        "amount": "amount",
        "paid_at": "at",
    },
    "borrowers": {
        "file": "customers.csv",
        "borrower_id": "id",
        "age": "age",
        "age_at": "seen",
        "monthly_income": "income",
        "education": "education",
    },
}
LOANS = [
    "id,paid_out,amount,customer,branch,rate,days",
    "L1,2026-01-05 10:30:00,1000.0,C1,north,9.9,60",
    "L2,2026-01-06,500,C2,,,",
]
SCHEDULE = [
    "loan,no,due,capital,interest",
    "L1,2,2026-03-05,500.00,4.13",
    "L1,1,2026-02-05,500.00,8.25",
    "L2,1,2026-02-06,500.00,",
]
PAYMENTS = ["id,loan,amount,at", "P1,L1,508.25,2026-02-05 23:59:59", "P2,L2,500.0,2026-02-06"]
CUSTOMERS = [
    "id,age,seen,income,education",
    "C1,40,2026-01-01,3200.5,Bechalor",
    "C1,41,2026-01-01,,x",
    "C9,1,,,",
]


def a_folder(path: Path, **files: list[str]) -> Path:
    given = {"loans": LOANS, "schedule": SCHEDULE, "payments": PAYMENTS, "customers": CUSTOMERS, **files}
    for name, lines in given.items():
        text = ("\n".join(lines) + "\n").encode()
        if name == "payments":
            (path / f"{name}.csv.gz").write_bytes(gzip.compress(text))
        else:
            (path / f"{name}.csv").write_bytes(text)
    return path


def mapping_with(**changes: object) -> Mapping:
    return msgspec.convert({**MAPPING, **changes}, Mapping)


def read(path: Path, **files: list[str]) -> Import:
    return read_events(a_folder(path, **files), mapping_with(), "demo")


def bad(found: Import) -> list[tuple[str, int, str, str]]:
    return [(row.file, row.line, row.column, row.reason) for row in found.bad_rows]


def test_rows_become_events_in_order_of_their_days(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert bad(found) == []
    decoded = [wire.decode(event.value) for event in found.events]
    told = [
        (one.event.loan_id, type(one.event.fact)) if isinstance(one, wire.Received) else type(one)
        for one in decoded
    ]
    assert told == [
        ("L1", LoanCreated),
        ("L1", LoanDisbursed),
        ("L1", SchedulePublished),
        wire.ReceivedReference,
        ("L2", LoanCreated),
        ("L2", LoanDisbursed),
        ("L2", SchedulePublished),
        ("L1", PaymentPosted),
        ("L2", PaymentPosted),
    ]
    assert [event.on for event in found.events] == sorted(event.on for event in found.events)
    assert {event.topic for event in found.events} == {LOAN_EVENTS, BORROWER_PROFILES}


def test_what_a_loan_row_says_is_in_its_events(tmp_path: Path) -> None:
    created, disbursed, schedule, profile = [wire.decode(event.value) for event in read(tmp_path).events[:4]]
    assert isinstance(created, wire.Received)
    assert created.event.recorded_at == datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
    fact = created.event.fact
    assert isinstance(fact, LoanCreated)
    assert (fact.annual_rate_bps, fact.term_days, fact.borrower_id) == (990, 60, "C1")
    assert (fact.branch, fact.product, fact.currency) == ("north", "personal", "EUR")
    assert isinstance(disbursed, wire.Received)
    assert isinstance(disbursed.event.fact, LoanDisbursed)
    assert disbursed.event.fact.amount_minor == 100_000
    assert isinstance(schedule, wire.Received)
    assert isinstance(schedule.event.fact, SchedulePublished)
    assert [
        (period.number, period.principal_minor, period.interest_minor, period.total_minor)
        for period in schedule.event.fact.periods
    ] == [(1, 50_000, 825, None), (2, 50_000, 413, None)]
    assert isinstance(profile, wire.ReceivedReference)
    assert isinstance(profile.value, BorrowerProfile)
    assert (profile.value.birth_year, profile.value.monthly_income_minor) == (1986, 320_050)
    assert profile.value.education == "Bechalor"


def test_empty_fields_mean_the_defaults(tmp_path: Path) -> None:
    created = wire.decode(read(tmp_path).events[4].value)
    assert isinstance(created, wire.Received)
    assert isinstance(created.event.fact, LoanCreated)
    assert (created.event.fact.branch, created.event.fact.annual_rate_bps) == ("unknown", None)


def test_a_date_alone_is_the_end_of_the_day_of_a_payment(tmp_path: Path) -> None:
    paid = wire.decode(read(tmp_path).events[-1].value)
    assert isinstance(paid, wire.Received)
    assert paid.event.recorded_at == datetime(2026, 2, 6, 23, 59, 59, tzinfo=UTC)


def test_a_local_time_counts_for_its_local_day(tmp_path: Path) -> None:
    mapping = mapping_with(timezone="Africa/Lagos")
    found = read_events(
        a_folder(tmp_path, payments=[PAYMENTS[0], "P1,L1,1.00,2026-02-05 00:30:00"]), mapping, "demo"
    )
    paid = wire.decode(found.events[-1].value)
    assert isinstance(paid, wire.Received)
    assert paid.event.fact.effective_on == date(2026, 2, 5)
    assert paid.event.recorded_at == datetime(2026, 2, 4, 23, 30, tzinfo=UTC)


def test_another_date_format_is_read_where_the_mapping_names_it(tmp_path: Path) -> None:
    loans = [LOANS[0], "L1,05.01.2026,1000.0,C1,north,9.9,60"]
    mapping = mapping_with(date_format="%d.%m.%Y", schedule=None, payments=None, borrowers=None)
    found = read_events(a_folder(tmp_path, loans=loans), mapping, "demo")
    assert [event.on for event in found.events] == [date(2026, 1, 5)] * 2


def test_reading_again_gives_the_same_events_to_the_byte(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    first, second = events(folder, mapping_with(), "demo"), events(folder, mapping_with(), "demo")
    assert [event.value for event in first] == [event.value for event in second]
    ids = [msgspec.json.decode(event.value)["id"] for event in first]
    assert len(set(ids)) == len(ids)
    assert ids[:3] == ["loans/L1/created", "loans/L1/disbursed", "schedule/L1"]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("P9,L1,12.345,2026-02-07", "amount", "more than 2 decimals: '12.345'"),
        ("P9,L1,-5.00,2026-02-07", "amount", "must not be negative: '-5.00'"),
        ("P9,L1,1e3,2026-02-07", "amount", "not a decimal amount: '1e3'"),
        ('P9,L1,"1,000.00",2026-02-07', "amount", "not a decimal amount: '1,000.00'"),
        ("P9,L1,,2026-02-07", "amount", "is empty"),
        ("P9,L1,5.00,2026-02-30", "at", "not a date: '2026-02-30'"),
        ("P9,L1,5.00,", "at", "is empty"),
        ("P9,L1,5.00,0001-01-01", "at", "must lie between 1900-01-01 and 2200-12-31"),
        ("P9,L7,5.00,2026-02-07", "loan", "no such loan in loans.csv: 'L7'"),
        (",L1,5.00,2026-02-07", "id", "must not be empty"),
        ("P1,L1,5.00,2026-02-07", "id", "payment was given before, on line 2"),
        ("P9,L1,5.00", "at", "is empty"),
        ("P9,L1,5.00,2026-02-07,extra", "", "5 fields where there are 4 columns"),
    ],
)
def test_a_bad_row_is_listed_and_the_rest_goes_on(tmp_path: Path, row: str, column: str, reason: str) -> None:
    found = read(tmp_path, payments=[PAYMENTS[0], PAYMENTS[1], "", row, PAYMENTS[2]])
    assert bad(found) == [("payments.csv.gz", 4, column, reason)]
    assert len(found.events) == 9


def test_a_line_break_inside_a_field_does_not_shift_the_lines(tmp_path: Path) -> None:
    customers = [CUSTOMERS[0], 'C1,40,2026-01-01,1.00,"two\nlines"', "C2,forty,2026-01-01,,"]
    found = read(tmp_path, customers=customers)
    assert bad(found) == [
        ("customers.csv", 2, "education", "must not hold control characters"),
        ("customers.csv", 4, "age", "not a whole number: 'forty'"),
    ]


def test_a_bad_installment_leaves_out_the_whole_schedule_of_its_loan_alone(tmp_path: Path) -> None:
    schedule = [SCHEDULE[0], "L1,1,2026-02-05,500.00,8.25", "L1,1,2026-03-05,500.00,4.13", SCHEDULE[3]]
    found = read(tmp_path, schedule=schedule)
    reason = "installment 1 was given before (the loan's schedule is left out)"
    assert bad(found) == [("schedule.csv", 3, "no", reason)]
    published = [event for event in found.events if b'"schedule.published.v1"' in event.value]
    assert [event.key for event in published] == [b"L2"]


def test_a_loan_without_a_schedule_is_listed(tmp_path: Path) -> None:
    found = read(tmp_path, schedule=SCHEDULE[:3])
    assert bad(found) == [("loans.csv", 3, "id", "the loan has no row in schedule.csv")]


def test_a_loan_given_twice_counts_once(tmp_path: Path) -> None:
    found = read(tmp_path, loans=[*LOANS, "L1,2026-01-09,7.00,C1,north,,"])
    assert bad(found) == [("loans.csv", 4, "id", "loan was given before, on line 2")]
    assert found.loans == 2


def test_a_file_or_a_column_that_is_missing_stops_the_import(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, loans=["id,amount", "L1,5"])
    with pytest.raises(MappingError, match=r"loans\.csv: no column paid_out, customer"):
        read_events(folder, mapping_with(), "demo")
    (folder / "loans.csv").unlink()
    with pytest.raises(MappingError, match="No such file"):
        read_events(folder, mapping_with(), "demo")


def test_the_exit_code_tells_of_bad_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mapping = tmp_path / "own.toml"
    mapping.write_bytes(msgspec.toml.encode(MAPPING))
    arguments = ["--mapping", str(mapping), "--book", "demo", "--dry-run", str(a_folder(tmp_path))]
    assert main(arguments) == 0
    a_folder(tmp_path, payments=[PAYMENTS[0], "P1,L1,x,2026-02-05"])
    assert main(arguments) == 1
    out = capsys.readouterr()
    assert "payments.csv.gz, line 2, column amount: not a decimal amount: 'x'" in out.err
    assert "bad rows                         1" in out.out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "euro"}, "three capital letters"),
        ({"timezone": "Mars/Base"}, "Mars/Base"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"loans": {"file": "x"}}, "missing required field `loan_id`"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    mapping = tmp_path / "own.toml"
    mapping.write_bytes(msgspec.toml.encode({**MAPPING, **changes}))
    with pytest.raises(MappingError, match=said):
        load_mapping(str(mapping))


def test_a_mapping_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(MappingError, match="airtime_loans, loan_payments_500, superlender"):
        load_mapping("nowhere")


@pytest.mark.parametrize(
    ("name", "loans", "payments", "borrowers"),
    [
        ("loan_payments_500", 500, 400, 500),
        ("superlender", 8163, 8163, 1602),
        ("airtime_loans", 9606, 8368, 0),
    ],
)
def test_the_real_books_are_read_whole(name: str, loans: int, payments: int, borrowers: int) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not here")
    found = read_events(DATA / name, load_mapping(name), name)
    assert (found.bad_rows, found.loans) == ([], loans)
    kinds = [msgspec.json.decode(event.value)["type"] for event in found.events]
    assert kinds.count("payment.posted.v1") == payments
    assert kinds.count("borrower.profile.v1") == borrowers
    assert len(found.events) == 3 * loans + payments + borrowers


def test_every_committed_mapping_is_tried_on_its_book() -> None:
    assert mapping_names() == ["airtime_loans", "loan_payments_500", "superlender"]
