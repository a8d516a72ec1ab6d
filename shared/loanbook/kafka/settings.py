"""How a client reaches Kafka and how it behaves there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiokafka.helpers import create_ssl_context


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Everything a consumer or a producer must be told."""

    bootstrap_servers: str
    client_id: str = "loanpulse"

    session_timeout: timedelta = timedelta(seconds=10)
    heartbeat_interval: timedelta = timedelta(seconds=3)
    rebalance_timeout: timedelta = timedelta(seconds=30)
    request_timeout: timedelta = timedelta(seconds=30)
    max_poll_records: int = 10_000
    max_partition_fetch_bytes: int = 1_048_576
    fetch_min_bytes: int = 1
    fetch_max_wait: timedelta = timedelta(milliseconds=500)
    """How long the broker waits for so many bytes: what nobody is in a hurry for comes in larger fetches."""
    buffered_fetches: int = 1
    commit_interval: timedelta = timedelta(seconds=3)
    """Kafka's own committed offsets are advisory: they show a group's lag to Kafka's tools."""
    connect_timeout: timedelta = timedelta(seconds=60)
    """How long a worker that starts waits for a broker that is not there yet."""
    stop_timeout: timedelta = timedelta(seconds=20)
    """The hard limit of an orderly stop; past it the process ends as it is."""
    stall_timeout: timedelta = timedelta(seconds=60)
    """The watchdog ends a worker that has lag and acks nothing for so long."""
    data_dir: Path | None = None
    """Faust's own folder; nothing of worth is kept there. None makes a temporary one."""

    security_protocol: str = "PLAINTEXT"
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return what every aiokafka client is given: where the brokers are and who we are."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": settings.client_id,
        "request_timeout_ms": milliseconds(settings.request_timeout),
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol in {"SSL", "SASL_SSL"}:
        options["ssl_context"] = create_ssl_context(
            cafile=_text(settings.ssl_cafile),
            certfile=_text(settings.ssl_certfile),
            keyfile=_text(settings.ssl_keyfile),
        )
    if settings.security_protocol.startswith("SASL_"):
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = settings.sasl_password
    return options


def milliseconds(duration: timedelta) -> int:
    """Return a duration the way Kafka's clients want it."""
    return duration // timedelta(milliseconds=1)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
