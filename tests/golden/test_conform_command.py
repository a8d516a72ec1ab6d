"""`loanpulse conform` on our own examples: they pass, a wrong figure fails, what cannot be read is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.commands.conform import main
from ingest.conformance.reading import CaseFileError

EXAMPLES = Path(__file__).parents[2] / "services" / "ingest" / "conformance" / "examples"


def test_our_own_examples_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES)]) == 0
    shown = _lines(capsys)
    assert [(line["id"], line["passed"], line["step"]) for line in shown] == [
        ("market-loan-paid-late-and-bounced", True, None),
        ("salary-advance-with-interest-fee-and-charge-off", True, None),
    ]


def test_a_wrong_figure_fails_with_its_step_and_both_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    _altered(tmp_path, expect="total_overdue", value="99.00")
    assert main([str(tmp_path), "--json", str(report)]) == 1
    (line,) = _lines(capsys)
    assert (line["passed"], line["step"]) == (False, 8)
    assert (line["expected"], line["got"]) == ("total_overdue: 99.00", "100.00")
    assert json.loads(report.read_text())["cases"] == [line]


def test_a_case_with_an_unknown_step_is_listed_as_not_claimed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _altered(tmp_path, expect="total_overdue", op="sell_to_the_moon")
    assert main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "not claimed: market-loan-paid-late-and-bounced: step 8: sell_to_the_moon" in shown
    assert json.loads(shown.splitlines()[0])["passed"] is None


def test_a_step_that_cannot_be_read_fails_its_case_and_not_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _altered(tmp_path, expect="total_overdue", op="repayment", date="soon", amount="1.00")
    (tmp_path / "other.json").write_text((EXAMPLES / "salary_advance.json").read_text())
    (tmp_path / "products.json").write_text((EXAMPLES / "products.json").read_text())
    assert main([str(tmp_path)]) == 1
    assert [line["passed"] for line in _lines(capsys)] == [False, True]


def test_a_file_that_is_no_case_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"cases": [{"id": "a", "steps": [], "loan": {}}]}')
    with pytest.raises(
        CaseFileError, match=r"notes\.json, case 1 \(a\): its loan needs number_of_repayments"
    ):
        main([str(tmp_path)])


def _altered(folder: Path, *, expect: str, **changes: Any) -> None:
    """The first example with one of its expectations changed."""
    content = json.loads((EXAMPLES / "market_loan.json").read_text())
    step = next(step for step in content["cases"][0]["steps"] if step.get("expect") == expect)
    step |= changes
    (folder / "market_loan.json").write_text(json.dumps(content))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
