"""What docker-compose.yml and the Dockerfile say, read without a Docker engine."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers.process import ROOT, clean_environment

PROGRAMS = Path(sys.executable).parent  # stands for the image's /venv/bin

# ${NAME}, ${NAME:-default}, ${NAME:?message}
# https://docs.docker.com/reference/compose-file/interpolation/
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<colon>:?)(?P<kind>[-?])(?P<rest>[^}]*))?\}")


class MissingVariableError(Exception):
    """docker-compose would refuse to start; the message is the file's own."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its variables filled in. `image` is None where the Dockerfile makes it."""

    name: str
    image: str | None
    command: tuple[str, ...]
    environment: dict[str, str]
    healthcheck: tuple[str, ...] | None
    depends_on: dict[str, str]
    volumes: tuple[str, ...]

    def at(self, addresses: Mapping[str, str]) -> "Service":
        """Return the service with each `host:port` that only exists inside Docker replaced."""

        def replace(text: str) -> str:
            for inside, outside in addresses.items():
                text = re.sub(rf"(?<![\w.]){re.escape(inside)}(?!\d)", outside, text)
            return text

        return Service(
            name=self.name,
            image=self.image,
            command=tuple(map(replace, self.command)),
            environment={name: replace(value) for name, value in self.environment.items()},
            healthcheck=self.healthcheck and tuple(map(replace, self.healthcheck)),
            depends_on=self.depends_on,
            volumes=self.volumes,
        )


def environment_of(service: Service) -> dict[str, str]:
    """Return the container's environment; PATH finds this virtual environment as the image's."""
    return service.environment | {"PATH": f"{PROGRAMS}:/usr/bin:/bin"}


def read_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Return every service as docker-compose would start it with these variables."""
    document = fill_in(read_compose_file(), variables)
    return {name: _service(name, service) for name, service in document["services"].items()}


def read_compose_file() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    """Return `value` with its variables replaced; raise MissingVariableError as compose would."""
    match value:
        case dict():
            return {key: fill_in(item, variables) for key, item in value.items()}
        case list():
            return [fill_in(item, variables) for item in value]
        case str():
            return VARIABLE.sub(lambda match: _value(match, variables), value).replace("$$", "$")
        case _:
            return value


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match["name"])
    if match["kind"] is None:
        return value or ""
    if value or (value is not None and not match["colon"]):
        return value
    if match["kind"] == "?":
        raise MissingVariableError(f"{match['name']}: {match['rest']}")
    return match["rest"]


def _service(name: str, service: dict[str, Any]) -> Service:
    is_ours = "build" in service
    healthcheck = service.get("healthcheck")
    return Service(
        name=name,
        image=None if is_ours else service["image"],
        command=tuple(service.get("command") or (dockerfile_list("CMD") if is_ours else ())),
        environment=(dockerfile_environment() if is_ours else {})
        | {key: str(value) for key, value in service.get("environment", {}).items()},
        healthcheck=(
            _without_cmd(healthcheck.get("test"))
            if healthcheck
            else _without_cmd(["CMD", *dockerfile_list("CMD", "HEALTHCHECK")])
            if is_ours
            else None
        ),
        depends_on={
            other: condition["condition"]
            for other, condition in service.get("depends_on", {}).items()
        },
        volumes=tuple(service.get("volumes", ())),
    )


def _without_cmd(test: list[str] | None) -> tuple[str, ...] | None:
    if not test:
        return None
    kind, *command = test
    assert kind == "CMD", "a health check in exec form needs no shell in the image"
    return tuple(command)


def dockerfile_stages() -> list[list[tuple[str, str]]]:
    """Return each stage's instructions: word and arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    stages: list[list[tuple[str, str]]] = []
    for word, _, rest in (line.partition(" ") for line in lines if line):
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, rest))
    return stages


def dockerfile_list(word: str, instruction: str = "") -> list[str]:
    """Return the JSON list after `word`, of `instruction` where the word stands in another one."""
    (arguments,) = [rest for name, rest in dockerfile_stages()[-1] if name == (instruction or word)]
    found: list[str] = json.loads(arguments[arguments.index("[") :])
    return found


def dockerfile_environment() -> dict[str, str]:
    """Return what ENV sets, less PATH, which points into the image."""
    pairs = [
        pair.partition("=")[::2]
        for word, rest in dockerfile_stages()[-1]
        if word == "ENV"
        for pair in rest.split()
    ]
    return {name: value for name, value in pairs if name != "PATH"}


def build_image(target: Path, source: Path = ROOT) -> None:
    """Make in a folder what the image would hold, by the Dockerfile's own last step."""
    copy_build_context(target, source)
    *_, step = [rest for word, rest in dockerfile_stages()[0] if word == "RUN"]
    assert "collectstatic" in step
    subprocess.run(
        ["sh", "-c", step.replace("/venv/bin/", f"{PROGRAMS}/")],
        cwd=target,
        env=clean_environment({}),
        check=True,
        capture_output=True,
    )


def copy_build_context(target: Path, source: Path = ROOT) -> None:
    """Copy what .dockerignore lets into the image: it names all that is not left out."""
    for rule in (source / ".dockerignore").read_text().splitlines():
        if rule.startswith("!"):
            part = source / rule.removeprefix("!")
            if part.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(part, target / part.name, ignore=ignore)
            else:
                shutil.copy(part, target)
