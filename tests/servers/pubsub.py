"""Google's Pub/Sub emulator."""

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.servers.missing import missing_service
from tests.servers.process import ServerProcess, answers_http, free_port


class PubsubEmulator(ServerProcess):
    """Keeps everything in memory: stopped and started again, it has no topic any more."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            "the Pub/Sub emulator",
            _command(self.port),
            log=folder / "pubsub-emulator.log",
            folder=folder,
        )

    @property
    def host(self) -> str:
        """The value for PUBSUB_EMULATOR_HOST."""
        return f"127.0.0.1:{self.port}"

    @staticmethod
    def new_project() -> str:
        """Return a project that no other test uses; the emulator knows every project."""
        return f"test-{uuid.uuid4().hex[:12]}"

    def is_ready(self) -> bool:
        return answers_http(self.port, "/")


def _command(port: int) -> list[str]:
    if shutil.which("java") is None:
        missing_service("Java", "the Pub/Sub emulator needs it: apt install default-jre-headless.")
    for script in _scripts():
        if script.exists():
            return [str(script), "--host=127.0.0.1", f"--port={port}"]
    missing_service(
        "Google's Pub/Sub emulator",
        "install the Google Cloud SDK (https://cloud.google.com/sdk/docs/install), then "
        "`gcloud components install pubsub-emulator` or "
        "`apt install google-cloud-cli-pubsub-emulator`.",
    )


def _scripts() -> Iterator[Path]:
    """Yield where the emulator's own script may be.

    `gcloud beta emulators pubsub start` runs the same script, 2 s later and as a grandchild.
    """
    if found := shutil.which("cloud-pubsub-emulator"):
        yield Path(found)
    if gcloud := shutil.which("gcloud"):
        inside = Path("platform/pubsub-emulator/bin/cloud-pubsub-emulator")
        yield Path(gcloud).resolve().parent.parent / inside
        # A snap's or a wrapper's gcloud lies elsewhere than its SDK, but knows where that is.
        info = subprocess.run(
            [gcloud, "info", "--format=value(installation.sdk_root)"],
            capture_output=True,
            text=True,
        )
        yield Path(info.stdout.strip()) / inside
