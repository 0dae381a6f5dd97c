"""The dashboard and the rules of the alerts: made from the metrics, and right to Prometheus."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generate import COMMAND
from docs.monitoring import ALERTS, DASHBOARD, RULES, files
from hksz_db.domain.errors import Cause
from hksz_db.http.metrics import METRICS, Kind

ROOT = Path(__file__).parents[1]
ALERT_TESTS = ROOT / "tests/monitoring/alerts.yml"
PROMTOOL = shutil.which("promtool")


@pytest.mark.parametrize("path", [DASHBOARD, RULES], ids=lambda path: path.name)
def test_the_generated_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], f"Run `{COMMAND}`."


def test_alerts_use_metrics_that_exist() -> None:
    known = {metric.name for metric in METRICS}
    known |= {f"{metric.name}_bucket" for metric in METRICS if metric.kind is Kind.HISTOGRAM}
    for alert in ALERTS:
        used = set(re.findall(r"\b(?:hksz|process)_\w+", alert.condition))
        assert used <= known, alert.name


def test_the_advice_names_every_cause_of_a_refusal() -> None:
    (alert,) = (each for each in ALERTS if each.name == "HkszRefuses")
    assert {cause for cause in Cause if f"`{cause}`" not in alert.action} == set()


def test_every_metric_has_a_panel() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert [panel["title"] for panel in panels] == [metric.name for metric in METRICS]


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", str(RULES)), ("test", "rules", str(ALERT_TESTS))],
    ids=["check", "test"],
)
def test_prometheus_understands_the_rules(arguments: tuple[str, ...]) -> None:
    if PROMTOOL is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "promtool is not installed (Debian: prometheus)"
        )
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
