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
    _altered(tmp_path, "total_overdue", value="99.00")
    assert main([str(tmp_path), "--json", str(report)]) == 1
    (line,) = _lines(capsys)
    assert (line["passed"], line["step"]) == (False, 8)
    assert (line["expected"], line["got"]) == ("total_overdue: 99.00", "100.00")
    assert json.loads(report.read_text())["cases"] == [line]


def test_a_case_with_an_unknown_step_is_listed_as_not_claimed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _altered(tmp_path, "total_overdue", op="sell_to_the_moon")
    assert main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "not claimed: market-loan-paid-late-and-bounced: step 8: sell_to_the_moon" in shown
    assert json.loads(shown.splitlines()[0])["passed"] is None


def test_a_step_that_cannot_be_read_fails_its_case_and_not_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _altered(tmp_path, "total_overdue", op="repayment", date="soon", amount="1.00")
    (tmp_path / "other.json").write_text((EXAMPLES / "salary_advance.json").read_text())
    (tmp_path / "products.json").write_text((EXAMPLES / "products.json").read_text())
    assert main([str(tmp_path)]) == 1
    assert [line["passed"] for line in _lines(capsys)] == [False, True]


def test_what_cannot_be_read_is_named_and_the_rest_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.loads((EXAMPLES / "market_loan.json").read_text())["cases"][0]
    loan, steps = good["loan"], good["steps"]
    odd = [
        "no object",
        {"id": "a", "loan": {}, "steps": []},
        {"id": "b", "loan": [], "steps": []},
        {"id": "c", "loan": loan, "steps": ["buy"]},
        {"id": "d", "loan": loan | {"submitted_on": "soon"}, "steps": steps},
        {"id": "e", "loan": loan, "steps": steps, "tier": float("inf")},
        {"id": "f", "loan": loan, "steps": steps, "depends_on": {"product": ["of", "two"]}},
        {"id": "g", "loan": loan, "steps": steps, "depends_on": {"requires": "interest_bearing"}},
        good,
        good,
    ]
    (tmp_path / "odd.json").write_text(json.dumps({"cases": odd}))
    (tmp_path / "half.json").write_text('{"cases": [')
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "bare.json").write_text("{}")
    assert main([str(tmp_path)]) == 1
    shown = {line["id"]: line["got"] for line in _lines(capsys)}
    assert shown.pop(good["id"]) is None
    assert {where: why.split(":")[0] for where, why in shown.items()} == {
        "half.json": "Expecting value",
        "list.json": "is no JSON object",
        "deep.json": "maximum recursion depth exceeded while decoding a JSON array from a unicode string",
        "bare.json": "has no list `cases`",
        "odd.json, case 1": "needs id, loan, steps",
        "odd.json, case 2": "a",
        "odd.json, case 3": "b",
        "odd.json, case 4": "c",
        "odd.json, case 5": "d",
        "odd.json, case 6": "e",
        "odd.json, case 7": "f",
        "odd.json, case 8": "g",
        "odd.json, case 10": f"another case is called {good['id']!r} too",
    }


def test_a_folder_without_case_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match="no case files"):
        main([str(tmp_path)])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"op": "repayment", "amount": "a lot"}, "ConversionSyntax"),
        ({"op": "reverse", "target": 99}, "KeyError(99)"),
        ({"op": "charge_adjustment"}, "KeyError('amount')"),
        ({"columns": ["nr"], "rows": [[]], "expect": "schedule", "period_count": "3"}, "ValueError"),
        ({"expect": "loan_delinquency", "values": [1]}, "AttributeError"),
        ({"op": "set_product_future_installment_rule", "transaction_type": "DEFAULT"}, "KeyError('rule')"),
    ],
)
def test_a_step_of_an_odd_form_fails_its_case_with_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], why: str
) -> None:
    _altered(tmp_path, "total_overdue", **changes)
    assert main([str(tmp_path)]) == 1
    (line,) = _lines(capsys)
    assert (line["step"], line["verdict"]) == (8, "failed")
    assert why in line["got"]


def _altered(folder: Path, expected: str, **changes: Any) -> None:
    """The first example with one of its expectations changed."""
    content = json.loads((EXAMPLES / "market_loan.json").read_text())
    step = next(step for step in content["cases"][0]["steps"] if step.get("expect") == expected)
    step |= changes
    (folder / "market_loan.json").write_text(json.dumps(content))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
