"""The manifests for Kubernetes: they hold against its schemas, and say the same as everything else here."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from django.db import connection

from tests.support.analyses import queued
from tests.support.environment import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
#: KEDA's own is in no package that Python or Debian has: this one is written out of its documentation (keda.sh:
#: concepts/scaling-deployments, concepts/authentication, scalers/postgresql) and knows only what is used here.
KEDA = json.loads((ROOT / "tests" / "support" / "keda.schema.json").read_text())
KUSTOMIZATION = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())


def documents() -> Iterator[dict[str, Any]]:
    for file in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((KUBERNETES / "base" / file).read_text())


MANIFESTS = list(documents())
WORKLOADS = {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] in {"Deployment", "Job"}}
DEPLOYMENTS = {name: one for name, one in WORKLOADS.items() if one["kind"] == "Deployment"}
SETTINGS = dict(literal.split("=", 1) for literal in KUSTOMIZATION["configMapGenerator"][0]["literals"])


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in MANIFESTS if one["kind"] == kind]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    return dict(workload["spec"]["template"]["spec"])


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(workload)["containers"]
    return dict(only)


def words(command: str | list[str]) -> list[str]:
    return [word.replace("$$", "$") for word in (shlex.split(command) if isinstance(command, str) else command)]


def validate(manifest: dict[str, Any]) -> None:
    if manifest["apiVersion"].startswith("keda.sh/"):
        jsonschema.validate(manifest, KEDA)
    else:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_gets_no_variables_of_services(name: str) -> None:
    """A service called flower would set FLOWER_PORT=tcp://…, with which Flower does not start."""
    assert pod(WORKLOADS[name])["enableServiceLinks"] is False


