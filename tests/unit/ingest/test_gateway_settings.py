"""The gateway does not start half-guarded."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from ingest.gateway import run_gateway
from ingest.gateway_auth import RateLimit, read_api_keys
from ingest.gateway_settings import GatewaySettings
from loanbook.domain.errors import FatalError


def test_keys_must_be_given_or_turned_off_in_so_many_words() -> None:
    with pytest.raises(ValidationError, match="INGEST_AUTH=off"):
        GatewaySettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": "k:9092"})
    assert GatewaySettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": "k:9092", "auth": "off"}).keys() is None


def test_a_key_instead_of_its_digest_is_refused_and_not_shown() -> None:
    good = hashlib.sha256(b"x").hexdigest()
    with pytest.raises(ValueError, match="API key 2 is no SHA-256 digest") as caught:
        read_api_keys(f"{good},my-secret-key")
    assert "my-secret-key" not in str(caught.value)


def test_digests_are_not_shown_where_settings_are_printed() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    assert digest not in repr(read_api_keys(digest))


def test_wrong_settings_stop_the_start_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("INGEST_AUTH", "maybe")
    with pytest.raises(FatalError, match=r"KAFKA_BOOTSTRAP_SERVERS: .*; auth: "):
        run_gateway()


def test_a_bucket_fills_again_with_time() -> None:
    caller = read_api_keys(hashlib.sha256(b"x").hexdigest()).caller_of("x")
    assert caller is not None
    limit = RateLimit(per_second=10, burst=20)
    assert [limit.wait_s(caller, 20, 0.0), limit.wait_s(caller, 10, 0.0)] == [0, 1]
    assert limit.wait_s(caller, 10, 1.0) == 0
    assert limit.wait_s(caller, 100, 1.0) == 10
