"""Reads at size: the API under 500 clients, single answers, every panel's query, and the marts' refresh."""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from analytics_api.board_viewer.board_files import read_boards
from analytics_api.board_viewer.macros import TimeRange
from analytics_api.board_viewer.queries import answer_panels, resolve_variables
from analytics_api.board_viewer.store import PostgresBoardStore
from embedded.ports import free_port
from tests.bench.parts import ROOT, BenchError, Parts
from tests.bench.reading_book import BOOK, prepare_reads
from tests.bench.session import Session
from tests.bench.watching import cpu_seconds, until

SECTION = "reads"
_CLIENTS, _SECONDS, _TIMES = 500, 5, 20
_PACED = "function delay() return 50 + math.random(100) end"  # ms: each asks ten times a second
_ROUNDS = 3  # of the refresh; the closes of a new book are summed up in two of them
_AGGREGATES = (
    "portfolio",
    "portfolio?as_of=2026-03-01",
    "branches",
    "regions",
    "products",
    "freshness",
    "reconciliation",
    "measures/roll-rates",
    "measures/vintages",
)
_LISTS = (
    "loans",
    "loans?sort=principal_outstanding",
    "loans?branch=B007&sort=overdue",
    "loans?region=R3&status=active&sort=expected_loss",
    "loans?band=CRITICAL&sort=last_payment_on&order=asc",
    "loans?days_past_due_min=31&sort=paid",
    "loans?bucket=91%2B&product=P2&sort=default_probability&offset=100",
)
# Two tables are made by folding loans, of a new book for an hour: they are waited for, and not counted.
_REFRESHED = """
SELECT coalesce(bool_and(refreshed_at > $1) FILTER (WHERE NOT folds), false) AS is_made,
       coalesce(bool_and(refreshed_at > $1), false) AS is_done,
       coalesce(sum(took_ms) FILTER (WHERE NOT folds), 0)::float8 / 1000 AS took_s
FROM (SELECT *, mart IN ('tally_day', 'move_month') AS folds FROM reporting.mart_refresh) m
"""
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m)\s*$", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_FAULTS = re.compile(r"Socket errors: (.*)|Non-2xx or 3xx responses: (\d+)")
_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


async def measure(session: Session) -> None:
    """Refresh the marts first, since the boards read them."""
    parts = session.parts
    database = await prepare_reads(parts, session.spec.loans)
    await _refresh(session, database)
    await _panels(session, parts.dsn(database))
    port = free_port()
    settings = {"ANALYTICS_PORT": str(port), "ANALYTICS_AUTH": "off", "ANALYTICS_RATE_PER_SECOND": "0"}
    parts.start("analytics_api", "serve", database=database, environment=settings)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await until(parts, lambda: _is_ready(client), bool, every_s=0.2)
            await _single(session, client)
            await _crowd(session, client, f"http://127.0.0.1:{port}")
    finally:
        parts.stop_workers()


async def _refresh(session: Session, database: str) -> None:
    """Rounds of all marts; the last is what each minute costs, the others make what it keeps."""
    parts = session.parts
    connection = await asyncpg.connect(parts.dsn(database))
    environment = {"ANALYTICS_REFRESH_INTERVAL": "PT1S", "ANALYTICS_AUTH": "off"}
    parts.start("analytics_api", "refresh", database=database, environment=environment)
    rounds = []
    try:
        for _ in range(_ROUNDS):
            since, before = await connection.fetchval("SELECT now()"), _cpu(parts)

            async def look(since: datetime = since) -> asyncpg.Record:
                return await connection.fetchrow(_REFRESHED, since)

            made = await until(parts, look, lambda seen: bool(seen["is_made"]), every_s=0.2)
            rounds.append((made["took_s"], _cpu(parts) - before))
            await until(parts, look, lambda seen: bool(seen["is_done"]), every_s=0.2)
    finally:
        await connection.close()
        parts.stop_workers()
    session.report.add(SECTION, "refresh of all marts", "s", [rounds[-1][0]])
    session.report.add(SECTION, "refresh of all marts: CPU, with postgres", "s", [rounds[-1][1]])


