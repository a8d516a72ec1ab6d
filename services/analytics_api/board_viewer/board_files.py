"""The committed Grafana board files, as far as the viewer needs to know them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_VARIABLE_TYPES = ("query", "custom", "textbox")


class BoardFileError(ValueError):
    """A board file is not what Grafana would load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A control above the board; `query` is SQL, a list of values, or the textbox's first value."""

    name: str
    kind: str
    query: str
    multi: bool
    include_all: bool
    preset: str | None  # what a list of values starts with


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One query of a panel."""

    ref_id: str
    sql: str
    is_time_series: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture of a board."""

    panel_id: int
    title: str
    kind: str
    interval: str | None
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board with the JSON that Grafana reads."""

    uid: str
    title: str
    tags: tuple[str, ...]
    document: dict[str, Any] = field(repr=False)
    variables: tuple[Variable, ...]
    panels: dict[int, Panel]


def read_boards(folder: Path) -> dict[str, Board]:
    """All boards of a folder by uid; raises BoardFileError."""
    boards: dict[str, Board] = {}
    for file in sorted(folder.glob("*.json")):
        board = parse_board(json.loads(file.read_text(encoding="utf-8")))
        if board.uid in boards:
            msg = f"{file.name}: the uid {board.uid} is taken"
            raise BoardFileError(msg)
        boards[board.uid] = board
    if not boards:
        msg = f"no board files in {folder}"
        raise BoardFileError(msg)
    return boards


def parse_board(document: dict[str, Any]) -> Board:
    """A board from its JSON; raises BoardFileError."""
    try:
        return Board(
            uid=document["uid"],
            title=document["title"],
            tags=tuple(document.get("tags", ())),
            document=document,
            variables=tuple(map(_variable, document.get("templating", {}).get("list", ()))),
            panels={panel.panel_id: panel for panel in _panels(document.get("panels", ()))},
        )
    except KeyError as missing:
        msg = f"the board lacks {missing}"
        raise BoardFileError(msg) from missing


def _variable(item: dict[str, Any]) -> Variable:
    if item["type"] not in _VARIABLE_TYPES:
        msg = f"variable {item['name']}: the type {item['type']} is not drawn"
        raise BoardFileError(msg)
    return Variable(
        name=item["name"],
        kind=item["type"],
        query=item.get("query", ""),
        multi=item.get("multi", False),
        include_all=item.get("includeAll", False),
        preset=item.get("current", {}).get("value") if item["type"] == "custom" else None,
    )


def _panels(items: list[dict[str, Any]]) -> Iterator[Panel]:
    for item in items:
        if item["type"] == "row":
            yield from _panels(item.get("panels", []))
            continue
        targets = tuple(map(_target, item.get("targets", ())))
        yield Panel(
            panel_id=item["id"],
            title=item.get("title", ""),
            kind=item["type"],
            interval=item.get("interval"),
            targets=targets,
        )


def _target(item: dict[str, Any]) -> Target:
    return Target(ref_id=item["refId"], sql=item["rawSql"], is_time_series=item["format"] == "time_series")
