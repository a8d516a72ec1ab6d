"""The committed boards, and the book they are tried on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analytics_api.board_viewer.board_files import Board, read_boards

ROOT = Path(__file__).parent.parent.parent
DASHBOARDS = ROOT / "grafana" / "dashboards"
DOCUMENTS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(DASHBOARDS.glob("*.json"))
}


@pytest.fixture(params=sorted(DOCUMENTS))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each board file in turn."""
    return DOCUMENTS[request.param]


@pytest.fixture(scope="session")
def boards() -> dict[str, Board]:
    """All boards as the viewer reads them."""
    return read_boards(DASHBOARDS)
