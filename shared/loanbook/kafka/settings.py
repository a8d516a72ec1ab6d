"""How a client reaches Kafka and how it behaves there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Everything a consumer or a producer must be told."""

    bootstrap_servers: str
    client_id: str = "loanpulse"

    session_timeout: timedelta = timedelta(seconds=10)
    heartbeat_interval: timedelta = timedelta(seconds=3)
    request_timeout: timedelta = timedelta(seconds=30)
    max_poll_records: int = 10_000
    buffered_batches: int = 8
    commit_interval: timedelta = timedelta(seconds=3)
    """Kafka's own committed offsets are advisory: a group's lag as its tools show it."""
    stop_timeout: timedelta = timedelta(seconds=20)
    data_dir: Path | None = None
    """Faust's own folder; nothing of worth is kept there. None makes a temporary one."""

    security_protocol: str = "PLAINTEXT"
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