async def _panels(session: Session, dsn: str) -> None:
    """Every query of every board as its viewer asks it; nothing is cached."""
    store = await PostgresBoardStore.open(
        dsn, statement_timeout=timedelta(seconds=60), cache_for=timedelta(), size_max=1
    )
    now = datetime.now(UTC)
    hour = TimeRange(from_at=now - timedelta(hours=1), to_at=now)
    found: dict[str, float] = {}
    try:
        for board in read_boards(ROOT / "grafana" / "dashboards").values():
            choices = await resolve_variables(board, {}, hour, store)
            for panel in board.panels.values():
                took = []
                for _ in range(_TIMES):
                    started = time.perf_counter()
                    answers = await answer_panels(board, [panel.panel_id], choices, hour, store)
                    took.append((time.perf_counter() - started) * 1000)
                if answers[panel.panel_id].error:
                    raise BenchError(f"{panel.title}: {answers[panel.panel_id].error}")
                found[f"{board.uid}: {panel.title}"] = _percentile(took, 0.95)
    finally:
        await store.close()
    slowest = sorted(found.items(), key=lambda item: -item[1])
    session.report.details["panels, p95 in ms"] = {name: round(p95, 1) for name, p95 in slowest}
    add = session.report.add
    add(SECTION, f"{len(found)} panels: median of their p95", "ms", [statistics.median(found.values())])
    add(
        SECTION,
        "panels whose p95 is 50 ms or more",
        "panels",
        [float(sum(p95 >= 50 for p95 in found.values()))],
    )
    for name, p95 in slowest[:3]:
        add(SECTION, f"slow panel, p95: {name[:34]}", "ms", [p95])


async def _single(session: Session, client: httpx.AsyncClient) -> None:
    """One client, one answer after the other."""
    rows = (await client.get("/v1/loans", params={"book": BOOK, "limit": 5})).json()["items"]
    groups = {
        "loan list": [f"/v1/{path}" for path in _LISTS],
        "one loan": [f"/v1/loans/{row['loan_id']}" for row in rows],
    }
    for name, paths in groups.items():
        worst: dict[str, float] = {}
        for path in paths:
            took = [await _timed(lambda path=path: client.get(path)) for _ in range(_TIMES)]  # type: ignore[misc]
            worst[path] = _percentile(took, 0.95)
        session.report.details[f"{name}, p95 in ms"] = worst
        session.report.add(SECTION, f"{name}: slowest p95", "ms", [max(worst.values())])


async def _crowd(session: Session, client: httpx.AsyncClient, address: str) -> None:
    """So many clients at once on each aggregate, by wrk: each as soon as it is answered, and at a pace."""
    program = shutil.which("wrk")
    if program is None:
        print("  no clients at once: wrk is not installed", flush=True)
        return
    pace = session.parts.folder / "pace.lua"
    pace.write_text(_PACED, encoding="utf-8")
    for path in _AGGREGATES:
        for how, options in (("", ()), (", 10 times a second each", ("-s", str(pace)))):
            await _timed(lambda path=path: client.get(f"/v1/{path}"))  # type: ignore[misc]
            said = await _wrk(program, f"{address}/v1/{path}", *options)
            _report_crowd(session, f"{path}, {_CLIENTS} clients{how}", said)


async def _wrk(program: str, address: str, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, "-t1", f"-c{_CLIENTS}", f"-d{_SECONDS}s", "--latency", *options,
        "-H", "Accept-Encoding: gzip", address,  # as browsers and HTTP libraries do
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await process.communicate())[0].decode()


def _report_crowd(session: Session, name: str, said: str) -> None:
    if fault := _FAULTS.search(said):
        print(f"  {name}: {fault.group()}", flush=True)
    times = {share: float(value) * _IN_MS[unit] for share, value, unit in _LATENCY.findall(said)}
    rate = _RATE.search(said)
    if rate is None or "99" not in times:
        raise BenchError(f"wrk says: {said}")
    add = session.report.add
    add(SECTION, f"{name}: faults", "kinds", [float(bool(fault))])
    add(SECTION, f"{name}: p99", "ms", [times["99"]])
    add(SECTION, name, "answers/s", [float(rate.group(1))])


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def _timed(ask: Callable[[], Awaitable[httpx.Response]]) -> float:
    started = time.perf_counter()
    (await ask()).raise_for_status()
    return (time.perf_counter() - started) * 1000


def _cpu(parts: Parts) -> float:
    return cpu_seconds(parts.server.pid) + sum(cpu_seconds(process.pid) for process in parts.workers)


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(len(values) * share) - 1]
