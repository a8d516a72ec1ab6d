"""The embedded server keeps what it committed, and says what keeps it from starting."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from embedded.failures import PartError
from embedded.postgres import PostgresServer
from embedded.unprivileged import server_account
from tests.parts import ROLES, SMALL_POSTGRES

pytestmark = pytest.mark.integration


@pytest.fixture
def server(parts_folder: Path, request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with PostgresServer(parts_folder / request.node.name[:40], settings=SMALL_POSTGRES) as own:
        yield own


async def fetch(dsn: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def test_committed_rows_survive_a_killed_server(server: PostgresServer) -> None:
    await fetch(server.dsn(), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    server.kill()
    server.start()
    assert [row["n"] for row in await fetch(server.dsn(), "SELECT count(*) AS n FROM kept")] == [1000]


async def test_a_lock_file_naming_a_foreign_process_does_not_keep_it_down(server: PostgresServer) -> None:
    server.kill()
    lock = server.data / "postmaster.pid"
    lock.write_text(re.sub(r"^\d+", str(os.getpid()), lock.read_text()))
    server.start()
    assert await fetch(server.dsn(), "SELECT 1")


async def test_a_second_owner_ends_the_server_that_a_dead_owner_left(server: PostgresServer) -> None:
    left_behind = server.pid
    second = PostgresServer(server.folder, port=server.port, settings=SMALL_POSTGRES).start()
    try:
        assert second.pid != left_behind
        assert not server.running
        assert await fetch(second.dsn(), "SELECT 1")
    finally:
        second.stop()


def test_a_folder_of_another_major_version_is_refused_and_left_alone(parts_folder: Path) -> None:
    server = PostgresServer(parts_folder / "old")
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(PartError, match="was written by PostgreSQL 13"):
        server.start()
    assert [path.name for path in server.data.iterdir()] == ["PG_VERSION"]


async def test_without_the_password_nobody_gets_in(server: PostgresServer) -> None:
    address = server.dsn().replace(server.dsn().split(":")[2].split("@")[0], "guessed")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(address)


async def test_the_roles_can_be_made_again_and_the_board_role_is_held_back(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(ROLES.read_text(encoding="utf-8"))
        settings = await connection.fetchval(
            "SELECT setconfig FROM pg_db_role_setting"
            " WHERE setrole = 'grafana_ro'::regrole AND setdatabase = 0"
        )
        makes_tables = await connection.fetchval(
            "SELECT has_database_privilege('grafana_ro', current_database(), 'TEMPORARY')"
        )
    finally:
        await connection.close()
    assert sorted(settings) == [
        "default_transaction_read_only=on",
        "idle_in_transaction_session_timeout=10s",
        "search_path=reporting",
        "statement_timeout=5s",
    ]
    assert not makes_tables


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_a_folder_that_the_servers_user_cannot_reach_is_replaced_by_one_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts_folder: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("embedded.postgres.SYSTEM_STATE", parts_folder / "system")
    server = PostgresServer(closed / "postgres", settings=SMALL_POSTGRES)
    assert server.folder.parent == parts_folder / "system"
    with server:
        assert server.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_programs_that_the_servers_user_cannot_reach_run_from_a_copy(
    monkeypatch: pytest.MonkeyPatch, parts_folder: Path
) -> None:
    account = server_account()
    assert account is not None
    monkeypatch.setattr("embedded.unprivileged.SYSTEM_STATE", parts_folder / "copied")
    monkeypatch.setattr("embedded.postgres.can_run", lambda *_: False)
    monkeypatch.setattr("embedded.unprivileged.can_run", lambda *_: False)
    with PostgresServer(parts_folder / "from_copy", settings=SMALL_POSTGRES) as server:
        assert server.program("postgres").is_relative_to(parts_folder / "copied")
        assert server.running
