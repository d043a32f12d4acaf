"""The manifests for Kubernetes are compose.yaml in other words: the same parts, commands, settings, secrets, volumes and bounds."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.worker.test_deploy import COMPOSE, ONCE, SERVICES
from worker.settings import ROOT

FOLDER = ROOT / "examples" / "deploy" / "kubernetes"
MANIFESTS = {path.name: yaml.load(path.read_text(), yaml.CSafeLoader) for path in FOLDER.glob("*.yaml")}
OBJECTS = [each for name, manifest in MANIFESTS.items() if name != "kustomization.yaml" for each in manifest.get("items", [manifest])]
PODS = {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in OBJECTS if each["kind"] in ("Deployment", "StatefulSet")}
PROBES = {"page": ("/sign-in", 8501), "prometheus": ("/-/healthy", 9090)}     # asked from outside the container; the others as in compose.yaml
OWN = {"TIDEMARK_APP_HOSTS"}


def named(kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def container(name: str) -> Any:
    (only,) = PODS[name]["containers"]
    return only


def test_every_part_is_there_and_every_file_is_applied():
    assert set(PODS) == set(SERVICES) - {ONCE}, "a volume is handed over by fsGroup"
    assert set(MANIFESTS["kustomization.yaml"]["resources"]) == set(MANIFESTS) - {"kustomization.yaml"}
    assert all(each["spec"]["replicas"] == SERVICES[name].get("deploy", {}).get("replicas", 1) for kind in ("Deployment", "StatefulSet") for name, each in named(kind).items())
    assert all(each["spec"]["template"]["metadata"]["labels"]["app"] == each["spec"]["selector"]["matchLabels"]["app"] == name for kind in ("Deployment", "StatefulSet") for name, each in named(kind).items())


@pytest.mark.parametrize("name", PODS)
def test_a_part_runs_the_same_command_with_the_same_settings(name):
    service, here = SERVICES[name], container(name)
    assert (here["name"], here["image"]) == (name, service["image"])
    assert (here.get("command"), here.get("args")) == (service.get("entrypoint"), service.get("command"))
    variables = {each["name"]: each["value"] for each in here.get("env", [])}
    expected = {variable: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for variable, value in service.get("environment", {}).items()}
    assert {variable: value for variable, value in variables.items() if variable not in OWN} == {variable: value for variable, value in expected.items() if variable not in OWN}
    assert set(expected.get("TIDEMARK_APP_HOSTS", "").split(",")) <= set(variables.get("TIDEMARK_APP_HOSTS", "").split(","))


@pytest.mark.parametrize("name", PODS)
def test_a_part_is_nobody_and_writes_to_its_volumes_only(name):
    service, pod, here = SERVICES[name], PODS[name], container(name)
    bounds = pod["securityContext"]
    assert bounds["runAsNonRoot"] is True and f"{bounds['runAsUser']}:{bounds['runAsGroup']}" == service["user"] and bounds["fsGroup"] == bounds["runAsGroup"]
    assert bounds["seccompProfile"] == {"type": "RuntimeDefault"}
    assert here["securityContext"] == {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_a_part_has_the_same_volumes_and_sees_its_own_secrets_only(name):
    service, pod = SERVICES[name], PODS[name]
    mounts = {each["mountPath"]: each["name"] for each in container(name)["volumeMounts"]}
    written = {volume.rpartition(":")[2] for volume in service.get("volumes", [])} | {path.partition(":")[0] for path in service.get("tmpfs", [])}
    assert set(mounts) - {"/run/secrets", "/dev/shm", "/etc/prometheus"} == written
    volumes = {each["name"]: each for each in pod["volumes"]} | {volume: {"persistentVolumeClaim": {}} for volume in _claimed(name)}
    assert set(mounts.values()) == set(volumes)
    kept = {volume.partition(":")[2] for volume in service.get("volumes", []) if ":" in volume and not volume.startswith("cache:")}
    assert {path for path, volume in mounts.items() if "persistentVolumeClaim" in volumes[volume]} == kept, "what outlives a container outlives a pod"
    secret = volumes["secrets"]["secret"]
    assert secret["secretName"] == "tidemark" and secret["defaultMode"] == 0o440
    assert {(each["key"], each["path"]) for each in secret["items"]} == {(each["source"],) * 2 for each in service["secrets"]}


def _claimed(name: str) -> list[str]:
    return [each["metadata"]["name"] for each in named("StatefulSet").get(name, {"spec": {"volumeClaimTemplates": []}})["spec"]["volumeClaimTemplates"]]


@pytest.mark.parametrize("name", PODS)
def test_a_part_is_probed_as_in_compose(name):
    probe = container(name)["livenessProbe"]
    if name in PROBES:
        assert (probe["httpGet"]["path"], probe["httpGet"]["port"]) == PROBES[name]
    else:
        form, *command = SERVICES[name]["healthcheck"]["test"]
        assert probe["exec"]["command"] == (command if form == "CMD" else ["sh", "-c", *command])


def test_the_page_is_probed_by_a_name_that_it_answers_to():
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container("page")[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "page"}]
    (host,) = [rule["host"] for rule in named("Ingress")["page"]["spec"]["rules"]]
    assert {each["name"]: each["value"] for each in container("page")["env"]}["TIDEMARK_APP_HOSTS"].split(",") == ["page", host]


def test_services_and_the_network_lead_to_the_ports_that_are_open():
    ports = {name: [each["containerPort"] for each in container(name)["ports"]] for name in ("page", "database", "queue", "bucket", "prometheus")}
    assert {name: [each["port"] for each in service["spec"]["ports"]] for name, service in named("Service").items()} == ports
    policies = named("NetworkPolicy")
    assert policies["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    (stores,) = policies["stores"]["spec"]["ingress"]
    assert [[each["port"]] for each in stores["ports"]] == [ports[name] for name in policies["stores"]["spec"]["podSelector"]["matchExpressions"][0]["values"]]
    assert {name for name, pod in PODS.items() if _labels(name)["of"] == "tidemark"} == {name for name in SERVICES if SERVICES[name]["image"] == "tidemark"}


def _labels(name: str) -> dict[str, str]:
    return (named("Deployment") | named("StatefulSet"))[name]["spec"]["template"]["metadata"]["labels"]


def test_the_scheduler_runs_where_the_page_does_for_they_share_a_volume():
    (rule,) = PODS["scheduler"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["labelSelector"]["matchLabels"] == {"app": "page"} and rule["topologyKey"] == "kubernetes.io/hostname"


def test_prometheus_has_the_settings_of_compose_and_the_namespace_is_restricted():
    assert named("ConfigMap")["prometheus"]["data"]["prometheus.yml"].strip() == (ROOT / COMPOSE["configs"]["prometheus"]["file"]).read_text().strip()
    assert named("Namespace")["tidemark"]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert MANIFESTS["kustomization.yaml"]["namespace"] == "tidemark"
