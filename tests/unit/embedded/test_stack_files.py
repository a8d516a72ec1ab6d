from __future__ import annotations

import os
from pathlib import Path

import pytest

from embedded.layout import PartState, Phase, StackState, read_state, write_state
from embedded.logs import Follower, read_logs, trim_log
from embedded.memory import postgres_settings
from embedded.processes import ProcessMark
from embedded.startup import development_defaults
from embedded.status import duration, headline, look, table

HERE = ProcessMark.of(os.getpid())
GONE = ProcessMark(pid=os.getpid(), started_at=0.0)


def a_stack(**changes: object) -> StackState:
    parts = (
        PartState(name="refresh", address="-", log="x.log", process=HERE, restarts=2),
        PartState(name="ingest", address="-", process=GONE, problem="ended by itself\nbecause"),
    )
    return StackState(**{"phase": Phase.READY, "supervisor": HERE, "parts": parts} | changes)  # type: ignore[arg-type]


def test_the_state_file_gives_back_what_was_written_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    state = a_stack(addresses={"DATABASE_URL": "postgresql://secret"})
    write_state(path, state)
    assert read_state(path) == state
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "{}", '{"phase": "resting"}', "[1]"])
def test_a_state_file_of_another_release_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "stack.json"
    path.write_text(content)
    assert read_state(path) is None


def test_status_tells_what_is_well_what_is_down_and_how_often_it_was_restarted() -> None:
    well, down = look(a_stack())
    assert (well.health, well.pid, well.note) == ("well", str(os.getpid()), "restarted 2x")
    assert (down.health, down.pid, down.note) == ("down", "-", "ended by itself")
    head, first, _ = table([well, down])
    assert head.index("HEALTH") == first.index("well")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "nothing runs"),
        (a_stack(), "the stack is ready"),
        (a_stack(phase=Phase.STARTING, doing="starting Kafka"), "the stack is starting: starting Kafka"),
        (a_stack(supervisor=GONE), "the supervisor was killed; still running: refresh"),
        (a_stack(supervisor=GONE, parts=(), phase=Phase.FAILED), "the stack failed to start"),
        (a_stack(supervisor=GONE, parts=(), phase=Phase.STOPPED), "the stack is stopped"),
    ],
)
def test_the_headline_says_how_the_stack_is(state: StackState | None, told: str) -> None:
    assert headline(state).startswith(told)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0s"), (59, "59s"), (60, "1m00s"), (3_599, "59m59s"), (3_600, "1h00m"), (90_000, "1d01h")],
)
def test_a_duration_shows_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_logs_are_read_together_each_line_behind_its_part(tmp_path: Path) -> None:
    for name in ("kafka", "ingest"):
        (tmp_path / name).write_text(f"{name} 1\n{name} 2\n{name} 3\nunfinished")
    followers = [Follower(name=name, path=tmp_path / name) for name in ("kafka", "ingest", "missing")]
    assert list(read_logs(followers, 2, follow=False)) == [
        "kafka   | kafka 2",
        "kafka   | kafka 3",
        "ingest  | ingest 2",
        "ingest  | ingest 3",
    ]


def test_a_follower_reads_on_through_a_log_that_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")
    follower = Follower(name="part", path=path)
    assert follower.fresh() == ["one"]
    with path.open("a") as file:
        file.write("two\nthr")
    assert follower.fresh() == ["two"]
    path.rename(tmp_path / "old")
    path.write_text("three\n")
    assert follower.fresh() == ["three"]


def test_a_log_that_grew_too_long_is_cut_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "part.log"
    path.write_text("x" * 90 + "the end...")
    assert not trim_log(path, largest=100, kept=10)
    with path.open("a") as file:
        file.write("!")
    assert trim_log(path, largest=100, kept=11)
    assert path.read_text() == ""
    assert (tmp_path / "part.previous.log").read_text() == "the end...!"


def test_postgres_takes_less_where_there_is_less() -> None:
    shares = [postgres_settings(gib << 30)["shared_buffers"] for gib in (1, 4, 8, 24)]
    assert shares == ["128MB", "256MB", "1GB", "3GB"]


def test_api_keys_are_asked_for_as_soon_as_some_are_set() -> None:
    assert development_defaults({}) == {"INGEST_AUTH": "off", "ANALYTICS_AUTH": "off"}
    assert development_defaults({"INGEST_API_KEYS": "ab" * 32}) == {"ANALYTICS_AUTH": "off"}
