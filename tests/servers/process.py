"""A server as a child process: started, awaited, ended by its own pid, its output in a file."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from typing import Self, TypeVar

ROOT = Path(__file__).resolve().parent.parent.parent

T = TypeVar("T")

# What configures SheetSync. A developer's own values must not leak into the servers of a test.
SETTINGS = (
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "HTTPS_ONLY",
    "IMPORT_MAX_BYTES",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "METRICS_TOKEN",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_FORM_ORIGINS",
    "OIDC_NAME",
    "OIDC_SERVER_URL",
    "OIDC_SIGN_UP",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "PUBSUB_EMULATOR_HOST",
    "PUBSUB_ORIGIN",
    "PUBSUB_PROJECT",
    "PUBSUB_PUSH_AUDIENCE",
    "PUBSUB_PUSH_CERTIFICATES_URL",
    "PUBSUB_PUSH_SERVICE_ACCOUNT",
    "PUBSUB_PUSH_UNAUTHENTICATED",
    "PUBSUB_SUBSCRIPTION",
    "PUBSUB_TOPIC",
    "REDIS_URL",
    "SECRET_KEY",
    "SENTRY_DSN",
    "TRUST_PROXY",
)

# Below the ephemeral ports (from 32768 on Linux, 49152 elsewhere): a client that keeps trying a
# stopped server's ephemeral port can be given that very port and connect to itself, and then the
# server cannot come back.
PORTS = range(20_000, 32_000)

# Every server that runs now; conftest.py shows their logs beside a failure.
running: "list[ServerProcess]" = []


_given_ports: set[int] = set()


class ServerFailedError(Exception):
    """A server did not do what a test needs of it; the message ends with its log."""


def clean_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this test, less what configures SheetSync, plus `added`."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    # Unbuffered: a killed server's last words belong into its log.
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(added)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens, and never one that it returned before.

    A server that a test has stopped must find its port free when it comes back. Therefore each
    worker of pytest-xdist has a share of its own, too.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    random = SystemRandom()  # pytest-randomly seeds the ordinary one alike in every run
    while True:
        port = random.choice(PORTS[worker % workers :: workers])
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                if port not in _given_ports:
                    _given_ports.add(port)
                    return port


def answers_http(port: int, path: str) -> bool:
    """Say whether a GET of `path` is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Return the first true value of `condition`; raise TimeoutError naming `what` otherwise.

    What has lasted for long is asked less often, so that it notices a twentieth too late: many
    conditions ask a database, and take from the processes that are waited for.
    """
    began = time.monotonic()
    while True:
        if value := condition():
            return value
        waited = time.monotonic() - began
        if waited > seconds:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(min(max(0.02, waited / 20), 0.25))


class ServerProcess:
    """One server: start it, wait for it, stop or kill it, start it again with the same arguments.

    It gets a process group of its own, so that what it forked can be ended with it and a Ctrl-C
    at the terminal reaches pytest alone, whose fixtures then stop the servers in order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Describe a server that `start` will run.

        `environment` is added to the test's own, less the variables that configure SheetSync.
        `user` is the account to run as (root only).
        """
        self.name = name
        self.command = list(command)
        self.log = log
        self.folder = folder
        self.user = user
        self.stop_signal = stop_signal
        self.environment = clean_environment(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._log_mark = 0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerFailedError(f"{self.name} was never started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Say whether the server answers; each kind of server knows how to tell."""
        return True

    def start(self, seconds: float = 60) -> Self:
        """Start the server and return when it is ready."""
        if self.is_running:
            raise ServerFailedError(f"{self.name} runs already, as process {self.pid}")
        with self.log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=() if self.user else None,
            )
        running.append(self)
        try:
            self.wait_until(self.is_ready, "its first answer", seconds)
        except BaseException:
            self.kill()
            raise
        return self

    def wait_until(self, condition: Callable[[], T], what: str, seconds: float = 60) -> T:
        """Like the function of that name, but gives up at once when the server ends."""

        def condition_or_end() -> T | None:
            value = condition()
            if not value and not self.is_running:
                self._forget()
                raise ServerFailedError(
                    f"{self.name} ended with exit code {self.process.returncode} while a test "
                    f"waited for {what}\n{self.log_tail()}"
                )
            return value

        try:
            value = wait_until(condition_or_end, what, seconds)
        except TimeoutError as error:
            raise ServerFailedError(f"{self.name}: {error}\n{self.log_tail()}") from None
        assert value is not None
        return value

    def wait_for_exit(self, seconds: float = 10) -> int:
        """Return the exit code of a server that ends by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ServerFailedError(
                f"{self.name} still runs after {seconds:g} s\n{self.log_tail()}"
            ) from None
        finally:
            if not self.is_running:
                self._forget()

    def stop(self, seconds: float = 10) -> int:
        """Ask the server to end and return its exit code; one that does not is a failure."""
        if self.is_running:
            self.process.send_signal(self.stop_signal)
        try:
            return self.wait_for_exit(seconds)
        except ServerFailedError:
            self.kill()
            raise

    def kill(self) -> None:
        """End the server, and whatever it started, without asking."""
        if self in running:
            self._signal_group(signal.SIGKILL)
            self.process.wait()
            self._forget()

    def mark_log(self) -> None:
        """Let `log_tail` leave out what the server has written so far."""
        self._log_mark = self.log.stat().st_size

    def output(self) -> str:
        """Return what the server wrote since it was last started."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines since `mark_log`, under a headline; nothing if there are none."""
        text = self.log.read_bytes()[self._log_mark :].decode(errors="replace")
        tail = "\n".join(text.splitlines()[-lines:])
        return tail and f"--- the end of the log of {self.name} ---\n{tail}"

    def _signal_group(self, number: signal.Signals) -> None:
        # The group outlives its first process while others are left in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _forget(self) -> None:
        if self in running:
            self._signal_group(signal.SIGKILL)  # nothing that it forked may stay behind
            running.remove(self)


class HttpServer(ServerProcess):
    """A server that speaks HTTP and WebSocket on a port of 127.0.0.1."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def websocket_url(self) -> str:
        return f"ws://{self.host}"
