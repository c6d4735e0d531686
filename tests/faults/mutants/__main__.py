"""Run a server with a defect put into it: `python -m tests.faults.mutants NAME -m uvicorn …`.

The defects exist to show that the checker sees them. They are put into a process when it starts,
from here; nothing in SheetSync knows of them.
"""

import os
import runpy
import sys
from collections.abc import Sequence

import django


def main(name: str, command: Sequence[str]) -> None:
    """Run `-m module arguments` or `script arguments` with this defect."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sheetsync.settings")
    django.setup()
    from tests.faults.mutants.defects import DEFECTS  # models are not to be imported before

    DEFECTS[name]()
    if command[0] == "-m":
        sys.argv = list(command[1:])
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(command)
        runpy.run_path(command[0], run_name="__main__")


main(sys.argv[1], sys.argv[2:])
