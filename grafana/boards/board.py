"""A board from its panels: laid out, numbered, and cleaned of what the SDK forces on it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from grafana.boards.panels import Panel
from grafana.boards.variables import Variable

GRID = 24
REFRESH = "10s"
_INTERVALS = ["5s", "10s", "30s", "1m", "5m"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """What a board is made of; panels stand in reading order, left to right, line by line."""

    uid: str
    title: str
    description: str
    tags: Sequence[str]
    since: str
    variables: Sequence[Variable]
    panels: Sequence[Panel]


def render(spec: BoardSpec) -> str:
    """The board's file: the same bytes each time."""
    document = json.loads(json.dumps(_build(spec), cls=JSONEncoder))
    _drop_forced_placement(document)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def panel_id(slug: str) -> int:
    """A number that stays when panels come, go or move."""
    return 1000 + zlib.crc32(slug.encode()) % 9000


def _build(spec: BoardSpec) -> models.Dashboard:
    board = (
        builders.Dashboard(spec.title)
        .uid(spec.uid)
        .description(spec.description)
        .tags(["loanpulse", *spec.tags])
        .timezone("utc")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time(spec.since, "now")
        .refresh(REFRESH)
        .timepicker(builders.TimePicker().refresh_intervals(_INTERVALS))
        .link(_other_boards())
    )
    for variable in spec.variables:
        board.with_variable(variable)
    for panel, position in _positions(spec.panels):
        board.with_panel(panel.builder.id(panel_id(panel.slug)).grid_pos(position))
    return board.build()


def _positions(panels: Sequence[Panel]) -> list[tuple[Panel, models.GridPos]]:
    placed, x, y, line_height = [], 0, 0, 0
    for panel in panels:
        if x + panel.width > GRID:
            x, y, line_height = 0, y + line_height, 0
        placed.append((panel, models.GridPos(x=x, y=y, w=panel.width, h=panel.height)))
        x, line_height = x + panel.width, max(line_height, panel.height)
    return placed


def _other_boards() -> builders.DashboardLink:
    link = builders.DashboardLink("Boards").type(models.DashboardLinkType.DASHBOARDS).tags(["loanpulse"])
    return link.as_dropdown(as_dropdown=True).include_vars(include_vars=True).keep_time(keep_time=True)


def _drop_forced_placement(document: dict[str, Any]) -> None:
    # The SDK puts links and annotations into the controls menu, where Grafana 12.3 and later hide them.
    for item in [*document.get("links", []), *document.get("annotations", {}).get("list", [])]:
        item.pop("placement", None)
