"""Asks LibreOffice for what bench/calc.py measures; run by the Python that has its module `uno`.

Reads a sheet and what to do as JSON from stdin, and prints the seconds of each edit.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import uno  # type: ignore[import-not-found]

PIPE = "sheetsync-bench"
START_SECONDS = 60


def connect(profile: str) -> tuple["subprocess.Popen[bytes]", Any]:
    """Start an office of our own, and return it with its desktop."""
    office = subprocess.Popen(
        [
            *(
                "soffice",
                "--headless",
                "--norestore",
                "--nologo",
                f"-env:UserInstallation={profile}",
            ),
            f"--accept=pipe,name={PIPE};urp",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # it starts others, which have to end with it
    )
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local
    )
    began = time.monotonic()
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={PIPE};urp;StarOffice.ComponentContext")
            break
        except uno.getClass("com.sun.star.connection.NoConnectException"):
            if time.monotonic() - began > START_SECONDS:
                os.killpg(office.pid, signal.SIGKILL)
                raise
            time.sleep(0.2)
    desktop = context.ServiceManager.createInstanceWithContext(
        "com.sun.star.frame.Desktop", context
    )
    return office, desktop


def main() -> None:
    given = json.load(sys.stdin)
    office, desktop = connect(given["profile"])
    try:
        hidden = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
        hidden.Name, hidden.Value = "Hidden", True  # with a window it crashes without a screen
        document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, (hidden,))
        sheet = document.Sheets.getByIndex(0)
        document.enableAutomaticCalculation(False)
        rows = tuple(map(tuple, given["rows"]))
        cells = sheet.getCellRangeByPosition(0, 0, len(rows[0]) - 1, len(rows) - 1)
        cells.setFormulaArray(rows)
        document.calculateAll()
        edited = sheet.getCellRangeByName(given["edited"])
        awaited = sheet.getCellRangeByName(given["awaited"])
        seconds = []
        for number, expected in enumerate(given["expected"], 1_000):
            began = time.monotonic()
            edited.setValue(float(number))
            document.calculate()
            found = awaited.getValue()
            seconds.append(time.monotonic() - began)
            if found != expected:
                raise SystemExit(f"{found} instead of {expected}")
        print(json.dumps(seconds))
        document.close(True)
    finally:
        os.killpg(office.pid, signal.SIGKILL)
        office.wait()


if __name__ == "__main__":
    main()
