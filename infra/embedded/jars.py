"""Apache Kafka's jars: fetched once from Maven Central, held to the checksums committed beside this file."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.failures import PartError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KAFKA_VERSION = "4.3.1"
# The second one lets Kafka's log be written at all; its version is that of the log4j which Kafka brings, and
# the exclamation mark keeps its own list of versions from overruling Kafka's.
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
PINS = Path(__file__).with_name("kafka_jars.sha256")
MIRROR_VARIABLE = "LOANPULSE_MAVEN_URL"
_DOWNLOAD_TIMEOUT_S = 60
_TRIES = 3


class JarMismatchError(PartError):
    """A jar is missing, unexpected, or not the one whose checksum is committed."""


def read_pins(path: Path = PINS) -> dict[str, str]:
    """File name to SHA-256, from a file in the form of `sha256sum`."""
    pairs = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def check_jars(folder: Path, pins: dict[str, str]) -> None:
    """Refuse a folder whose jars are not exactly the pinned ones."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    missing = sorted(pins.keys() - found.keys())
    foreign = sorted(found.keys() - pins.keys())
    changed = sorted(name for name in pins.keys() & found.keys() if pins[name] != found[name])
    if not (missing or foreign or changed):
        return
    told = "; ".join(
        f"{what}: {', '.join(names)}"
        for what, names in (("missing", missing), ("not listed", foreign), ("checksum differs", changed))
        if names
    )
    raise JarMismatchError(
        f"Kafka's jars in {folder} are not the ones this release was tested with ({told}).\n"
        f"Remove that folder and start again, so that they are fetched anew; if it happens again, "
        f"what the repository serves is not what {PINS.name} names, and it should not be run.",
    )


def kafka_jars(cache: Path) -> Path:
    """The folder that holds the checked jars of Apache Kafka, fetched at the first call."""
    folder = cache / f"kafka-{KAFKA_VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / ".lock"):
        if not folder.exists():
            _fetch_into(folder, cache / "download")
        check_jars(folder, read_pins())
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Two starts at once fetch the jars once; the lock goes with the process, even a killed one.
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_into(folder: Path, work: Path) -> None:
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for jar in _resolve(work):
        shutil.copyfile(jar, fresh / Path(jar).name)
    check_jars(fresh, read_pins())
    fresh.rename(folder)
    shutil.rmtree(work, ignore_errors=True)


def _resolve(work: Path) -> Iterable[Path]:
    failure: OSError | RuntimeError | ValueError | None = None
    for _ in range(_TRIES):  # what one try fetched is kept for the next
        try:
            return _resolve_once(work)
        except (OSError, RuntimeError, ValueError) as error:
            failure = error
    raise PartError(
        f"Kafka's jars ({ENDPOINT}, 44 MB, needed once) could not be fetched: {failure}\n"
        f"Check the network or the proxy (HTTPS_PROXY), name a mirror of Maven Central in {MIRROR_VARIABLE}, "
        f"or set KAFKA_BOOTSTRAP_SERVERS to a Kafka of your own.",
    ) from failure


def _resolve_once(work: Path) -> list[Path]:
    with warnings.catch_warnings():
        # jgo's own dependencies warn at import about desktop folders that a server has not.
        warnings.simplefilter("ignore")
        from jgo.env import EnvironmentBuilder  # noqa: PLC0415
        from jgo.maven import MavenContext  # noqa: PLC0415

        mirror = os.environ.get(MIRROR_VARIABLE)
        context = MavenContext(
            repo_cache=work / "repository",
            remote_repos={"central": mirror} if mirror else None,
            timeout=_DOWNLOAD_TIMEOUT_S,
        )
        builder = EnvironmentBuilder(context=context, cache_dir=work / "environment")
        return [Path(jar) for jar in builder.from_endpoint(ENDPOINT).all_jars]
