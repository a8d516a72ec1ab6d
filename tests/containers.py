"""The same parts in containers, on fixed ports, so that they come back where they were after a kill."""

from __future__ import annotations

import gc
import time
import warnings
from typing import TYPE_CHECKING

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.waiting_utils import wait_for_logs

from embedded.ports import LOOPBACK, answers, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18.6"
_START_TIMEOUT_S = 120


def engine_answers() -> bool:
    """Whether the engine answers a ping; a socket file alone proves nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a refused connection is left to the collector
        try:
            return bool(DockerClient().client.ping())
        except (DockerException, OSError):
            return False
        finally:
            gc.collect()


class ContainerBroker:
    """Apache Kafka in a container."""

    def __init__(self) -> None:
        port, inside = free_port(), 9092
        self.bootstrap_servers = f"{LOOPBACK}:{port}"
        self._port = port
        self._container = DockerContainer(KAFKA_IMAGE).with_bind_ports(inside, port)
        for key, value in _kafka_environment(port).items():
            self._container.with_env(key, value)
        self._made = False

    def start(self) -> object:
        if self._made:
            self._container.get_wrapped_container().start()
            _wait(lambda: answers(self._port))
        else:
            self._container.start()
            self._made = True
            wait_for_logs(self._container, "Kafka Server started", timeout=_START_TIMEOUT_S)
        return self

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()


class ContainerDatabase:
    """PostgreSQL in a container."""

    def __init__(self) -> None:
        self._port = free_port()
        self._container = (
            DockerContainer(POSTGRES_IMAGE)
            .with_bind_ports(5432, self._port)
            .with_env("POSTGRES_USER", "loanpulse")
            .with_env("POSTGRES_PASSWORD", "loanpulse")
            .with_command("postgres -c max_connections=200 -c shared_preload_libraries=pg_stat_statements")
        )
        self._made = False

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://loanpulse:loanpulse@{LOOPBACK}:{self._port}/{database}"

    def start(self) -> object:
        if self._made:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._made = True
            # It starts twice: first for its own preparation, on the socket only.
            wait_for_logs(self._container, "PostgreSQL init process complete", timeout=_START_TIMEOUT_S)
        _wait(self._serves)
        return self

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def _serves(self) -> bool:
        status, _ = self._container.exec(["pg_isready", "-q", "-h", "127.0.0.1", "-U", "loanpulse"])
        return bool(status == 0)


def _kafka_environment(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": "2097152",
        "KAFKA_BROKER_SESSION_TIMEOUT_MS": "6000",
        "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "1000",
    }


def _wait(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not ready():
        if time.monotonic() > deadline:
            msg = "the container did not become ready"
            raise TimeoutError(msg)
        time.sleep(0.1)
