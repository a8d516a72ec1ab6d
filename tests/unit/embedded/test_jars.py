from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from embedded import jars
from embedded.failures import PartError


def a_folder(folder: Path, **contents: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.jar").write_bytes(content)
    return folder


def pins_of(**contents: bytes) -> dict[str, str]:
    return {f"{name}.jar": hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def test_every_jar_of_the_release_is_pinned() -> None:
    pins = jars.read_pins()
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in pins
    assert f"kafka-clients-{jars.KAFKA_VERSION}.jar" in pins
    assert len(pins) == 46
    assert all(len(digest) == 64 for digest in pins.values())


def test_the_pinned_jars_pass(tmp_path: Path) -> None:
    jars.check_jars(a_folder(tmp_path, a=b"1", b=b"2"), pins_of(a=b"1", b=b"2"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jar", "b.jar"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"a": b"1"}, "missing: b.jar"),
        ({"a": b"1", "b": b"2", "c": b"3"}, "not listed: c.jar"),
        ({"a": b"1", "b": b"changed"}, "checksum differs: b.jar"),
    ],
)
def test_a_jar_that_is_missing_foreign_or_changed_is_named(
    tmp_path: Path, found: dict[str, bytes], told: str
) -> None:
    with pytest.raises(jars.JarMismatchError, match=told):
        jars.check_jars(a_folder(tmp_path, **found), pins_of(a=b"1", b=b"2"))


def test_jars_that_were_changed_after_they_were_fetched_are_refused(tmp_path: Path) -> None:
    a_folder(tmp_path / f"kafka-{jars.KAFKA_VERSION}", a=b"1")
    with pytest.raises(jars.JarMismatchError, match="Remove that folder"):
        jars.kafka_jars(tmp_path)


def test_without_a_network_the_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: Path) -> list[Path]:
        raise OSError("network is unreachable")

    monkeypatch.setattr(jars, "_resolve_once", unreachable)
    with pytest.raises(PartError, match=r"(?s)network is unreachable.*LOANPULSE_MAVEN_URL.*KAFKA_BOOTSTRAP"):
        jars.kafka_jars(tmp_path)
    assert not (tmp_path / f"kafka-{jars.KAFKA_VERSION}").exists()


def test_a_download_that_was_tampered_with_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = a_folder(tmp_path / "forged", kafka=b"forged")
    monkeypatch.setattr(jars, "_resolve_once", lambda _: list(forged.iterdir()))
    with pytest.raises(jars.JarMismatchError):
        jars.kafka_jars(tmp_path / "cache")
    assert not (tmp_path / "cache" / f"kafka-{jars.KAFKA_VERSION}").exists()
