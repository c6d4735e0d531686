"""A listener that is killed before its first acknowledgement: `python -m tests.streams.dying …`."""

import os
import runpy
import signal
import sys

import django


def main(command: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheetsync.settings")
    django.setup()
    from cells.streams.pulling import Puller  # models are not to be imported before

    def die(self: Puller, ack_ids: list[str]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Puller._acknowledge = die  # type: ignore[method-assign]
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


main(sys.argv[1:])
