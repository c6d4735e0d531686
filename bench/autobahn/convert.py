"""Autobahn's test suite, which is Python 2, as modules that Python 3 runs; inside its environment.

`python convert.py SDIST FOLDER`. Python 2's texts are bytes, and the cases are full of them: they
stay texts here, of one character for each byte (Latin-1), and fuzz.py makes them bytes at the
protocol's edge.
"""

import sys
import tarfile
from pathlib import Path

from fissix.refactor import RefactoringTool, get_fixers_from_package

# The cases, the list of them, the client that plays them, and what these import.
TAKEN = ("case/", "testdata/", "caseset.py", "fuzzing.py", "report.py", "interfaces.py")

# What the converter cannot know.
REPLACED = (
    ('.encode("utf-8")', '.encode("utf-8").decode("latin-1")'),
    ("(object, Case, )", "(Case, )"),  # a class of the new kind is an object already
    ("len(self.payload) / self", "len(self.payload) // self"),
    ("from case9_9_1 import *", ""),  # the list of cases leaves it out
    ("requestNoContextTakeover", "request_no_context_takeover"),  # renamed in autobahn
    ("requestMaxWindowBits", "request_max_window_bits"),
    ("(self, debug = debug, debugCodePaths = debug)", "(self)"),  # gone from autobahn
)


def convert(sdist: Path, folder: Path) -> None:
    """Unpack what is taken of `sdist` into `folder`, and convert it where it stands."""
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            name = member.name.partition("/autobahntestsuite/")[2]
            if member.isfile() and name.startswith(TAKEN):
                member.name = name
                archive.extract(member, folder, filter="data")
    tool = RefactoringTool(get_fixers_from_package("fissix.fixes"))
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="latin-1")
        for old, new in REPLACED:
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        tool.refactor_file(str(path), write=True)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
