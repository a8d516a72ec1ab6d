"""The supervised stack: it comes up, brings back what was killed, and goes down without a trace.

Kafka, PostgreSQL, topics and migrations are real; the five services are small stand-ins that only answer
/health, since what is looked at here is the supervisor.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import psutil
import pytest

from embedded.layout import Layout, Phase, StackState, read_state
from embedded.ports import free_port
from embedded.state import jar_folder, project_root
from tests.parts import Broker

pytestmark = [pytest.mark.integration, pytest.mark.faults]

SERVICE = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass

PORTS = {"gateway": "INGEST_GATEWAY_PORT", "serve": "ANALYTICS_PORT", "worker": WORKER_PORT}
print("runs", *sys.argv[1:], flush=True)
if sys.argv[1] == "refresh":
    time.sleep(3600)
HTTPServer(("127.0.0.1", int(os.environ[PORTS[sys.argv[1]]])), Health).serve_forever()
"""
SHORT_DEMO = """
import os, time
def main(arguments):
    known = {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "GATEWAY_URL", "ANALYTICS_URL"} <= os.environ.keys()
    print("sends", arguments[1].rpartition("/")[2], "knowing all addresses" if known else "", flush=True)
    time.sleep(600)
"""
VARIABLES = {"ingest": "INGEST_WORKER_PORT", "scoring": "SCORING_WORKER_PORT", "analytics_api": "NONE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    layout: Layout
    environment: dict[str, str]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "embedded", *words],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def state(self) -> StackState:
        state = read_state(self.layout.stack_file)
        assert state is not None
        return state

    def pid(self, part: str) -> int:
        found = self.state().part(part)
        return found.process.pid if found and found.process else 0

    def processes(self) -> list[str]:
        """Command lines of all processes that belong to this stack."""
        marked = str(self.layout.state)
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    marked in " ".join(process.cmdline())
                    or process.environ().get("LOANPULSE_STATE_DIR") == marked
                ):
                    found.append(" ".join(process.cmdline())[:80])
            except psutil.Error:
                continue
        return found


@pytest.fixture
def stack(parts_folder: Path, tmp_path: Path) -> Iterator[Stack]:
    fakes = tmp_path / "fakes"
    for name, variable in VARIABLES.items():
        package = fakes / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(SERVICE.replace("WORKER_PORT", repr(variable)))
    state = parts_folder / f"stack-{tmp_path.name[-12:]}"
    given = {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}
    environment = {key: value for key, value in os.environ.items() if key not in given} | {
        "LOANPULSE_STATE_DIR": str(state),
        "LOANPULSE_JARS_DIR": str(jar_folder()),
        "PYTHONPATH": str(fakes),
    }
    own = Stack(layout=Layout(root=project_root(), state=state), environment=environment)
    yield own
    own.run("clean", FORCE="1")


@pytest.fixture
def demo_command(stack: Stack) -> list[str]:
    """The demonstration with a short book: its command says where it would send, and waits."""
    fakes = Path(stack.environment["PYTHONPATH"])
    (fakes / "short_demo.py").write_text(SHORT_DEMO)
    about = fakes / "loanpulse-0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: loanpulse\nVersion: 0.0\n")
    commands = {point.name: point.value for point in entry_points(group="loanpulse.commands")}
    lines = [f"{name} = {value}" for name, value in (commands | {"demo": "short_demo:main"}).items()]
    (about / "entry_points.txt").write_text("\n".join(["[loanpulse.commands]", *lines]))
    return [sys.executable, "-m", "embedded", "demo", "--book", "some-book"]


def wait_for(holds: Callable[[], bool], timeout_s: float = 40) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def test_the_stack_brings_back_what_dies_and_goes_down_without_a_trace(stack: Stack) -> None:
    came_up = stack.run("up")
    assert came_up.returncode == 0, came_up.stderr
    assert "all parts are well" in came_up.stdout
    assert "/boards" in came_up.stdout

    supervisor = stack.state().supervisor
    assert stack.run("up").returncode == 0
    assert stack.state().supervisor == supervisor

    killed = {name: stack.pid(name) for name in ("kafka", "postgres", "ingest")}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all(stack.pid(name) not in {0, pid} for name, pid in killed.items()))
    wait_for(lambda: stack.run("status").returncode == 0)
    assert "restarted 1x" in stack.run("status").stdout

    answer = stack.run("psql", "-XAtc", "SELECT count(*) > 0 FROM public.loanpulse_migration")
    assert answer.stdout.strip() == "t", answer.stderr
    assert "gateway    | runs gateway" in stack.run("logs", "-n", "5").stdout

    went_down = stack.run("down")
    assert went_down.returncode == 0, went_down.stderr
    assert stack.processes() == []
    assert stack.run("status").returncode == 4


