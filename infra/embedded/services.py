"""The five processes of Loanpulse itself: how each is started, where it listens, when it is well."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embedded.failures import PartError
from embedded.ports import LOOPBACK, port_is_free
from embedded.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

READY_TIMEOUT_S = 120.0  # five processes importing side by side on a small, busy machine
_HEALTH_TIMEOUT_S = 2.0


class Part(Protocol):
    """What the supervisor needs to know of a part."""

    name: str

    @property
    def address(self) -> str: ...  # noqa: D102
    @property
    def log(self) -> Path: ...  # noqa: D102
    @property
    def pid(self) -> int | None: ...  # noqa: D102
    @property
    def running(self) -> bool: ...  # noqa: D102
    def start(self) -> object: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102
    def healthy(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """How a service is started and which variable tells it its port."""

    name: str
    command: tuple[str, ...]
    port_variable: str | None = None
    usual_port: int = 0


SERVICES = (
    ServiceSpec(
        name="gateway",
        command=("-m", "ingest", "gateway"),
        port_variable="INGEST_GATEWAY_PORT",
        usual_port=8081,
    ),
    ServiceSpec(
        name="ingest",
        command=("-m", "ingest", "worker"),
        port_variable="INGEST_WORKER_PORT",
        usual_port=8082,
    ),
    ServiceSpec(
        name="scoring",
        command=("-m", "scoring", "worker"),
        port_variable="SCORING_WORKER_PORT",
        usual_port=8083,
    ),
    ServiceSpec(
        name="analytics",
        command=("-m", "analytics_api", "serve"),
        port_variable="ANALYTICS_PORT",
        usual_port=8080,
    ),
    ServiceSpec(name="refresh", command=("-m", "analytics_api", "refresh")),
)


class Service:
    """One process of Loanpulse, restarted by the supervisor when it dies."""

    def __init__(
        self, spec: ServiceSpec, port: int, environment: Mapping[str, str], server: ServerProcess
    ) -> None:
        """Nothing starts here; port 0 is a service that does not listen."""
        self.name = spec.name
        self.port = port
        self._spec = spec
        self._environment = environment
        self._server = server

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}" if self.port else "-"

    @property
    def log(self) -> Path:
        """The file that holds its output."""
        return self._server.log

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._server.running

    def start(self) -> None:
        """Start the process; `wait` tells when it is well."""
        if self.port and not port_is_free(self.port):
            raise PartError(
                f"{self.name}'s port {self.port} is taken by another process. Choose another one "
                f"({self._spec.port_variable}, or none for a free one), or end what listens there.",
            )
        self._server.launch([sys.executable, *self._spec.command], self._environment)

    def wait(self) -> None:
        """Return when the service is well; PartError with the end of its log when it is not in time."""
        self._server.wait_until(self.healthy, READY_TIMEOUT_S)

    def ask_to_stop(self) -> None:
        """Tell the process to leave; `stop` waits for it."""
        self._server.ask_to_stop()

    def stop(self) -> None:
        """Ask the process to finish what it does and leave."""
        self._server.stop()

    def end_leftover(self) -> None:
        """End the process of a supervisor that died."""
        self._server.end_leftover()

    def healthy(self) -> bool:
        """Whether it runs and, if it listens, answers /health with 200."""
        return self.running and (not self.port or answers_health(self.address))


def answers_health(address: str) -> bool:
    """Whether GET /health under this address gives 200."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_HEALTH_TIMEOUT_S) as response:  # noqa: S310
            return bool(response.status == HTTPStatus.OK)
    except (OSError, urllib.error.URLError):
        return False
