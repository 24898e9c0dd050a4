"""What is shipped for Prometheus and Grafana holds: the programs' own checks, and what one file says of another."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.prometheus import MONITORING, needs_prometheus
from tests.support.environment import ROOT

CASES = Path(__file__).with_name("alerts.test.yml")
COMPOSE = ROOT / "deploy" / "compose" / "monitoring.yml"

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]


def promtool(*words: str) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_prometheus
def test_the_configuration_and_the_rules_are_valid() -> None:
    said = promtool("check", "config", str(MONITORING / "prometheus.yml"))
    assert f"SUCCESS: {len(RULES)} rules found" in said


@needs_prometheus
def test_each_alert_fires_when_it_should_and_stays_quiet_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(CASES))


def test_no_alert_is_left_out_of_the_cases() -> None:
    fired = {
        sample["labels"]
        for case in yaml.safe_load(CASES.read_text())["tests"]
        for check in case["promql_expr_test"]
        for sample in check["exp_samples"]
    }
    assert fired == {f'{{alertname="{rule["alert"]}"}}' for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_has_a_summary_a_meaning_and_a_runbook_link(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"deploy/operating.md#{rule['alert'].lower()}"


def test_what_watches_listens_on_loopback_alone() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_each_file_that_the_compose_part_mounts_is_there() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    files = [name for name in mounted if name.startswith("./")]
    assert len(files) == 5
    assert all((ROOT / name).is_file() for name in files)


def test_prometheus_asks_the_ports_that_the_compose_part_opens() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    jobs = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    asked = {name: found["port"] for job in jobs for found in job.get("dns_sd_configs", ()) for name in found["names"]}
    assert asked == {
        name: int(services[name]["environment"]["SCALP_METRICS_PORT"]) for name in ("model", "upkeep")
    }  # fmt: skip
