"""`loanpulse import` and `loanpulse book` on real parts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from ingest.commands import book, import_book
from ingest.commands.import_book import Pace, send_events
from ingest.commands.import_events import read_events
from ingest.commands.sending import GatewaySink, SendingError
from loanbook.kafka.commands import create_topics
from loanbook.topics import BORROWER_PROFILES, LOAN_EVENTS
from tests.integration.ingest.log import Log, log_of
from tests.integration.ingest.test_gateway import gateway_on
from tests.parts import Broker
from tests.unit.ingest.test_import_rows import MAPPING, PAYMENTS, a_folder, mapping_with

pytestmark = pytest.mark.integration


@pytest.fixture
async def log(kafka: Broker) -> AsyncIterator[Log]:
    await create_topics(kafka.bootstrap_servers)
    async with log_of(kafka.bootstrap_servers, [LOAN_EVENTS, BORROWER_PROFILES]) as log:
        yield log


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, kafka: Broker, database: str) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("DATABASE_URL", database)


async def run_import(folder: Path, *arguments: str) -> int:
    mapping = folder / "own.toml"
    mapping.write_bytes(msgspec.toml.encode(MAPPING))
    words = ["--mapping", str(mapping), "--book", "tiny", *arguments, str(folder)]
    return await asyncio.to_thread(import_book.main, words)


async def run_book(*arguments: str) -> int:
    return await asyncio.to_thread(book.main, list(arguments))


async def add_tiny() -> None:
    assert await run_book("add", "tiny", "--currency", "EUR", "--opens-on", "2026-01-05") == 0


@pytest.mark.usefixtures("parts")
async def test_bad_rows_are_listed_while_the_rest_lies_in_kafka(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await add_tiny()
    folder = a_folder(tmp_path, payments=[*PAYMENTS, "P3,L1,1.005,2026-02-07", "P4,L9,1.00,2026-02-07"])
    assert await run_import(folder) == 1
    told = capsys.readouterr()
    assert "payments.csv.gz, line 4, column amount: more than 2 decimals: '1.005'" in told.err
    assert "payments.csv.gz, line 5, column loan: no such loan" in told.err
    records = await log.records()
    assert len(records) == 9
    assert {json.loads(record.value)["book"] for record in records} == {"tiny"}


@pytest.mark.usefixtures("parts")
async def test_importing_again_sends_the_same_ids_and_bytes(log: Log, tmp_path: Path) -> None:
    await add_tiny()
    folder = a_folder(tmp_path)
    assert [await run_import(folder), await run_import(folder)] == [0, 0]
    values = [record.value for record in await log.records()]
    assert len(values) == 18
    assert len(set(values)) == 9


@pytest.mark.usefixtures("parts")
async def test_days_are_closed_behind_their_events(log: Log, tmp_path: Path) -> None:
    await add_tiny()
    assert (
        await run_import(a_folder(tmp_path), "--close-days", "2026-01-31,2026-02-05", "--until", "2026-02-05")
        == 0
    )
    for partition in range(16):
        mine = [r for r in await log.records() if r.topic == LOAN_EVENTS and r.partition == partition]
        dates = [json.loads(record.value)["data"] for record in mine]
        closings = [data["business_date"] for data in dates if "effective_date" not in data]
        assert closings == ["2026-01-31", "2026-02-05"]
        days = [data.get("effective_date") or data["business_date"] for data in dates]
        assert days == sorted(days)


@pytest.mark.usefixtures("parts")
async def test_an_import_into_a_book_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(SendingError, match=r"loanpulse book add tiny --currency CODE --opens-on 2026-01-05"):
        await run_import(a_folder(tmp_path))


async def test_the_same_events_go_through_the_gateway(kafka: Broker, log: Log, tmp_path: Path) -> None:
    found = read_events(a_folder(tmp_path), mapping_with(), "tiny")
    async with gateway_on(kafka.bootstrap_servers) as client:
        pace = Pace(close_days=[date(2026, 2, 6)])
        assert await send_events(GatewaySink(client), "tiny", mapping_with(), found.events, pace) == []
    values = {record.value for record in await log.records()}
    assert {event.value for event in found.events} < values
    assert len(await log.records()) == len(found.events) + 16


async def test_the_gateways_refusals_reach_the_importer(kafka: Broker, tmp_path: Path) -> None:
    found = read_events(a_folder(tmp_path), mapping_with(), "tiny")
    async with gateway_on(kafka.bootstrap_servers, books="another") as client:
        refused = await send_events(
            GatewaySink(client), "tiny", mapping_with(), found.events, Pace(close_days=[])
        )
    assert [refusal.reason for refusal in refused] == ["book: no such book"] * len(found.events)


async def test_a_gateway_that_wants_a_key_stops_the_importer(tmp_path: Path) -> None:
    found = read_events(a_folder(tmp_path), mapping_with(), "tiny")

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "this key is not known"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://gateway")
    with pytest.raises(SendingError, match="401: this key is not known"):
        await GatewaySink(client).send(found.events)


SETTINGS = "grace_days = 3\nbucket_edges = [30, 60, 90]\n"


@pytest.mark.usefixtures("parts")
async def test_a_book_is_made_with_all_that_belongs_to_it_and_again_without_harm(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "product.toml").write_text(SETTINGS)
    (tmp_path / "branches.csv").write_text("branch,name,region\nnorth,North Gate,North\nsouth,,South\n")
    words = ["add", "tiny", "--currency", "NGN,USD", "--opens-on", "2026-01-05", "--timezone", "Africa/Lagos"]
    words += ["--cut-off", "02:30", "--product", "personal", "--settings", str(tmp_path / "product.toml")]
    words += ["--product", "plain", "--branches", str(tmp_path / "branches.csv")]
    assert [await run_book(*words), await run_book(*words)] == [0, 0]
    connection = await asyncpg.connect(database)
    stored = await connection.fetchrow("SELECT *, closes_at::text AS cut_off FROM core.book")
    products = dict(await connection.fetch("SELECT product, settings->>'grace_days' FROM core.product"))
    branches = [
        tuple(row)
        for row in await connection.fetch("SELECT branch, name, region FROM core.branch ORDER BY 1")
    ]
    codes = await connection.fetch(
        "SELECT code FROM core.book_currency JOIN core.currency USING (currency_key)"
    )
    await connection.close()
    assert (stored["book"], stored["timezone"], stored["cut_off"]) == ("tiny", "Africa/Lagos", "02:30:00")
    assert stored["opened_on"] == stored["business_on"] == date(2026, 1, 5)
    assert stored["default_currency"] == "NGN"
    assert products == {"personal": "3", "plain": None}
    assert branches == [("north", "North Gate", "North"), ("south", None, "South")]
    assert {row["code"] for row in codes} == {"NGN", "USD"}
    assert await run_book("list") == 0
    assert "NGN,USD" in capsys.readouterr().out


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["--opens-on", "2026-01-06"], "opened on 2026-01-05; that day cannot become 2026-01-06"),
        (["--currency", "euro"], "three capital letters"),
        (["--timezone", "Mars/Base"], "no time zone 'Mars/Base'"),
        (["--settings", "nowhere.toml"], "--settings needs the --product"),
        (["--product", "p", "--settings", "nowhere.toml"], r"nowhere\.toml"),
        (["--branches", "nowhere.csv"], r"nowhere\.csv"),
    ],
)
async def test_what_a_book_cannot_be_is_said_clearly(changes: list[str], said: str) -> None:
    await add_tiny()
    with pytest.raises(Exception, match=said) as caught:
        await run_book("add", "tiny", "--currency", "EUR", "--opens-on", "2026-01-05", *changes)
    assert type(caught.value).__name__ in {"BookError", "InvalidSettingsError"}


@pytest.mark.usefixtures("parts")
async def test_unknown_settings_of_a_product_are_named(tmp_path: Path) -> None:
    (tmp_path / "product.json").write_text('{"grace_dais": 3}')
    words = ["add", "tiny", "--currency", "EUR", "--opens-on", "2026-01-05", "--product", "p"]
    with pytest.raises(Exception, match="grace_dais"):
        await run_book(*words, "--settings", str(tmp_path / "product.json"))
    assert await run_book("list") == 0
