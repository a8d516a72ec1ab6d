"""Grafana gets everything from files, and the files agree with each other."""

from __future__ import annotations

import configparser
import re
from typing import Any

import yaml

from tests.boards.conftest import DOCUMENTS, ROOT

GRAFANA = ROOT / "grafana"
INTERFACE = re.compile(r"/api/dashboards|/api/datasources|/api/v1/provisioning|grafana_client")


def provisioned(kind: str) -> dict[str, Any]:
    (file,) = (GRAFANA / "provisioning" / kind).glob("*.yaml")
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def test_the_boards_data_source_is_provisioned_under_its_fixed_uid() -> None:
    document = provisioned("datasources")
    assert document["apiVersion"] == 1
    used = {
        (panel["datasource"]["type"], panel["datasource"]["uid"])
        for board in DOCUMENTS.values()
        for panel in board["panels"]
    }
    assert used == {(source["type"], source["uid"]) for source in document["datasources"]}


def test_the_data_source_reads_as_grafana_ro_and_names_its_database_where_newer_grafana_looks() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert source["user"] == "grafana_ro"
    assert source["editable"] is False
    assert "database" in source["jsonData"]
    assert "database" not in source
    assert source["secureJsonData"] == {"password": "$LOANPULSE_GRAFANA_RO_PASSWORD"}


def test_the_boards_folder_is_provisioned_and_closed_to_changes() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    assert (provider["allowUiUpdates"], provider["disableDeletion"], provider["type"]) == (
        False,
        True,
        "file",
    )


def test_the_home_board_is_one_of_ours_and_refreshes_no_faster_than_allowed() -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(GRAFANA / "grafana.ini", encoding="utf-8")
    home = settings["dashboards"]["default_home_dashboard_path"]
    assert home.rsplit("/", 1)[1].removesuffix(".json") in DOCUMENTS
    (provider,) = provisioned("dashboards")["providers"]
    assert home.rsplit("/", 1)[0] == provider["options"]["path"]
    assert settings["dashboards"]["min_refresh_interval"] == "5s"


def test_nothing_in_the_project_speaks_to_grafanas_interface() -> None:
    for folder in ("grafana", "infra", "services", "shared"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in {".py", ".yaml", ".yml", ".sh", ".ini", ".js"} and "vendor" not in file.parts:
                assert not INTERFACE.search(file.read_text(encoding="utf-8")), file