# Schemas


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_a_manifest_holds_against_its_schema(manifest: dict[str, Any]) -> None:
    validate(manifest)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("Deployment", {"replicas": "two"}),
        ("Deployment", {"replica": 2}),
        ("NetworkPolicy", {"ingres": []}),
        ("ScaledObject", {"maxReplicaCount": "8"}),
        ("ScaledObject", {"triggers": [{"type": "postgresql", "metadata": {"query": "SELECT 1"}}]}),
    ],
)
def test_a_manifest_with_a_mistake_does_not(kind: str, broken: dict[str, Any]) -> None:
    manifest = of_kind(kind)[0]
    with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
        validate({**manifest, "spec": {**manifest["spec"], **broken}})


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl, which puts overlays together, is not here.")
@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_an_overlay_is_put_together_and_holds(overlay: str) -> None:
    done = subprocess.run(["kubectl", "kustomize", str(KUBERNETES / overlay)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    for manifest in built:
        validate(manifest)
        assert manifest["metadata"]["namespace"] == "scalpspectra"
    (model,) = [one for one in built if one["kind"] == "Deployment" and one["metadata"]["name"] == "model"]
    graphics = container(model)["resources"]["limits"].get("nvidia.com/gpu")
    device = {one["name"]: one["value"] for one in container(model)["env"]}["SCALP_DEVICE"]
    assert (graphics, device) == ((1, "cuda") if overlay == "gpu" else (None, "cpu"))


# The same as everywhere else


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_the_parts_are_those_of_compose(name: str) -> None:
    ours, theirs = container(WORKLOADS[name]), COMPOSE[name]
    assert ours["image"] == theirs["image"]
    if name != "proxy":
        assert words(ours.get("command", [])) == words(theirs.get("command", []))


def test_no_part_of_compose_is_left_out_but_what_comes_by_url() -> None:
    assert set(COMPOSE) - set(WORKLOADS) == {"redis", "postgres"}


@pytest.mark.parametrize("name", ["model", "upkeep", "schedule"])
def test_a_worker_is_asked_for_its_health_as_in_compose(name: str) -> None:
    kind, *asked = COMPOSE[name]["healthcheck"]["test"]
    command = container(WORKLOADS[name])["startupProbe"]["exec"]["command"]
    assert command == words(["sh", "-c", *asked] if kind == "CMD-SHELL" else asked)


def test_every_setting_is_one_that_is_read() -> None:
    code = "".join((ROOT / "backend" / "config" / file).read_text() for file in ("settings.py", "environment.py"))
    read = set(re.findall(r'(?:environment\.)?(?:text|url|flag|words|number|integer|folder)\(\s*"([A-Z_]+)"', code))
    read |= set(re.findall(r'unless_auto\([\w.]+, "([A-Z_]+)"', code)) | {"SECRET_KEY", "BROKER_URL"}
    named = set(SETTINGS)
    for workload in WORKLOADS.values():
        named |= {one["name"] for one in container(workload).get("env", [])}
    assert named
    assert {name.removeprefix("SCALP_").removesuffix("_FILE") for name in named} <= read


def test_secrets_are_files_that_the_pods_are_given() -> None:
    for name, value in SETTINGS.items():
        assert not re.search("KEY|PASSWORD|DATABASE|BROKER", name) or name.endswith("_FILE")
        assert not name.endswith("_FILE") or value.startswith("/run/secrets/scalpspectra/")
    for name in WORKLOADS.keys() - {"proxy"}:
        mounts = {one["name"]: one["mountPath"] for one in container(WORKLOADS[name])["volumeMounts"]}
        assert mounts["secrets"] == "/run/secrets/scalpspectra"
    said = (KUBERNETES / "README.md").read_text()
    for path in (value for name, value in SETTINGS.items() if name.endswith("_FILE")):
        assert f"--from-file={Path(path).name}=" in said or f"--from-literal={Path(path).name}=" in said


# What every pod has


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_pod_may_do_nothing_but_its_work(name: str) -> None:
    spec, one = pod(WORKLOADS[name]), container(WORKLOADS[name])
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == (101 if name == "proxy" else 10001)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(one["resources"]["requests"])
    assert "memory" in one["resources"]["limits"]


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_part_is_probed_and_has_as_long_to_end_as_with_compose(name: str) -> None:
    one = container(DEPLOYMENTS[name])
    assert "startupProbe" in one
    assert "readinessProbe" in one or "livenessProbe" in one
    grace = {"s": 1, "m": 60}
    given = COMPOSE[name].get("stop_grace_period", "10s")
    assert pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"] >= int(given[:-1]) * grace[given[-1]]


def test_no_probe_asks_whether_the_workers_are_there() -> None:
    assert "readyz" not in json.dumps(WORKLOADS)
    assert "livenessProbe" not in container(DEPLOYMENTS["model"])


# Who is meant


def selectors() -> Iterator[dict[str, str]]:
    for one in MANIFESTS:
        spec = one["spec"]
        if one["kind"] == "Service":
            yield spec["selector"]
        elif one["kind"] in {"PodDisruptionBudget", "Deployment"}:
            yield spec["selector"]["matchLabels"]
        elif one["kind"] == "NetworkPolicy":
            yield spec["podSelector"].get("matchLabels", {})
            for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
                for peer in [*rule.get("from", []), *rule.get("to", [])]:
                    yield peer.get("podSelector", {}).get("matchLabels", {})


def test_every_selector_finds_a_pod() -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in WORKLOADS.values()]
    for selector in selectors():
        assert any(selector.items() <= labels.items() for labels in pods), selector


def test_network_policies_deny_everything_not_listed() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    allowed = {
        name: [peer for rule in spec["ingress"] for peer in rule["from"]]
        for name, spec in policies.items()
        if "ingress" in spec
    }
    proxy = {"podSelector": {"matchLabels": {"app": "proxy"}}}
    assert set(allowed) == {"proxy", "web", "flower", "model"}
    assert allowed["flower"] == [proxy]
    assert proxy in allowed["web"]
    ports = {name: {port["name"] for port in container(one).get("ports", [])} for name, one in WORKLOADS.items()}
    for name in allowed:
        (rule,) = policies[name]["ingress"]
        assert {port["port"] for port in rule["ports"]} <= ports[name]


def test_from_outside_there_is_one_door() -> None:
    (ingress,) = of_kind("Ingress")
    backends = [path["backend"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert backends == [{"service": {"name": "proxy", "port": {"name": "http"}}}]
    assert {one["spec"].get("type", "ClusterIP") for one in of_kind("Service")} == {"ClusterIP"}


def test_the_proxy_looks_names_up_where_the_cluster_does(tmp_path: Path) -> None:
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("search here.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n")
    shell, options, script = container(DEPLOYMENTS["proxy"])["command"]
    assert script.count("exec nginx") == 1
    script = script.partition("exec nginx")[0].replace("/etc/resolv.conf", str(resolv))
    script = script.replace("/etc/nginx/nginx.conf", str(ROOT / "deploy/proxy/nginx.conf"))
    subprocess.run([shell, options, script.replace("/tmp/nginx.conf", str(tmp_path / "nginx.conf"))], check=True)
    written = (tmp_path / "nginx.conf").read_text()
    assert "resolver 10.96.0.10 valid=5s ipv6=off;" in written
    assert "set $web http://web.here.svc.cluster.local:8000;" in written
    assert "set $flower http://flower.here.svc.cluster.local:5555;" in written
    changed = set(written.splitlines()) - set((ROOT / "deploy/proxy/nginx.conf").read_text().splitlines())
    assert len(changed) == 3


# Scaling


def test_what_is_scaled_is_there_and_has_no_number_of_its_own() -> None:
    (scaled,) = of_kind("ScaledObject")
    assert scaled["spec"]["scaleTargetRef"] == {"name": "model"}
    assert "replicas" not in DEPLOYMENTS["model"]["spec"]
    (asked,) = of_kind("TriggerAuthentication")
    assert {one["authenticationRef"]["name"] for one in scaled["spec"]["triggers"]} == {asked["metadata"]["name"]}
    assert SETTINGS["SCALP_DATABASE_URL_FILE"].endswith(f"/{asked['spec']['secretTargetRef'][0]['key']}")


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.usefixtures("broker", "storage")
@pytest.mark.skipif(connection.vendor != "postgresql", reason="KEDA asks PostgreSQL.")
def test_depth_and_age_of_the_line_are_asked_of_the_rows() -> None:
    (scaled,) = of_kind("ScaledObject")

    def asked() -> list[int]:
        with connection.cursor() as cursor:
            answers = []
            for trigger in scaled["spec"]["triggers"]:
                cursor.execute(trigger["metadata"]["query"].replace("%", "%%"))
                answers.append(cursor.fetchone()[0])
        return answers

    assert asked() == [0, 0]
    for _ in range(3):
        queued()
    depth, age = asked()
    assert depth == 3
    assert 0 <= age < 60
