"""Alert episodes and their acknowledgement, the only thing the API writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from loanbook.postgres.pool import connect
from tests.integration.analytics_api.conftest import Getter, api_on, ask, execute

pytestmark = pytest.mark.integration


@pytest.fixture
async def own(book: str) -> AsyncIterator[httpx.AsyncClient]:
    async with api_on(book) as client:
        yield client


async def open_alert(client: httpx.AsyncClient) -> Any:
    return (await ask(client, "/v1/alerts"))["items"][0]


async def test_open_episodes_show_where_their_loan_stands(get: Getter) -> None:
    answer = await get("/v1/alerts")
    assert answer["page"]["total"] == 1
    alert = answer["items"][0]
    assert (alert["loan_id"], alert["severity"], alert["state"]) == ("L-2", "HIGH", "open")
    assert (alert["days_past_due"], alert["overdue"]["amount"]) == (40, "200.00")
    assert alert["snapshot"] == {"days_past_due": 31}


@pytest.mark.parametrize(
    ("query", "loans"),
    [
        ({"open": "false"}, ["L-2", "L-3"]),
        ({"open": "false", "severity_min": "HIGH"}, ["L-2"]),
        ({"branch": "B1"}, []),
        ({"loan_id": "L-3", "open": "false"}, ["L-3"]),
        ({"rule": "slipping"}, []),
    ],
)
async def test_a_filter_leaves_exactly_what_it_says(
    get: Getter, query: dict[str, str], loans: list[str]
) -> None:
    answer = await get("/v1/alerts", **query)
    assert [item["loan_id"] for item in answer["items"]] == loans


async def test_an_acknowledged_alert_says_who_looks_after_it(own: httpx.AsyncClient) -> None:
    alert = await open_alert(own)
    answer = await own.post(f"/v1/alerts/{alert['id']}/acknowledge", json={"by": "a.musa", "note": "called"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", "a.musa")
    assert answer.json()["acknowledge_note"] == "called"
    assert (await open_alert(own))["acknowledged_at"] is not None


async def test_the_same_person_may_say_it_again_and_nobody_else(own: httpx.AsyncClient) -> None:
    path = f"/v1/alerts/{(await open_alert(own))['id']}/acknowledge"
    first = await own.post(path, json={"by": "a.musa"})
    again = await own.post(path, json={"by": "a.musa", "useful": True})
    other = await own.post(path, json={"by": "b.okafor"})
    assert (again.status_code, again.json()["useful"]) == (200, True)
    assert again.json()["acknowledged_at"] == first.json()["acknowledged_at"]
    assert (other.status_code, other.json()["detail"]) == (409, "a.musa looks after this alert already")


async def test_a_closed_alert_takes_only_the_verdict(own: httpx.AsyncClient) -> None:
    items = (await ask(own, "/v1/alerts", open="false"))["items"]
    path = next(f"/v1/alerts/{item['id']}/acknowledge" for item in items if item["state"] == "resolved")
    refused = await own.post(path, json={"by": "a.musa"})
    taken = await own.post(path, json={"by": "a.musa", "useful": False})
    assert refused.status_code == 409
    assert (taken.status_code, taken.json()["state"], taken.json()["useful"]) == (200, "resolved", False)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/v1/alerts/999/acknowledge", {"by": "a.musa"}, 404, "alert_id"),
        ("/v1/alerts/1/acknowledge", {}, 422, "by"),
        ("/v1/alerts/1/acknowledge", {"by": "  "}, 422, "by"),
        ("/v1/alerts/1/acknowledge", {"by": "a", "state": "resolved"}, 422, "state"),
        ("/v1/alerts/0/acknowledge", {"by": "a"}, 422, "alert_id"),
        ("/v1/alerts/x/acknowledge", {"by": "a"}, 422, "alert_id"),
    ],
)
async def test_a_wrong_acknowledgement_names_its_field(
    api: httpx.AsyncClient, path: str, body: dict[str, str], status: int, field: str
) -> None:
    answer = await api.post(path, json=body)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO risk.delivery (endpoint, kind, payload) VALUES ('x', 'opened', '{}')",
        "UPDATE risk.alert_episode SET severity = 0",
        "DELETE FROM risk.alert_episode",
        "UPDATE core.loan_state SET paid_minor = 0",
        "DELETE FROM core.event",
        "INSERT INTO reporting.mart_refresh VALUES ('x', now(), 1)",
        "UPDATE reporting.books SET replaying = true",
    ],
)
async def test_the_readers_role_writes_nothing_but_the_acknowledgement(
    shared_book: str, statement: str
) -> None:
    connection = await connect(shared_book, "analytics_reader")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        assert await connection.fetchval("SELECT count(*) FROM risk.alert_episode") == 2
    finally:
        await connection.close()


async def test_a_note_of_the_loan_is_not_lost_when_another_copy_is_made(book: str) -> None:
    await execute(book, "UPDATE risk.alert_episode SET acknowledge_note = 'first' WHERE state = 'open'")
    async with api_on(book) as client:
        alert = await open_alert(client)
        answer = await client.post(f"/v1/alerts/{alert['id']}/acknowledge", json={"by": "a.musa"})
    assert answer.json()["acknowledge_note"] == "first"
