"""Puts the parts together: addresses, ports, environments, and what must exist before a service starts."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from embedded.failures import PartError, last_lines
from embedded.kafka import KafkaBroker
from embedded.ports import Reservations, port_is_free
from embedded.postgres import PostgresServer
from embedded.server import ServerProcess
from embedded.services import SERVICES, Service, ServiceSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded.layout import Layout, StackState
    from embedded.settings import StackSettings

DATABASE = "loanpulse"
_TASK_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Chooses ports: the one that is set, else the last one, else the usual one, else a free one."""

    settings: StackSettings
    last: StackState | None
    reservations: Reservations = field(default_factory=Reservations)

    def choose(self, part: str, variable: str, usual: int = 0) -> int:
        """The port for a part, held from now on; PartError when the one that is set is taken."""
        fixed = getattr(self.settings, variable.lower())
        if not fixed:
            return self.reservations.reserve_any(self._last(part), usual)
        if not self.reservations.reserve(fixed):
            raise _taken(fixed, variable)
        return int(fixed)

    def _last(self, part: str) -> int:
        known = self.last.part(part) if self.last else None
        tail = known.address.rpartition(":")[2] if known else ""
        return int(tail) if tail.isdigit() else 0


def refuse_taken_ports(settings: StackSettings) -> None:
    """Say which of the ports that are set is taken, before anything starts."""
    for name, port in settings.model_dump().items():
        if name.endswith("_port") and port and not port_is_free(port):
            raise _taken(port, name.upper())


def _taken(port: int, variable: str) -> PartError:
    return PartError(
        f"port {port} of {variable} is taken by another process. Set {variable} to another one, "
        f"leave it out for a free one, or end what listens there.",
    )


def make_kafka(layout: Layout, ports: Ports, cancel: Event) -> KafkaBroker | None:
    """The embedded broker, unless one is given."""
    if ports.settings.kafka_bootstrap_servers:
        return None
    return KafkaBroker(layout.kafka, port=ports.choose("kafka", "KAFKA_PORT"), cancel=cancel)


def make_postgres(layout: Layout, ports: Ports, cancel: Event) -> PostgresServer | None:
    """The embedded database server, unless one is given."""
    if ports.settings.database_url:
        return None
    return PostgresServer(layout.postgres, port=ports.choose("postgres", "POSTGRES_PORT"), cancel=cancel)


def choose_service_ports(ports: Ports) -> dict[ServiceSpec, int]:
    """The port of every service, 0 for one that does not listen; PartError when one that is set is taken."""
    return {
        spec: ports.choose(spec.name, spec.port_variable, spec.usual_port) if spec.port_variable else 0
        for spec in SERVICES
    }


def make_services(
    layout: Layout, chosen: Mapping[ServiceSpec, int], environment: Mapping[str, str], cancel: Event
) -> list[Service]:
    """The services, each knowing every port."""
    own_ports = {spec.port_variable: str(port) for spec, port in chosen.items() if spec.port_variable}
    whole = {"PYTHONUNBUFFERED": "1", **development_defaults(environment), **environment, **own_ports}
    return [
        Service(spec, port, whole, service_process(layout, spec.name, cancel))
        for spec, port in chosen.items()
    ]


def service_process(layout: Layout, name: str, cancel: Event) -> ServerProcess:
    """The process of one service, running in the project's folder."""
    return ServerProcess(
        name=name,
        log=layout.logs / f"{name}.log",
        mark_file=layout.logs / f"{name}.process.json",
        folder=layout.root,
        cancel=cancel,
    )


def development_defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """API keys are asked for only when some are set: the embedded stack listens on this machine alone."""
    return {
        f"{service}_AUTH": "off"
        for service in ("INGEST", "ANALYTICS")
        if not environment.get(f"{service}_API_KEYS")
    }


def client_addresses(services: list[Service], kafka: str, database: str) -> dict[str, str]:
    """What a client of the stack needs to know, by the names of its environment variables."""
    by_name = {service.name: service.address for service in services}
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": database,
        "GATEWAY_URL": by_name["gateway"],
        "ANALYTICS_URL": by_name["analytics"],
    }


def run_task(layout: Layout, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run one `loanpulse` command to its end; PartError with what it said when it fails."""
    command = [sys.executable, loanpulse_command(), *arguments]
    told = layout.logs / f"{name}.log"
    told.parent.mkdir(parents=True, exist_ok=True)
    with told.open("wb") as output:
        try:
            done = subprocess.run(
                command,
                env=dict(environment),
                cwd=layout.root,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=_TASK_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise PartError(f"`loanpulse {name}` had not ended after {_TASK_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        raise PartError(f"`loanpulse {' '.join(arguments)}` failed:\n{last_lines(told)}")


def loanpulse_command() -> str:
    """The path of the installed `loanpulse` command."""
    return str(Path(sysconfig.get_path("scripts")) / "loanpulse")
