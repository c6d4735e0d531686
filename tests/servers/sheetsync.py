"""SheetSync's own processes, each started as an operator would start it."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.compose import dockerfile_list
from tests.servers.process import (
    ROOT,
    HttpServer,
    ServerFailedError,
    ServerProcess,
    answers_http,
    clean_environment,
    free_port,
)


class WebServer(HttpServer):
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

    def is_ready(self) -> bool:
        return answers_http(self.port, "/healthz") and len(self.worker_pids()) >= self.workers

    def worker_pids(self) -> list[int]:
        """Return the processes that uvicorn reports as serving; of `runserver`, its own."""
        found = re.findall(r"Started server process \[(\d+)\]", self.output())
        return [int(pid) for pid in found] or [self.pid]


class Command(ServerProcess):
    """A long-running `manage.py` command, or a deployment's `command` that does the same."""

    called: str
    usually: Sequence[str]
    says_when_ready: str

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
            self.called,
            command or manage(*self.usually, *arguments),
            log=log,
            environment=environment,
            folder=folder,
        )

    def is_ready(self) -> bool:
        return self.says_when_ready in self.output()


class Listener(Command):
    """`manage.py pubsub_listener`; what is published before it is ready is lost."""

    called = "listener"
    usually = ("pubsub_listener", "--create")
    says_when_ready = "listening to"


class Publisher(Command):
    """`manage.py pubsub_publisher`; ready once the topics exist."""

    called = "publisher"
    usually = ("pubsub_publisher", "--create")
    says_when_ready = "publishing to"


class Calculator(Command):
    """`manage.py calc_worker`."""

    called = "calculator"
    usually = ("calc_worker",)
    says_when_ready = "calculating what has formulas"


def uvicorn(port: int, workers: int = 1) -> list[str]:
    """Return the image's own command, here: what is tested is what is deployed."""
    here = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    command = [here.get(word, word) for word in dockerfile_list("CMD")]
    return [sys.executable, "-m", *command, "--workers", str(workers)]


def runserver(port: int) -> list[str]:
    return manage("runserver", f"127.0.0.1:{port}", "--noreload")


def manage(*arguments: str, folder: Path = ROOT) -> list[str]:
    return [sys.executable, str(folder / "manage.py"), *arguments]


def run_manage(
    environment: Mapping[str, str], *arguments: str, seconds: float = 120, folder: Path = ROOT
) -> str:
    """Run one management command to its end and return what it printed."""
    done = subprocess.run(
        manage(*arguments, folder=folder),
        cwd=folder,
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
