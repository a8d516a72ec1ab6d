"""Up, down, status and clean: what a person asks of the stack from outside."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from embedded import startup
from embedded.failures import PartError, last_lines
from embedded.kafka import KafkaBroker
from embedded.layout import Layout, Phase, StackState, read_state
from embedded.postgres import PostgresServer
from embedded.processes import ProcessMark, end
from embedded.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POLL_S = 0.1
_START_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 90.0


@contextmanager
def supervisor_lock(layout: Layout) -> Iterator[bool]:
    """Hold the lock that makes a supervisor the only one; False when another one holds it."""
    layout.state.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def running_supervisor(layout: Layout) -> StackState | None:
    """The state of the stack whose supervisor lives, if there is one."""
    state = read_state(layout.stack_file)
    return state if state and state.supervisor.alive() else None


def up(layout: Layout, say: Callable[[str], None], owner: ProcessMark | None = None) -> StackState:
    """Start the stack unless it runs, and return when every part is well; PartError says what is not."""
    child: subprocess.Popen[bytes] | None = None
    if running_supervisor(layout) is None:
        stop_leftovers(layout)
        child = _spawn_supervisor(layout, owner)
    return _wait_ready(layout, say, child)


def down(layout: Layout, say: Callable[[str], None]) -> bool:
    """Stop the stack in order, or what a killed one left; False when nothing ran."""
    state = running_supervisor(layout)
    if state is None:
        return bool(stop_leftovers(layout))
    end(state.supervisor, signal.SIGTERM, _STOP_TIMEOUT_S)
    stop_leftovers(layout)
    say("all parts are stopped")
    return True


def stop_leftovers(layout: Layout) -> list[str]:
    """End what a killed supervisor left running, services first; gives the names of what still ran."""
    with supervisor_lock(layout) as alone:
        if not alone:
            return []  # a supervisor is starting at this moment: its parts are no leftovers
        state = read_state(layout.stack_file)
        ran = [part.name for part in state.parts if part.process and part.process.alive()] if state else []
        for spec in SERVICES:
            startup.service_process(layout, spec.name, Event()).end_leftover()
        for server in _embedded_servers(layout, state):
            server.end_leftover()
        return ran


def clean(layout: Layout, say: Callable[[str], None]) -> None:
    """Stop the stack and remove all it knows; Kafka's jars stay, being the same for every stack."""
    down(layout, say)
    moved = [server.folder for server in _embedded_servers(layout, read_state(layout.stack_file))]
    inside = [path for path in layout.state.iterdir() if path.name != "jars"] if layout.state.exists() else []
    for path in {*inside, *moved}:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    say(f"removed all state in {layout.state}")


def _embedded_servers(layout: Layout, state: StackState | None) -> list[KafkaBroker | PostgresServer]:
    # The database's folder may lie elsewhere, so that the state has to be asked too.
    embedded = {part.name for part in state.parts if not part.given} if state else set()
    servers: list[KafkaBroker | PostgresServer] = []
    if "kafka" in embedded or layout.kafka.exists():
        servers.append(KafkaBroker(layout.kafka))
    if "postgres" in embedded or layout.postgres.exists():
        servers.append(PostgresServer(layout.postgres))
    return servers


def _spawn_supervisor(layout: Layout, owner: ProcessMark | None) -> subprocess.Popen[bytes]:
    layout.logs.mkdir(parents=True, exist_ok=True)
    if layout.supervisor_log.exists():
        layout.supervisor_log.replace(layout.supervisor_log.with_suffix(".previous.log"))
    command = [sys.executable, "-m", "embedded", "supervise"]
    if owner:
        command += ["--owner", f"{owner.pid}:{owner.started_at}"]
    with layout.supervisor_log.open("ab") as output:
        # A session of its own: Ctrl-C and the end of the terminal do not reach it.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=layout.root,
            start_new_session=True,
        )


def _wait_ready(
    layout: Layout,
    say: Callable[[str], None],
    child: subprocess.Popen[bytes] | None,
) -> StackState:
    deadline = time.monotonic() + _START_TIMEOUT_S
    told = ""
    while time.monotonic() < deadline:
        left = child is not None and child.poll() is not None
        state = running_supervisor(layout)
        if state is None and left:
            raise PartError(_why_it_failed(layout, child))
        if state and state.doing != told and state.phase is not Phase.FAILED:
            told = state.doing
            say(told or "all parts are well")
        if state and state.phase is Phase.READY:
            return state
        time.sleep(_POLL_S)
    raise PartError(f"the stack was not up after {_START_TIMEOUT_S:.0f} s; see {layout.supervisor_log}")


def _why_it_failed(layout: Layout, child: subprocess.Popen[bytes] | None) -> str:
    state = read_state(layout.stack_file)
    if child and state and state.supervisor.pid == child.pid and state.phase is Phase.FAILED:
        return state.doing
    log = layout.supervisor_log
    return f"the stack ended while it started; the end of {log}:\n{last_lines(log)}"
