"""Keeps the stack up: starts its parts in order, restarts what dies, stops all in reverse."""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from embedded import startup
from embedded.failures import PartError, last_lines
from embedded.layout import Layout, PartState, Phase, StackState, read_state, write_state
from embedded.logs import trim_log
from embedded.ports import Reservations
from embedded.processes import ProcessMark
from embedded.settings import StackSettings, child_environment

if TYPE_CHECKING:
    from embedded.services import Part, Service

log = logging.getLogger("supervisor")

_WATCH_EVERY_S = 0.5
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SETTLED_S = 60.0  # a part that ran this long begins its backoff anew


@dataclass(slots=True, kw_only=True)
class Watched:
    """A part under watch."""

    part: Part
    restarts: int = 0
    attempt: int = 0
    started_at: float = 0.0
    retry_at: float = 0.0
    problem: str = ""

    def state(self) -> PartState:
        """How it is now, for the state file."""
        pid = self.part.pid
        return PartState(
            name=self.part.name,
            address=self.part.address,
            log=str(self.part.log),
            process=ProcessMark.of(pid) if pid else None,
            restarts=self.restarts,
            problem=self.problem,
        )


class Supervisor:
    """One run of the stack, from start to stop, in a process of its own."""

    def __init__(self, layout: Layout, owner: ProcessMark | None = None) -> None:
        """Nothing starts here; with an owner the stack lives only as long as that process does."""
        self._layout = layout
        self._owner = owner
        self._cancel = Event()
        self._reservations = Reservations()
        self._watched: list[Watched] = []
        self._services: list[Service] = []
        self._given: list[PartState] = []
        self._last = read_state(layout.stack_file)
        self._state = StackState(phase=Phase.STARTING, supervisor=ProcessMark.of(os.getpid()))

    def run(self) -> int:
        """Run until told to stop; the exit status is 1 when a part did not start."""
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, lambda *_: self._cancel.set())
        final, problem = Phase.STOPPED, ""
        try:
            self._start()
            self._watch()
        except PartError as error:
            log.error("%s", error)  # noqa: TRY400  the text is written for people; a traceback would hide it
            if not self._cancel.is_set():
                final, problem = Phase.FAILED, str(error)
        finally:
            self._stop()
            self._tell(final, problem)
        return int(final is Phase.FAILED)

    def _start(self) -> None:
        settings = StackSettings()
        startup.refuse_taken_ports(settings)
        environment = child_environment(self._layout.root)
        ports = startup.Ports(settings=settings, last=self._last, reservations=self._reservations)
        database_url = self._start_postgres(ports)
        environment |= {"DATABASE_URL": database_url}
        self._task("migrate", "--roles", str(self._layout.root / "infra/postgres/roles.sql"), env=environment)
        bootstrap_servers = self._start_kafka(ports)
        environment |= {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers}
        self._task("topics", "create", env=environment)
        service_ports = startup.choose_service_ports(ports)
        services = startup.make_services(self._layout, service_ports, environment, self._cancel)
        addresses = startup.client_addresses(services, bootstrap_servers, database_url)
        self._state = replace(self._state, addresses=addresses)
        self._start_services(services)
        self._tell(Phase.READY)

    def _start_postgres(self, ports: startup.Ports) -> str:
        server = startup.make_postgres(self._layout, ports, self._cancel)
        if server is None:
            return self._take_given("postgres", str(ports.settings.database_url))
        moved = "" if server.folder == self._layout.postgres else f" (root's data lies in {server.folder})"
        self._tell(Phase.STARTING, f"starting PostgreSQL{moved}")
        self._begin(server)
        server.ensure_database(startup.DATABASE)
        return server.dsn(startup.DATABASE)

    def _start_kafka(self, ports: startup.Ports) -> str:
        broker = startup.make_kafka(self._layout, ports, self._cancel)
        if broker is None:
            return self._take_given("kafka", str(ports.settings.kafka_bootstrap_servers))
        self._tell(Phase.STARTING, "starting Apache Kafka (the first time its jars are fetched, 44 MB)")
        self._begin(broker)
        return broker.bootstrap_servers

    def _start_services(self, services: list[Service]) -> None:
        self._services = services
        self._tell(Phase.STARTING, "starting " + ", ".join(service.name for service in services))
        for service in services:
            service.end_leftover()
            self._begin(service)
        for service in services:
            service.wait()
            log.info("%s is well: %s", service.name, service.address)
            self._tell(Phase.STARTING, f"{service.name} is well: {service.address}")

    def _begin(self, part: Part) -> None:
        watched = Watched(part=part, started_at=time.monotonic())
        self._watched.append(watched)
        part.start()
        log.info("%s started: pid %s, %s", part.name, part.pid, part.address)
        self._tell(self._state.phase, self._state.doing)

    def _take_given(self, name: str, address: str) -> str:
        shown = address.rpartition("@")[2] or address  # without the password
        self._given.append(PartState(name=name, address=shown, given=True))
        log.info("%s is given: %s", name, shown)
        return address

    def _task(self, *arguments: str, env: dict[str, str]) -> None:
        if self._cancel.is_set():
            raise PartError("told to stop while starting")
        self._tell(Phase.STARTING, f"loanpulse {arguments[0]}")
        startup.run_task(self._layout, arguments[0], list(arguments), env)

    def _watch(self) -> None:
        while not self._cancel.wait(_WATCH_EVERY_S):
            if self._owner and not self._owner.alive():
                log.info("the process this stack was started for has ended")
                return
            changed = [self._look_after(watched) for watched in self._watched]
            for watched in self._watched:
                trim_log(watched.part.log)
            if any(changed):
                self._tell(Phase.READY)

    def _look_after(self, watched: Watched) -> bool:
        now = time.monotonic()
        if watched.part.running:
            settled = watched.attempt and now - watched.started_at > _SETTLED_S
            watched.attempt = 0 if settled else watched.attempt
            return False
        if not watched.retry_at:
            watched.retry_at = now + _BACKOFF_S[min(watched.attempt, len(_BACKOFF_S) - 1)]
            end_of_log = last_lines(watched.part.log)
            watched.problem = f"ended by itself; the end of {watched.part.log}:\n{end_of_log}"
            log.warning("%s %s", watched.part.name, watched.problem)
            return True
        if now < watched.retry_at:
            return False
        self._restart(watched, now)
        return True

    def _restart(self, watched: Watched, now: float) -> None:
        watched.attempt += 1
        watched.retry_at = 0.0
        watched.started_at = now
        try:
            watched.part.start()
        except PartError as error:
            watched.problem = str(error)
            log.warning("%s could not be started again: %s", watched.part.name, error)
            return
        watched.restarts += 1
        watched.problem = ""
        log.warning("%s started again: pid %s", watched.part.name, watched.part.pid)

    def _stop(self) -> None:
        # Services first and together, so that they still find what they talk to; the database last.
        for service in self._services:
            service.ask_to_stop()
        for watched in reversed(self._watched):
            self._tell(Phase.STOPPING, f"stopping {watched.part.name}")
            watched.part.stop()
            log.info("%s stopped", watched.part.name)

    def _tell(self, phase: Phase, doing: str = "") -> None:
        parts = (*self._given, *(watched.state() for watched in self._watched))
        self._state = replace(self._state, phase=phase, doing=doing, parts=parts)
        write_state(self._layout.stack_file, self._state)