def test_a_killed_supervisor_leaves_nothing_that_the_next_start_trips_over(stack: Stack) -> None:
    assert stack.run("up").returncode == 0
    before = stack.state()
    os.kill(before.supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not before.supervisor.alive())
    assert "the supervisor was killed" in stack.run("status").stdout

    came_up = stack.run("up")
    assert came_up.returncode == 0, came_up.stderr
    after = stack.state()
    assert after.phase is Phase.READY
    assert after.addresses["KAFKA_BOOTSTRAP_SERVERS"] == before.addresses["KAFKA_BOOTSTRAP_SERVERS"]
    assert not any(part.process and part.process.alive() for part in before.parts)

    os.kill(after.supervisor.pid, signal.SIGKILL)
    assert stack.run("down").returncode == 0
    assert stack.processes() == []


def test_two_starts_at_once_make_one_stack(stack: Stack) -> None:
    command = [sys.executable, "-m", "embedded", "up"]
    first = subprocess.Popen(command, env=stack.environment)
    second = subprocess.Popen(command, env=stack.environment)
    assert (first.wait(150), second.wait(150)) == (0, 0)
    assert sum("embedded supervise" in line for line in stack.processes()) == 1


def test_a_service_that_does_not_start_is_named_with_the_end_of_its_log(stack: Stack) -> None:
    broken = Path(stack.environment["PYTHONPATH"]) / "scoring" / "__main__.py"
    broken.write_text("raise SystemExit('the model file is missing')")
    failed = stack.run("up")
    assert failed.returncode == 1
    assert "scoring did not start" in failed.stderr
    assert "the model file is missing" in failed.stderr
    assert stack.processes() == []


def test_a_port_that_is_taken_is_named_with_the_variable_that_chooses_another(stack: Stack) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        failed = stack.run("up", INGEST_GATEWAY_PORT=str(port))
    assert failed.returncode == 1
    assert f"port {port} of INGEST_GATEWAY_PORT is taken" in failed.stderr


def run_demo(stack: Stack, command: list[str]) -> subprocess.Popen[str]:
    """Start the demonstration as a terminal would, and return when the book is being sent."""
    demo = subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if line.startswith("sends"):
            break
    assert "sends some-book knowing all addresses\n" in said, said
    assert any("/boards" in line for line in said)
    return demo


def test_ctrl_c_or_a_word_ends_the_demonstration_and_all_its_parts_and_keeps_the_data(
    stack: Stack, demo_command: list[str]
) -> None:
    kept = [stack.layout.kafka / "cluster_id", stack.layout.postgres / "password"]
    contents = []
    ways: list[Callable[[int], None]] = [
        lambda group: os.killpg(group, signal.SIGINT),  # Ctrl-C, which the terminal tells everyone in it
        lambda pid: os.kill(pid, signal.SIGTERM),
    ]
    for leave in ways:
        demo = run_demo(stack, demo_command)
        contents.append([path.read_text() for path in kept])
        leave(demo.pid)
        rest, _ = demo.communicate(timeout=90)
        assert demo.returncode == 0, rest
        assert "all parts are stopped" in rest
        assert stack.processes() == []
    assert contents[0] == contents[1]


def test_a_killed_demonstration_takes_its_stack_along(stack: Stack, demo_command: list[str]) -> None:
    with run_demo(stack, demo_command) as demo:
        os.killpg(demo.pid, signal.SIGKILL)
    wait_for(lambda: stack.processes() == [])


def test_a_given_kafka_and_a_given_database_replace_the_embedded_ones(
    stack: Stack, broker: Broker, empty_database: str
) -> None:
    given = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "DATABASE_URL": empty_database}
    came_up = stack.run("up", **given)
    assert came_up.returncode == 0, came_up.stderr
    assert came_up.stdout.count(" given ") == 2
    assert (
        empty_database.split(":")[2].split("@", maxsplit=1)[0] not in came_up.stdout
    )  # the password is not shown
    assert not stack.layout.kafka.exists()
    assert not stack.layout.postgres.exists()
    assert stack.run("status", **given).returncode == 0
    assert stack.run("down").returncode == 0
