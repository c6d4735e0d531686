"""Asks LibreOffice for what bench/calc.py measures; run by the Python that has its module `uno`.

Reads a sheet and what to do as JSON from stdin, and prints the seconds of each edit.
"""

import json
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
        ]
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
                office.kill()
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
        document = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, ())
        sheet = document.Sheets.getByIndex(0)
        document.enableAutomaticCalculation(False)
        for address, text in given["cells"]:
            cell = sheet.getCellRangeByName(address)
            if text.startswith("="):
                cell.setFormula(text)
            else:
                cell.setValue(float(text))
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
        office.kill()
        office.wait()


if __name__ == "__main__":
    main()
