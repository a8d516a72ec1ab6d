"""Settings of the ingest worker, read from the environment in `__main__` only."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from loanbook.kafka.settings import KafkaSettings

CACHE_TERMS = 100_000


class WorkerSettings(BaseSettings):
    """How the worker reaches its parts, and how much it takes at once."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore")

    database_url: str = Field(validation_alias="DATABASE_URL")
    kafka_bootstrap_servers: str = Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    worker_host: str = "127.0.0.1"
    worker_port: int = 8082
    group: str = "loanpulse-ingest"
    lanes: int = 2  # transactions side by side: Python overlaps Postgres
    batch_records: int = 5_000  # target of a transaction
    inbox_records: int = 12_000  # decoded records that may wait before more are fetched
    cache_events: int = 10_000  # events of recently folded loans kept in memory; about 3 kB each
    cache_terms: int = CACHE_TERMS  # loans whose id and plan are kept in memory; about half a kilobyte each
    merge_rows: int = 10_000  # differences that may wait to be merged; of the cash of days four times as many
    merge_every: timedelta = timedelta(seconds=10)  # whatever waits is merged by then
    retry_wait_max: timedelta = timedelta(seconds=5)
    dead_share_max: float = 0.5  # over it, in at least `dead_window` records, the partition stops
    dead_window: int = 200
    session_timeout: timedelta = timedelta(seconds=10)

    @property
    def few_records(self) -> int:
        """Records below which a fetch is small: it is applied before the next."""
        return self.batch_records // 10

    def kafka(self) -> KafkaSettings:
        """The Kafka part of the settings."""
        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            client_id="loanpulse-ingest",
            session_timeout=self.session_timeout,
        )
