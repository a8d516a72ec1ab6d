"""Reads case files: their cases with what may be left unsaid filled in, and the products beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loanbook.domain.errors import LoanbookError

PRODUCTS = "products.json"
_NEEDED = {"id", "loan", "steps"}
_NEEDED_OF_LOAN = {"submitted_on", "principal", "number_of_repayments", "repayment_every", "repayment_unit"}


class CaseFileError(LoanbookError):
    """A case file is not of the documented form."""


def read_cases(folder: Path) -> list[dict[str, Any]]:
    """All cases of a folder, by file name and place; raises CaseFileError naming file and case."""
    files = sorted(path for path in folder.glob("*.json") if path.name != PRODUCTS)
    if not files:
        raise CaseFileError(f"{folder}: no case files (*.json) there")
    cases = [case for file in files for case in _cases_of(file)]
    known: set[str] = set()
    for case in cases:
        if case["id"] in known:
            raise CaseFileError(f"{folder}: two cases are called {case['id']!r}")
        known.add(case["id"])
    return cases


def read_products(folder: Path) -> dict[str, Any]:
    """The products by name; none where there is no such file."""
    file = folder / PRODUCTS
    return dict(_json_of(file)) if file.is_file() else {}


def _cases_of(file: Path) -> list[dict[str, Any]]:
    content = _json_of(file)
    cases = content.get("cases")
    if not isinstance(cases, list):
        raise CaseFileError(f"{file}: has no list `cases`")
    category = content.get("category", file.stem)
    return [_completed(case, category, f"{file}, case {place}") for place, case in enumerate(cases, start=1)]


def _completed(case: Any, category: str, where: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    if not isinstance(case, Mapping) or not set(case) >= _NEEDED:
        raise CaseFileError(f"{where}: needs {', '.join(sorted(_NEEDED))}")
    missing = _NEEDED_OF_LOAN - set(case["loan"])
    if missing:
        raise CaseFileError(f"{where} ({case['id']}): its loan needs {', '.join(sorted(missing))}")
    depends_on = {"requires": [], "product": case["loan"].get("product")} | dict(case.get("depends_on") or {})
    return {"category": category, "tier": 1} | dict(case) | {"depends_on": depends_on}


def _json_of(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseFileError(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise CaseFileError(f"{file}: is no JSON object")
    return content
