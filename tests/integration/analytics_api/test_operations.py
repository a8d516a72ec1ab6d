"""What does not count, what could not be taken, how fresh it is, and whether the API can serve."""

from __future__ import annotations

import asyncpg
import httpx
import pytest

from tests.builders import on_day
from tests.integration.analytics_api.conftest import TODAY, Getter, api_on, ask, execute

pytestmark = pytest.mark.integration


async def test_unapplied_cash_is_shown_with_its_reason(get: Getter) -> None:
    answer = await get("/v1/unapplied")
    assert answer["sums"] == [
        {"reason": "before_disbursement", "events": 1, "amount": {"amount": "25.00", "currency": "EUR"}}
    ]
    item = answer["items"][0]
    assert (item["loan_id"], item["type"], item["effective_on"]) == (
        "L-7",
        "payment.posted.v1",
        str(on_day(68)),
    )
    assert (await get("/v1/unapplied", branch="B0"))["items"] == []
    assert (await get("/v1/unapplied", reason="future_dated"))["page"]["total"] == 0


async def test_dead_letters_are_listed_without_their_bytes(get: Getter) -> None:
    answer = await get("/v1/dead-letters")
    letter = answer["items"][0]
    assert (answer["page"]["total"], letter["topic"], letter["partition"]) == (1, "loan.events.v1", 3)
    assert letter["size_bytes"] == 7
    assert letter["reason"]
    assert "raw" not in letter
    assert (await get("/v1/dead-letters", reason="no such reason"))["items"] == []


async def test_freshness_is_that_of_the_partition_furthest_behind(book: str) -> None:
    await execute(
        book,
        "UPDATE core.stream_position SET caught_up_at = now() - interval '90 seconds' WHERE partition = 5;"
        "UPDATE core.stream_position SET paused_reason = 'fingerprint' WHERE partition = 6",
    )
    async with api_on(book) as client:
        answer = await ask(client, "/v1/freshness")
    assert 90 <= answer["data_age_seconds"] < 200
    topic = answer["topics"][0]
    assert (topic["topic"], topic["partitions"], topic["paused"]) == ("loan.events.v1", 16, 1)
    assert answer["books"][0]["business_on"] == str(on_day(TODAY))


async def test_every_record_received_has_a_fate_and_they_add_up(book: str) -> None:
    async with api_on(book) as client:
        before = (await ask(client, "/v1/freshness"))["events"]
        await execute(
            book,
            "UPDATE core.stream_position SET received = received + 9, taken = taken + 4,"
            " duplicates = duplicates + 3, dead = dead + 2 WHERE partition = 5 AND topic = 'loan.events.v1'",
        )
        after = (await ask(client, "/v1/freshness"))["events"]
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "received": 9,
        "applied": 4,
        "duplicates": 3,
        "dead": 2,
    }


async def test_freshness_is_read_once_for_all_who_ask_at_a_time(book: str) -> None:
    async with api_on(book, cache_for=60) as client:
        first = await ask(client, "/v1/freshness")
        await execute(book, "UPDATE core.stream_position SET received = received + 9 WHERE partition = 5")
        assert await ask(client, "/v1/freshness") == first


async def test_data_never_read_to_the_end_have_no_age(book: str) -> None:
    await execute(book, "UPDATE core.stream_position SET caught_up_at = NULL WHERE partition = 5")
    async with api_on(book) as client:
        answer = await ask(client, "/v1/freshness")
        assert answer["data_age_seconds"] is None
        assert (await ask(client, "/v1/portfolio"))["data"]["data_age_seconds"] is None


async def test_a_rolling_day_is_shown_slice_by_slice(book: str) -> None:
    async with api_on(book) as client:
        await execute(book, "UPDATE core.day_roll SET swept_at = NULL WHERE slice < 7")
        assert (await ask(client, "/v1/freshness"))["books"][0]["day_state"] == "rolling 9/16"
        await execute(book, "UPDATE core.day_roll SET swept_at = now()")
        await execute(book, "UPDATE core.day_reached SET business_on = $1 WHERE slice < 4", on_day(TODAY))
        assert (await ask(client, "/v1/freshness"))["books"][0]["day_state"] == "closing 4/16"


async def test_an_empty_installation_says_that_there_is_no_book(database: str) -> None:
    async with api_on(database) as client:
        answer = await client.get("/v1/portfolio")
        assert (answer.status_code, answer.json()["detail"]) == (404, "book: there is no book yet")
        assert (await ask(client, "/v1/freshness"))["books"] == []
        assert (await ask(client, "/v1/alerts"))["items"] == []


async def test_with_two_books_one_must_be_named(book: str) -> None:
    await execute(
        book,
        "INSERT INTO core.book (book, default_currency, opened_on, business_on)"
        " VALUES ('other', 'EUR', '2024-01-01', '2024-01-01')",
    )
    async with api_on(book) as client:
        answer = await client.get("/v1/portfolio")
        assert answer.json()["errors"] == [{"field": "book", "reason": "name one of: demo, other"}]
        assert (await ask(client, "/v1/portfolio", book="demo"))["book"] == "demo"


