"""The page brings everything it needs, and its files stay readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analytics_api.board_viewer.static_files import load_static_files

STATIC = Path(__file__).parent.parent.parent / "services" / "analytics_api" / "board_viewer" / "static"
OWN = [file for file in STATIC.rglob("*") if file.is_file() and "vendor" not in file.parts]


@pytest.mark.parametrize("file", OWN, ids=lambda file: str(file.relative_to(STATIC)))
def test_a_file_of_the_page_is_short_and_fetches_nothing_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|//cdn|@import", text)


def test_every_file_that_the_page_names_is_served() -> None:
    served = load_static_files()
    for file in OWN:
        text = file.read_text(encoding="utf-8")
        for path in re.findall(r'(?:src|href)="/boards/static/([^"]+)"', text):
            assert path in served, path
        if file.suffix == ".js":
            for module in re.findall(r'from "(\.[^"]+)"', text):
                assert (file.parent / module).resolve().is_file(), (file.name, module)


def test_what_is_vendored_brings_its_licence() -> None:
    names = {file.name for file in (STATIC / "vendor").iterdir()}
    assert {"echarts.LICENSE", "echarts.NOTICE", "inter.LICENSE"} <= names


def test_files_outside_the_page_are_not_served() -> None:
    served = load_static_files()
    assert not [path for path in served if ".." in path or path.endswith((".py", "LICENSE"))]
    assert served["js/main.js"].compressed != served["js/main.js"].content
