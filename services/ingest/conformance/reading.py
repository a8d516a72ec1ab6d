"""Reads case files: their cases with what may be left unsaid filled in, and the products beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from loanbook.domain.errors import LoanbookError

PRODUCTS = "products.json"
_NEEDED = {"id", "loan", "steps"}
_NEEDED_OF_LOAN = {"submitted_on", "principal", "number_of_repayments", "repayment_every", "repayment_unit"}


class CaseFileError(LoanbookError):
    """A case file is not of the documented form."""


@dataclass(kw_only=True)
class Folder:
    """What a folder holds: cases, the products by name, and what could not be read of it and why."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    products: dict[str, Any] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)  # where, why


def read_folder(folder: Path) -> Folder:
    """All cases of a folder, by file name and place; raises CaseFileError where there is no file at all."""
    files = sorted(folder.glob("*.json"))
    if not [file for file in files if file.name != PRODUCTS]:
        raise CaseFileError(f"{folder}: no case files (*.json) there")
    found = Folder()
    known: set[str] = set()
    for file in files:
        try:
            content = _json_of(file)
            if file.name == PRODUCTS:
                found.products = content
            else:
                _add_cases(found, file, content, known)
        except CaseFileError as error:
            found.unreadable.append((file.name, str(error)))
    return found


def _add_cases(found: Folder, file: Path, content: Mapping[str, Any], known: set[str]) -> None:
    cases = content.get("cases")
    if not isinstance(cases, list):
        raise CaseFileError("has no list `cases`")
    category = str(content.get("category", file.stem))
    for place, case in enumerate(cases, start=1):
        try:
            whole = completed(case, category)
            why = f"another case is called {whole['id']!r} too" if whole["id"] in known else None
        except CaseFileError as error:
            why = str(error)
        if why is not None:
            found.unreadable.append((f"{file.name}, case {place}", why))
            continue
        known.add(whole["id"])
        found.cases.append(whole)


def completed(case: Any, category: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A case with what it may leave unsaid; raises CaseFileError naming what it lacks."""
    if not isinstance(case, Mapping) or not set(case) >= _NEEDED:
        raise CaseFileError(f"needs {', '.join(sorted(_NEEDED))}")
    loan, steps, depends_on = case["loan"], case["steps"], case.get("depends_on") or {}
    if not isinstance(loan, Mapping) or not isinstance(depends_on, Mapping):
        raise CaseFileError(f"{case['id']}: `loan` and `depends_on` must be objects")
    missing = _NEEDED_OF_LOAN - set(loan)
    if missing:
        raise CaseFileError(f"{case['id']}: its loan needs {', '.join(sorted(missing))}")
    if not isinstance(steps, list) or not all(
        isinstance(s, Mapping) and type(s.get("n")) is int for s in steps
    ):
        raise CaseFileError(f"{case['id']}: its steps must be a list of objects, each with its number `n`")
    try:
        date.fromisoformat(loan["submitted_on"])
        tier = int(case.get("tier", 1))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise CaseFileError(f"{case['id']}: {error}") from error
    known = {"requires": [], "product": loan.get("product")} | dict(depends_on)
    if not isinstance(known["product"], str | None) or not isinstance(known["requires"], list):
        raise CaseFileError(f"{case['id']}: `product` must be a name, `requires` a list")
    return {"category": category} | dict(case) | {"id": str(case["id"]), "tier": tier, "depends_on": known}


def _json_of(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError) as error:
        raise CaseFileError(str(error)) from error
    if not isinstance(content, dict):
        raise CaseFileError("is no JSON object")
    return content