async def test_health_needs_no_key_and_readiness_looks_at_the_schema(book: str) -> None:
    async with api_on(book) as client:
        client.headers.clear()
        assert (await ask(client, "/health"))["status"] == "ok"
        assert (await ask(client, "/ready"))["checks"] == {"database": "ok"}
        await execute(book, "UPDATE public.loanpulse_migration SET number = number - 100")
        answer = await client.get("/ready")
    assert answer.status_code == 503
    assert "loanpulse migrate" in answer.json()["checks"]["database"]


async def test_metrics_carry_the_business_figures_in_major_units(api: httpx.AsyncClient) -> None:
    await api.get("/v1/portfolio")
    text = (await api.get("/metrics")).text
    labels = 'book="demo",branch="B0",currency="EUR",dpd_bucket="31-60",product="P1",region="North"'
    assert f"loanpulse_principal_outstanding{{{labels}}} 300.0" in text
    assert 'loanpulse_alerts_open{book="demo",rule="days_past_due",severity="HIGH"} 1.0' in text
    assert 'route="/v1/portfolio",service="analytics_api",status="200"' in text
    assert "L-2" not in text


async def test_a_database_that_is_gone_is_told_as_503_until_it_is_back(book: str) -> None:
    server, _, name = book.rpartition("/")
    shut = f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    async with api_on(book) as client:
        await execute(f"{server}/postgres", shut)
        await execute(f"{server}/postgres", cut, name)
        answer = await client.get("/v1/portfolio")
        metrics = await client.get("/metrics")
        ready = await client.get("/ready")
        await execute(f"{server}/postgres", f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert (await client.get("/v1/portfolio")).status_code == 200
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["content-type"] == "application/problem+json"
    assert ready.status_code == 503
    assert 'loanpulse_database_up{service="analytics_api"} 0.0' in metrics.text
    assert "loanpulse_principal_outstanding{" not in metrics.text


async def test_metrics_tell_what_waits_and_that_every_counter_adds_up(api: httpx.AsyncClient) -> None:
    text = (await api.get("/metrics")).text
    unapplied = 'book="demo",currency="EUR",reason="before_disbursement"'
    assert f"loanpulse_unapplied_events{{{unapplied}}} 1.0" in text
    assert f"loanpulse_unapplied_amount{{{unapplied}}} 25.0" in text
    assert 'loanpulse_dead_letters{topic="loan.events.v1"} 1.0' in text
    assert "loanpulse_events_unaccounted 0.0" in text
    assert 'loanpulse_loans_quarantined{book="demo"} 0.0' in text
    assert 'loanpulse_day_waiting_slices{book="demo"} 0.0' in text
    assert "loanpulse_loans_drifting{" not in text  # no statement, no drift to speak of


async def test_metrics_tell_of_a_roll_and_of_a_verification_that_found_something(book: str) -> None:
    await execute(
        book,
        "UPDATE core.day_roll SET swept_at = NULL, flipped_at = now() - interval '200 s' WHERE slice < 7;"
        "INSERT INTO core.verification (run_id, book_key, started_at, finished_at, is_complete, loans,"
        " differences, details) VALUES (1, 1, now(), now() - interval '1 h', true, 6, 3, '{}')",
    )
    async with api_on(book) as client:
        text = (await client.get("/metrics")).text
    assert 'loanpulse_day_waiting_slices{book="demo"} 7.0' in text
    assert 'loanpulse_verification_differences{book="demo"} 3.0' in text
    (age,) = [line for line in text.splitlines() if line.startswith("loanpulse_verification_age_seconds{")]
    assert 3600 <= float(age.rsplit(" ", 1)[1]) < 4000


async def test_what_was_received_is_the_sum_of_its_fates_whatever_came(book: str) -> None:
    await execute(
        book,
        "UPDATE core.loan_state s SET quarantine = 'odd' FROM core.loan l"
        " WHERE l.slice = s.slice AND l.loan_key = s.loan_key AND l.loan_id = 'L-1'",
    )
    connection = await asyncpg.connect(book, server_settings={"role": "grafana_ro"})
    try:
        fates = dict(await connection.fetchrow("SELECT * FROM reporting.event_fates"))
        quarantined = await connection.fetch("SELECT * FROM reporting.quarantined_loans")
    finally:
        await connection.close()
    received, missing = fates.pop("received"), fates.pop("missing")
    assert (sum(fates.values()), missing) == (received, 0)
    assert [(row["loan_id"], row["events"]) for row in quarantined] == [("L-1", fates["quarantined"])]
    assert fates["quarantined"] > 0
    assert (fates["unapplied"], fates["dead"], fates["other"]) == (1, 1, 2 * 16)
