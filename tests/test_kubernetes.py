"""deploy/kubernetes: what it names is there, and agrees with settings, compose and Dockerfile."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cells.live.hubs import DRAIN_SECONDS, FLUSH_SECONDS
from tests.servers.compose import dockerfile_stages, read_services
from tests.servers.process import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
BASE, EXAMPLE = FOLDER / "base", FOLDER / "overlays" / "example"
SECRETS = {"SECRET_KEY": "a-key", "POSTGRES_PASSWORD": "a-password"}
LASTING = ("web", "listener", "publisher", "calculator")

Resource = dict[str, Any]


def documents(file: Path) -> list[Resource]:
    return [one for one in yaml.safe_load_all(file.read_text()) if one]


def kustomization(folder: Path) -> Resource:
    (found,) = documents(folder / "kustomization.yaml")
    return found


def resources(folder: Path) -> Iterator[Resource]:
    """Yield what a kustomization has, with what it builds on."""
    for name in kustomization(folder)["resources"]:
        path = (folder / name).resolve()
        if path.is_dir():
            yield from resources(path)
        else:
            yield from documents(path)


def named(kind: str, name: str, folder: Path = EXAMPLE) -> Resource:
    found = [
        one for one in resources(folder) if one["kind"] == kind and one["metadata"]["name"] == name
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def workloads() -> list[Resource]:
    return [one for one in resources(BASE) if one["kind"] in {"Deployment", "Job"}]


def pod_of(workload: Resource) -> Resource:
    pod: Resource = workload["spec"]["template"]["spec"]
    return pod


def container_of(workload: Resource) -> Resource:
    (container,) = pod_of(workload)["containers"]
    found: Resource = container
    return found


def labels_of(name: str) -> dict[str, str]:
    labels: dict[str, str] = named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    return labels


@pytest.mark.parametrize("folder", [BASE, EXAMPLE], ids=["base", "example"])
def test_every_file_is_part_of_it(folder: Path) -> None:
    said = kustomization(folder)
    files = {name for name in said["resources"] if not (folder / name).is_dir()}
    files |= {patch["path"] for patch in said.get("patches", ()) if "path" in patch}
    assert files == {path.name for path in folder.iterdir()} - {"kustomization.yaml"}


def test_every_setting_is_one() -> None:
    settings = (ROOT / "sheetsync/settings.py").read_text()
    given = [*documents(BASE / "settings.yaml"), *documents(EXAMPLE / "settings.yaml")]
    names = {name for one in given for name in one["data"]}
    names |= set(re.findall(r"--from-literal=(\w+)=", (FOLDER / "README.md").read_text()))
    assert names >= {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"}
    for name in names:
        assert re.search(rf'(?:env\.\w+|_switch)\(\s*"{name}"', settings), name
    assert all(isinstance(value, str) for one in given for value in one["data"].values())


def test_no_secret_is_in_the_files() -> None:
    everything = [*resources(EXAMPLE)]
    assert not [one for one in everything if one["kind"] == "Secret"]
    configured = named("ConfigMap", "sheetsync", BASE)["data"]
    assert not [name for name in configured if re.search("KEY|PASSWORD|TOKEN|_URL", name)]


@pytest.mark.parametrize("name", LASTING)
def test_processes_are_those_of_the_composition(name: str) -> None:
    service = read_services(SECRETS)[name]
    container = container_of(named("Deployment", name))
    if name == "web":  # the image's own
        assert "command" not in container
        assert container["ports"][0]["containerPort"] == 8000
        assert service.command[service.command.index("--port") + 1] == "8000"
        return
    assert container["command"] == [word for word in service.command if word != "--create"]
    assert tuple(container["readinessProbe"]["exec"]["command"]) == service.healthcheck


def test_all_are_the_image_with_the_same_settings() -> None:
    assert kustomization(EXAMPLE)["images"][0]["name"] == "sheetsync"
    assert len(workloads()) == len(LASTING) + 1
    for workload in workloads():
        container = container_of(workload)
        assert container["image"] == "sheetsync"
        sources = [
            (kind, one["name"]) for from_ in container["envFrom"] for kind, one in from_.items()
        ]
        assert sources == [("configMapRef", "sheetsync"), ("secretRef", "sheetsync")]
        assert named("ServiceAccount", pod_of(workload)["serviceAccountName"])


def test_no_process_may_more_than_it_needs() -> None:
    ((user,),) = [
        re.findall(r"--uid (\d+)", rest)
        for word, rest in dockerfile_stages()[-1]
        if "--uid" in rest
    ]
    for workload in workloads():
        pod, container = pod_of(workload), container_of(workload)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == int(user)
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {one["name"] for one in container["volumeMounts"]} == {
            one["name"] for one in pod["volumes"]
        }
        assert container["resources"].keys() == {"requests", "limits"}


def test_selectors_find_what_they_are_meant_for() -> None:
    for name in LASTING:
        selector = named("Deployment", name)["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels_of(name).items()
        others = [labels_of(other) for other in LASTING if other != name]
        assert not any(selector.items() <= labels.items() for labels in others)
    assert named("Service", "web")["spec"]["selector"] == labels_of("web")
    assert named("PodDisruptionBudget", "web")["spec"]["selector"]["matchLabels"] == labels_of(
        "web"
    )


def test_references_lead_somewhere() -> None:
    service = named("Service", "web")
    web_ports = {one["name"] for one in container_of(named("Deployment", "web"))["ports"]}
    assert {one["targetPort"] for one in service["spec"]["ports"]} <= web_ports
    rules = named("Ingress", "web")["spec"]["rules"]
    for path in (path for rule in rules for path in rule["http"]["paths"]):
        backend = path["backend"]["service"]
        assert named("Service", backend["name"]) == service
        assert backend["port"]["name"] in {one["name"] for one in service["spec"]["ports"]}
    target = named("HorizontalPodAutoscaler", "web")["spec"]["scaleTargetRef"]
    assert named(target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
    for patch in kustomization(EXAMPLE)["patches"]:
        if "path" in patch:
            (change,) = documents(EXAMPLE / patch["path"])
            wanted = (change["kind"], change["metadata"]["name"])
        else:
            wanted = (patch["target"]["kind"], patch["target"]["name"])
        assert named(*wanted, BASE)


def test_hosts_are_those_that_are_answered() -> None:
    for folder, host in ((BASE, "sheets.example.com"), (EXAMPLE, "sheets.example.org")):
        (settings,) = documents(folder / "settings.yaml")
        assert settings["data"]["ALLOWED_HOSTS"] == host
    ingress = named("Ingress", "web")["spec"]
    assert ingress["rules"][0]["host"] == ingress["tls"][0]["hosts"][0] == "sheets.example.com"


def test_web_has_time_to_drain_and_is_asked_what_it_answers() -> None:
    pod = pod_of(named("Deployment", "web"))
    container = container_of(named("Deployment", "web"))
    _, wait = container["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] > int(wait) + 2 * (DRAIN_SECONDS + FLUSH_SECONDS)
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_an_upload_passes_the_ingress() -> None:
    annotations = named("Ingress", "web")["metadata"]["annotations"]
    most = int(annotations["nginx.ingress.kubernetes.io/proxy-body-size"])
    assert most > int(named("ConfigMap", "sheetsync", BASE)["data"]["IMPORT_MAX_BYTES"])
