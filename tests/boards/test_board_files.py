"""Rules that every committed board keeps."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import units

from analytics_api.board_viewer.macros import variable_names
from grafana.boards.board import panel_id
from grafana.boards.generate import differing
from tests.boards.conftest import DOCUMENTS

KINDS = {"stat", "timeseries", "trend", "barchart", "bargauge", "table"}
UNITS = {value for name, value in vars(units).items() if name[0].isupper()} | {"string", "none", "short"}
OWN_UNITS = re.compile(r"^(suffix: \S+|prefix: \S+|time:[YMDHms:.-]+)$")
PERSONAL = re.compile(r"borrower|first_name|last_name|birth|gender|phone|email|address|income", re.IGNORECASE)
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "lp-postgres"}
GRID = 24


def panels_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(document["panels"])


def settings_of(panel: dict[str, Any]) -> list[tuple[str, Any]]:
    config = panel["fieldConfig"]
    overridden = [(item["id"], item["value"]) for rule in config["overrides"] for item in rule["properties"]]
    return [*config["defaults"].items(), *overridden]


def test_the_committed_files_are_what_the_source_generates() -> None:
    assert differing() == []


def test_the_sdk_reads_each_board_back(document: dict[str, Any]) -> None:
    board = models.Dashboard.from_json(document)
    assert (board.uid, board.schema_version, board.editable) == (document["uid"], 42, False)


def test_every_panel_says_its_question_and_its_source(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        question, _, source = panel["description"].partition("\n\nSource: ")
        assert panel["title"], panel["id"]
        assert question.rstrip(".").count("?") >= 1, panel["title"]
        assert source.startswith("reporting."), panel["title"]


def test_every_panel_is_of_a_kind_that_both_renderers_draw(document: dict[str, Any]) -> None:
    assert {panel["type"] for panel in panels_of(document)} <= KINDS


def test_every_unit_is_one_that_grafana_knows(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        assert "unit" in panel["fieldConfig"]["defaults"], panel["title"]
        for name, value in settings_of(panel):
            assert name != "unit" or value in UNITS or OWN_UNITS.match(value), (panel["title"], value)


def test_every_panel_asks_the_one_data_source_by_its_fixed_uid(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        assert panel["datasource"] == POSTGRES
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == POSTGRES
            assert (target["rawQuery"], target["editorMode"]) == (True, "code")
            assert target["rawSql"].strip()


def test_panel_ids_are_unique_and_follow_from_the_names(document: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in panels_of(document)]
    assert len(set(ids)) == len(ids)
    assert all(1000 <= number < 10_000 for number in ids)
    assert panel_id("today/par30") == panel_id("today/par30") != panel_id("portfolio/par30")


def test_board_uids_are_unique_short_and_the_files_names() -> None:
    uids = [document["uid"] for document in DOCUMENTS.values()]
    assert uids == sorted(DOCUMENTS)
    assert all(re.fullmatch(r"lp-[a-z]{3,20}", uid) for uid in uids)


def test_panels_neither_overlap_nor_leave_gaps(document: dict[str, Any]) -> None:
    cells: Counter[tuple[int, int]] = Counter()
    bottom = 0
    for panel in panels_of(document):
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= GRID
        bottom = max(bottom, at["y"] + at["h"])
        cells.update(
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        )
    assert set(cells.values()) == {1}
    assert len(cells) == GRID * bottom


def test_thresholds_start_open_and_rise(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        for name, value in settings_of(panel):
            if name == "thresholds":
                levels = [step["value"] for step in value["steps"]]
                assert levels[0] is None, panel["title"]
                assert all(low < high for low, high in pairwise(levels[1:])), panel["title"]


def test_links_lead_to_boards_and_variables_that_exist(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        columns = " ".join(target["rawSql"] for target in panel["targets"])
        for name, value in settings_of(panel):
            for link in value if name == "links" else ():
                uid, _, query = link["url"].removeprefix("/d/").partition("?")
                known = {item["name"] for item in DOCUMENTS[uid]["templating"]["list"]}
                assert set(re.findall(r"var-(\w+)=", query)) <= known
                assert variable_names(link["url"]) <= {
                    item["name"] for item in document["templating"]["list"]
                } | {"__data"}
                for field in re.findall(r"__data\.fields\.(\w+)", link["url"]):
                    assert f'AS "{field}"' in columns, (panel["title"], field)


def test_texts_and_queries_use_variables_that_exist_and_in_their_order(document: dict[str, Any]) -> None:
    earlier: set[str] = set()
    for variable in document["templating"]["list"]:
        assert variable_names(str(variable.get("query", ""))) <= earlier, variable["name"]
        earlier.add(variable["name"])
    for panel in panels_of(document):
        assert variable_names(panel["title"]) <= earlier
        for target in panel["targets"]:
            assert variable_names(target["rawSql"]) <= earlier


def test_overrides_name_columns_of_their_query(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        text = " ".join(target["rawSql"] for target in panel["targets"])
        for rule in panel["fieldConfig"]["overrides"]:
            assert rule["matcher"]["id"] == "byName"
            assert f'AS "{rule["matcher"]["options"]}"' in text, (panel["title"], rule["matcher"]["options"])


def test_queries_name_their_columns_and_order_what_is_drawn_along_an_axis(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        for target in panel["targets"]:
            sql = target["rawSql"]
            assert not re.search(r"\bSELECT\s+\*", sql, re.IGNORECASE), panel["title"]
            if target["format"] == "time_series":
                assert re.search(r'AS "time"', sql)
                assert "$__timeFilter" in sql
            if target["format"] == "time_series" or panel["type"] in {"trend", "barchart"}:
                assert "ORDER BY" in sql, panel["title"]


def test_no_board_asks_for_what_names_a_person(document: dict[str, Any]) -> None:
    for panel in panels_of(document):
        for target in panel["targets"]:
            assert not PERSONAL.search(target["rawSql"]), panel["title"]


def test_values_enter_queries_quoted_by_grafana_alone(document: dict[str, Any]) -> None:
    texts = [target["rawSql"] for panel in panels_of(document) for target in panel["targets"]]
    texts += [str(variable.get("query", "")) for variable in document["templating"]["list"]]
    for text in texts:
        bare = re.sub(r"\$\{\w+:sqlstring\}|\$__\w+\([^)]*\)", "", text)
        assert "$" not in bare, text


def test_boards_are_tagged_live_in_utc_and_linked_to_each_other(document: dict[str, Any]) -> None:
    assert "loanpulse" in document["tags"]
    assert (document["refresh"], document["timezone"], document["graphTooltip"]) == ("10s", "utc", 1)
    (link,) = document["links"]
    assert (link["type"], link["tags"], link["includeVars"], link["keepTime"]) == (
        "dashboards",
        ["loanpulse"],
        True,
        True,
    )
    assert "placement" not in link  # newer Grafana would hide it in a menu


def test_every_board_says_how_old_its_data_are(document: dict[str, Any]) -> None:
    ages = [panel for panel in panels_of(document) if panel["title"] == "Data as of"]
    assert len(ages) == 1
    assert ages[0]["fieldConfig"]["defaults"]["unit"] == "s"


def test_variables_are_loaded_anew_with_the_range_and_keep_all_as_a_real_list(
    document: dict[str, Any],
) -> None:
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["refresh"] == 2, variable["name"]
            assert "allValue" not in variable


@pytest.mark.parametrize("uid", sorted(DOCUMENTS))
def test_amounts_show_their_currency_in_the_title(uid: str) -> None:
    for panel in panels_of(DOCUMENTS[uid]):
        money = re.search(
            r"\b(principal|due|cash|amount|overdue|outstanding)\)?(, 0\))? AS ", panel["targets"][0]["rawSql"]
        )
        counted = panel["fieldConfig"]["defaults"]["unit"] in {"percentunit", "s", "string", "suffix: d"}
        if money and not counted and panel["type"] in {"stat", "barchart", "timeseries"}:
            assert "$currency" in panel["title"], panel["title"]
