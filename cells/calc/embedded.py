"""The embedded mode: a web process that has the calculating worker as its child."""

import logging
import os
import subprocess
import sys
import threading
import time
import uuid

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from cells.services.calculations import are_any
from cells.services.outages import Backoff
from cells.services.readiness import is_draining

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # between two looks for the first formula: without any there is no child
LASTING_SECONDS = 10.0  # a child that lived so long is started again without a wait


class EmbeddedWorker:
    """Keeps `calc_worker` running from the first formula on, as long as this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start once, whoever calls; returns at once."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calculation", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        self._await_formulas()
        # One name for all of them: a child goes on with the sheets of one that was killed.
        command = [sys.executable, "-m", "django", "calc_worker", "--until-stdin-ends"]
        # The checks read all addresses and their views, which is half of what a start takes.
        command += ["--holder", str(uuid.uuid4()), "--skip-checks"]
        backoff = Backoff()
        while True:
            began = time.monotonic()
            try:
                # The pipe to it closes when this process ends, however it ends, and so does the
                # child. Its log goes where this one's goes; its status line nowhere.
                child = subprocess.Popen(
                    command,
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                )
                ended = f"with {child.wait()}"
            except OSError as error:
                ended = f"before it began: {error}"
            if time.monotonic() - began >= LASTING_SECONDS:
                backoff.reset()
            time.sleep(backoff.next_seconds())
            if is_draining():  # Ctrl-C went to both
                return
            logger.warning("the calculating worker ended %s; starting another one", ended)

    def _await_formulas(self) -> None:
        while True:
            try:
                if are_any():
                    break
            except DatabaseError as error:
                logger.debug("no look for formulas: %s", error)
                connection.close()
            time.sleep(LOOK_SECONDS)
        connection.close()


def _environment() -> dict[str, str]:
    """Return where a child finds the settings and the modules that this process has found."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE, "PYTHONPATH": path}


embedded_worker = EmbeddedWorker()
