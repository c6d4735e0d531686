"""docker-compose.yml and the Dockerfile: what they promise."""

import re

import pytest

from tests.servers.compose import (
    VARIABLE,
    MissingVariableError,
    dockerfile_instructions,
    read_compose_file,
    read_services,
)
from tests.servers.process import ROOT

SECRETS = {"SECRET_KEY": "a-key-of-this-rehearsal", "POSTGRES_PASSWORD": "a-password-of-it"}
SOUNDS_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|CREDENTIAL", re.IGNORECASE)


# -- what the files promise ------------------------------------------------------------------------


def documented_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_is_documented() -> None:
    used = {match["name"] for match in VARIABLE.finditer(read_text("docker-compose.yml"))}
    settings = set(re.findall(r"""\benv\.\w+\(\s*"(\w+)\"""", read_text("sheetsync/settings.py")))
    assert used | settings | {"PUBSUB_EMULATOR_HOST"} == documented_variables()


def test_every_variable_of_a_service_means_something_to_settings() -> None:
    settings = read_text("sheetsync/settings.py")
    service = read_services(SECRETS)["listener"]
    unknown = {name for name in service.environment if name not in settings}
    assert unknown == {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_it_does_not_start_without_its_secrets(name: str) -> None:
    with pytest.raises(MissingVariableError, match=f"{name}: copy .env.example to .env"):
        read_services({other: value for other, value in SECRETS.items() if other != name})


def test_no_secret_is_in_the_files() -> None:
    assert re.findall(r"^(\w+)=$", read_text(".env.example"), re.MULTILINE) == sorted(
        SECRETS, reverse=True
    )
    for word, rest in dockerfile_instructions():
        assert word not in {"ENV", "ARG"} or not SOUNDS_SECRET.search(rest)
    for service in read_compose_file()["services"].values():
        for name, value in service.get("environment", {}).items():
            if SOUNDS_SECRET.search(name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), name


def test_no_file_of_secrets_gets_into_the_image() -> None:
    rules = [line for line in read_text(".dockerignore").splitlines() if line[:1] not in {"#", ""}]
    assert rules[0] == "*"
    assert not any(rule.startswith("!.env") for rule in rules)


def test_image_does_not_run_as_root() -> None:
    users = [rest for word, rest in dockerfile_instructions() if word == "USER"]
    assert users[-1].split(":")[0] not in {"root", "0"}


def test_every_lasting_service_has_a_health_check() -> None:
    services = read_services(SECRETS)
    assert {name for name, service in services.items() if not service.healthcheck} == {"migrate"}


def test_services_wait_until_what_they_need_is_healthy() -> None:
    services = read_services(SECRETS)
    for service in services.values():
        for other, condition in service.depends_on.items():
            lasts = services[other].healthcheck is not None
            assert condition == (
                "service_healthy" if lasts else "service_completed_successfully"
            ), f"{service.name} needs {other}"


def test_what_must_last_is_on_a_named_volume() -> None:
    named = read_compose_file()["volumes"]
    (volume,) = read_services(SECRETS)["db"].volumes
    assert volume.split(":")[0] in named


def read_text(path: str) -> str:
    return (ROOT / path).read_text()
