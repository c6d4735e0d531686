"""SheetSync's own processes, each started as an operator would start it."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.compose import dockerfile_list
from tests.servers.process import (
    ROOT,
    ServerFailedError,
    ServerProcess,
    answers_http,
    clean_environment,
    free_port,
)


class WebServer(ServerProcess):
    """A web process, or a parent with several workers; stopped and started it keeps its port."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        workers: int = 1,
        command: Sequence[str] | None = None,
        port: int | None = None,
        name: str = "web",
        folder: Path = ROOT,
    ) -> None:
        """Describe uvicorn with `workers`, or `command`, which must listen on `port`."""
        self.port = port or free_port()
        self.workers = workers
        command = command or uvicorn(self.port, workers)
        super().__init__(name, command, log=log, environment=environment, folder=folder)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def websocket_url(self) -> str:
        return f"ws://{self.host}"

    def is_ready(self) -> bool:
        return answers_http(self.port, "/healthz") and len(self.worker_pids()) >= self.workers

    def worker_pids(self) -> list[int]:
        """Return the processes that uvicorn reports as serving; of `runserver`, its own."""
        found = re.findall(r"Started server process \[(\d+)\]", self.output())
        return [int(pid) for pid in found] or [self.pid]


class Listener(ServerProcess):
    """`manage.py pubsub_listener --create`, or the `command` of a deployment that does the same."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        arguments: Sequence[str] = (),
        command: Sequence[str] = (),
        folder: Path = ROOT,
    ) -> None:
        super().__init__(
            "listener",
            command or manage("pubsub_listener", "--create", *arguments),
            log=log,
            environment=environment,
            folder=folder,
        )

    def is_ready(self) -> bool:
        """Say whether the subscription exists: what is published before is lost."""
        return "listening to" in self.output()


class Publisher(ServerProcess):
    """`manage.py pubsub_publisher --create`, or a deployment's `command` that does the same."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        command: Sequence[str] = (),
        folder: Path = ROOT,
    ) -> None:
        super().__init__(
            "publisher",
            command or manage("pubsub_publisher", "--create"),
            log=log,
            environment=environment,
            folder=folder,
        )

    def is_ready(self) -> bool:
        """Say whether the topics exist."""
        return "publishing to" in self.output()


class Calculator(ServerProcess):
    """`manage.py calc_worker`, or a deployment's `command` that does the same."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        arguments: Sequence[str] = (),
        command: Sequence[str] = (),
        folder: Path = ROOT,
    ) -> None:
        super().__init__(
            "calculator",
            command or manage("calc_worker", *arguments),
            log=log,
            environment=environment,
            folder=folder,
        )

    def is_ready(self) -> bool:
        return "calculating what has formulas" in self.output()


def uvicorn(port: int, workers: int = 1) -> list[str]:
    """Return the image's own command, here: what is tested is what is deployed."""
    here = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    command = [here.get(word, word) for word in dockerfile_list("CMD")]
    return [sys.executable, "-m", *command, "--workers", str(workers)]


def runserver(port: int) -> list[str]:
    return manage("runserver", f"127.0.0.1:{port}", "--noreload")


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def run_manage(environment: Mapping[str, str], *arguments: str, seconds: float = 120) -> str:
    """Run one management command to its end and return what it printed."""
    done = subprocess.run(
        manage(*arguments),
        cwd=ROOT,
        env=clean_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    if done.returncode:
        raise ServerFailedError(
            f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout
