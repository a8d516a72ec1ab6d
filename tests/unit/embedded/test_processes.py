from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.failures import PartError
from embedded.leftovers import claim_folder, end_servers, remove_abandoned
from embedded.processes import ProcessMark, end, read_mark, write_mark
from embedded.server import ServerProcess

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(SLEEPER)
    yield child
    child.kill()
    child.wait()


def a_server(folder: Path) -> ServerProcess:
    return ServerProcess(name="server", log=folder / "server.log", mark_file=folder / "server.process.json")


def test_a_mark_survives_its_file(tmp_path: Path) -> None:
    mark = ProcessMark.of(os.getpid())
    write_mark(tmp_path / "mark.json", mark)
    assert read_mark(tmp_path / "mark.json") == mark
    assert mark.alive()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started_at": 0}'])
def test_a_damaged_mark_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mark.json"
    path.write_text(content)
    assert read_mark(path) is None


def test_a_reused_process_id_is_not_taken_for_the_old_process(sleeper: subprocess.Popen[bytes]) -> None:
    stale = replace(ProcessMark.of(sleeper.pid), started_at=time.time() - 86_400)
    assert not stale.alive()
    assert not end(stale)
    assert sleeper.poll() is None


def test_a_zombie_counts_as_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    mark = ProcessMark.of(child.pid)
    deadline = time.monotonic() + 10
    while mark.alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not mark.alive()  # though nobody has waited for it yet
    child.wait()


def test_a_process_that_does_not_listen_is_forced(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    server.launch(STUBBORN)
    server.wait_until(lambda: server.log.read_text() == "up\n", timeout_s=10)
    server.stop(patience_s=0.2)
    assert not server.running
    assert not server.mark_file.exists()


def test_a_process_that_leaves_at_once_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    server.launch([sys.executable, "-c", "raise SystemExit('no such file')"])
    with pytest.raises(PartError, match=r"(?s)server did not start.*no such file"):
        server.wait_until(lambda: False, timeout_s=10)


def test_a_process_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    server.launch(SLEEPER)
    with pytest.raises(PartError, match="not ready after"):
        server.wait_until(lambda: False, timeout_s=0.1)
    assert not server.running


def test_who_is_told_to_stop_while_starting_waits_no_longer(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    server.launch(SLEEPER)
    server.cancel.set()
    with pytest.raises(PartError, match="told to stop"):
        server.wait_until(lambda: False, timeout_s=60)
    assert not server.running


def test_a_new_owner_ends_what_a_killed_one_left(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    server = a_server(tmp_path)
    write_mark(server.mark_file, ProcessMark.of(sleeper.pid))
    server.end_leftover()
    assert sleeper.wait(10) != 0
    assert not server.mark_file.exists()


def test_folders_of_dead_owners_go_with_their_servers_and_those_in_use_stay(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    abandoned, in_use, foreign = (tmp_path / f"tests-{name}" for name in ("abandoned", "in_use", "foreign"))
    for folder in (abandoned, in_use, foreign):
        folder.mkdir()
    claim_folder(in_use)
    write_mark(abandoned / "owner.process.json", ProcessMark(pid=os.getpid(), started_at=0.0))
    write_mark(abandoned / "server.process.json", ProcessMark.of(sleeper.pid))
    assert remove_abandoned(tmp_path, "tests-") == [abandoned]
    assert sleeper.wait(10) != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tests-foreign", "tests-in_use"]


def test_the_owner_itself_is_never_ended_as_a_server(tmp_path: Path) -> None:
    claim_folder(tmp_path)
    assert end_servers(tmp_path) == []
