"""Rules of the house that no other tool counts: lengths and spelling."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 300
MISSPELT = "instal" + "ment"


def tracked(*patterns: str) -> Iterator[Path]:
    """Files of the project by pattern."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return (ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file())


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in tracked("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_source_file_is_longer_than_three_hundred_lines() -> None:
    long = [
        str(path.relative_to(ROOT))
        for path in tracked("services/*.py", "shared/*.py", "infra/*.py", "grafana/*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX
    ]
    assert long == []


def test_the_field_s_word_is_installment() -> None:
    spelt = [
        str(path.relative_to(ROOT))
        for path in tracked("services", "shared", "infra", "grafana/boards", "*.md")
        if path.suffix in {".py", ".sql", ".md", ".json"} and MISSPELT in path.read_text(encoding="utf-8")
    ]
    assert spelt == []
