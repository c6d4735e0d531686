"""requirements.lock: what the image installs is what requirements.txt asks for, with hashes."""

import re
from importlib.metadata import PackageNotFoundError, requires
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers.compose import dockerfile_stages
from tests.servers.process import ROOT

# Where the image runs; for markers.
IMAGE = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "os_name": "posix",
}
FILES = {
    "requirements.lock": ["requirements.txt"],
    "requirements-observe.lock": ["requirements.txt", "requirements-observe.txt"],
    "requirements-oidc.lock": ["requirements.txt", "requirements-oidc.txt"],
    "requirements-all.lock": [
        *("requirements.txt", "requirements-observe.txt", "requirements-oidc.txt")
    ],
}


class Locked(NamedTuple):
    version: str
    hashes: list[str]


def locked(name: str) -> dict[str, Locked]:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found: dict[str, Locked] = {}
    for line in text.splitlines():
        pin = re.fullmatch(
            r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+)((?: +--hash=sha256:[0-9a-f]{64})+) *", line
        )
        assert pin, f"{name}: {line[:100]} is no pin with hashes"
        hashes = re.findall(r"sha256:([0-9a-f]{64})", pin[3])
        found[canonicalize_name(pin[1])] = Locked(pin[2], hashes)
    return found


def asked_for(*names: str) -> list[Requirement]:
    """Return what the readable lists ask for, in the image."""
    lines = [line for name in names for line in (ROOT / name).read_text().splitlines()]
    wanted = [Requirement(line.split("  #")[0]) for line in lines if line[:1] not in {"#", ""}]
    return [one for one in wanted if one.marker is None or one.marker.evaluate(dict(IMAGE))]


@pytest.mark.parametrize("lock", FILES)
def test_every_pin_is_locked_in_the_same_version(lock: str) -> None:
    pins = locked(lock)
    for wanted in asked_for(*FILES[lock]):
        found = pins.get(canonicalize_name(wanted.name))
        assert found, f"{wanted.name} is not in {lock}: run make lock"
        assert str(wanted.specifier) == f"=={found.version}", f"{wanted.name}: run make lock"


@pytest.mark.parametrize("lock", FILES)
def test_nothing_is_missing_that_they_need_in_turn_and_nothing_else_is_there(lock: str) -> None:
    needed: set[str] = set()
    left = asked_for(*FILES[lock])
    while left:
        wanted = left.pop()
        for extra in ("", *wanted.extras):
            name = canonicalize_name(wanted.name)
            if f"{name}[{extra}]" in needed:
                continue
            needed.add(f"{name}[{extra}]")
            try:
                further = map(Requirement, requires(name) or [])
            except PackageNotFoundError:
                continue  # the image's Python wants it, and this one does not
            environment = {**IMAGE, "extra": extra}
            left += [one for one in further if not one.marker or one.marker.evaluate(environment)]
    assert {one.partition("[")[0] for one in needed} == locked(lock).keys(), "run make lock"


def test_one_lock_holds_for_all_images() -> None:
    *some, all_ = (locked(name) for name in FILES)
    for pins in some:
        assert pins.items() <= all_.items()


def test_image_installs_nothing_but_what_is_locked() -> None:
    installs = [rest for _, rest in dockerfile_stages()[0] if "pip install" in rest]
    for step, lock in zip(installs, list(FILES)[:-1], strict=True):
        assert "--require-hashes" in step
        assert f"-r {lock}" in step
