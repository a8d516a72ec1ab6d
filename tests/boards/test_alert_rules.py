"""Alert rules and routes: whole, on metrics that some service tells, and right in their own tests."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from analytics_api.metrics import OPERATIONS

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "infra" / "prometheus" / "rules" / "loanpulse.yml"
RULE_TESTS = ROOT / "infra" / "prometheus" / "rules" / "tests" / "loanpulse.yml"
ROUTES = ROOT / "infra" / "alertmanager" / "alertmanager.yml"
RUNBOOK = (ROOT / "infra" / "prometheus" / "RUNBOOK.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
METRICS = {
    name
    for file in (ROOT / "services").glob("*/*metrics.py")
    for name in re.findall(r'"(loanpulse_[a-z_0-9]+)"', file.read_text(encoding="utf-8"))
}


def run(tool: str, *arguments: str) -> str:
    """What a tool of Prometheus says; skips with the reason where it is not installed."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: Debian has it in prometheus and prometheus-alertmanager")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_how_grave_it_is_what_it_means_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith("Loan")
    assert alert["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert alert["labels"]["domain"] in {"pipeline", "trust", "portfolio"}
    assert alert["annotations"].keys() == {"summary", "description"}
    assert f"## {alert['alert']}\n" in RUNBOOK


def test_the_runbook_has_no_heading_without_an_alert() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [alert["alert"] for alert in ALERTS]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_metrics_that_some_service_tells(alert: dict[str, Any]) -> None:
    assert set(re.findall(r"loanpulse_[a-z_0-9]+", alert["expr"])) <= METRICS


def test_labels_of_an_expression_are_labels_of_its_gauge() -> None:
    known = {gauge.name: set(gauge.labels) for gauge in OPERATIONS}
    for alert in ALERTS:
        named = re.findall(r"\$labels\.(\w+)", str(alert["annotations"]))
        for metric in set(re.findall(r"loanpulse_[a-z_0-9]+", alert["expr"])) & known.keys():
            assert set(named) <= known[metric], alert["alert"]


def test_every_rule_is_read_by_prometheus_and_every_case_holds() -> None:
    assert f"SUCCESS: {len(ALERTS)} rules found" in run("promtool", "check", "rules", str(RULES))
    assert "SUCCESS" in run("promtool", "test", "rules", str(RULE_TESTS))


def test_prometheus_reads_its_settings() -> None:
    config = ROOT / "infra" / "prometheus" / "prometheus.yml"
    assert "SUCCESS" in run("promtool", "check", "config", str(config))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=LoanWatchdog severity=none", "deadmans_switch"),
        ("alertname=LoanDataOld severity=critical domain=pipeline", "on_call"),
        ("alertname=LoanVerificationDiffers severity=critical domain=trust", "on_call"),
        ("alertname=LoanDrift severity=warning domain=trust", "operators"),
        ("alertname=LoansStale severity=info domain=trust", "digest"),
        ("alertname=LoanBranchPar30High severity=warning domain=portfolio", "risk_desk"),
    ],
)
def test_an_alert_reaches_who_can_do_something_about_it(labels: str, receiver: str) -> None:
    said = run("amtool", "config", "routes", "test", f"--config.file={ROUTES}", *labels.split())
    assert said.split() == [receiver]
