"""Settings: closed unless open is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from analytics_api.settings import AnalyticsSettings


def read() -> AnalyticsSettings:
    return AnalyticsSettings()  # type: ignore[call-arg]  # from the environment


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/loanpulse")
    for name in ("ANALYTICS_AUTH", "ANALYTICS_API_KEYS", "ANALYTICS_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_keys_nothing_starts() -> None:
    with pytest.raises(ValidationError, match="ANALYTICS_API_KEYS"):
        read()


def test_development_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_AUTH", "off")
    assert read().api_keys == ()


def test_keys_are_digests_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_API_KEYS", f"{'A' * 64}, {'b' * 64},")
    assert read().api_keys == ("a" * 64, "b" * 64)


def test_a_key_in_clear_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_API_KEYS", "my-secret-key")
    with pytest.raises(ValidationError, match="SHA-256") as refused:
        read()
    assert all("my-secret-key" not in str(item["msg"]) for item in refused.value.errors())


def test_the_address_of_the_database_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_AUTH", "off")
    assert "somewhere" not in repr(read())


def test_durations_are_read_as_iso(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_AUTH", "off")
    monkeypatch.setenv("ANALYTICS_REFRESH_INTERVAL", "PT5S")
    assert read().refresh_interval == timedelta(seconds=5)
