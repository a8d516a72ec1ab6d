"""`loanpulse contract`: write the event contract, AsyncAPI 3 and JSON Schemas, or check what is written."""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

from ingest.contract.document import documents


def main(arguments: list[str]) -> int:
    """Write the documents; with --check only compare them, exit code 1 when they differ."""
    parser = argparse.ArgumentParser(prog="loanpulse contract", description=__doc__)
    committed = Path(str(resources.files("ingest.contract")))
    parser.add_argument(
        "--out", type=Path, default=committed, help="folder to write to (the committed files)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    chosen = parser.parse_args(arguments)
    if chosen.check:
        differing = differences(chosen.out)
        print("\n".join(f"differs: {name}" for name in differing) or "the contract is as generated")
        return 1 if differing else 0
    wanted = documents()
    for name, text in wanted.items():
        path = chosen.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in _strays(chosen.out, wanted):
        path.unlink()
    print(f"{len(wanted)} documents in {chosen.out}")
    return 0


def differences(folder: Path) -> list[str]:
    """Names of documents that are missing, stray or not as they would be generated."""
    wanted = documents()
    wrong = [name for name, text in wanted.items() if _text_of(folder / name) != text]
    return sorted(wrong + [str(path.relative_to(folder)) for path in _strays(folder, wanted)])


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _strays(folder: Path, wanted: dict[str, str]) -> list[Path]:
    found = (folder / "schemas").glob("*.json")
    return [path for path in found if str(path.relative_to(folder)) not in wanted]
