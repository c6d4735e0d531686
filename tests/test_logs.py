"""Log lines: one record is one line, and nothing that is filled in makes a field or a line."""

import json
import logging
from io import StringIO

import pytest

from sheetsync.logs import JsonFormatter, TextFormatter

HOSTILE = (
    "x sheet=other revision=9\n2026-11-27 08:00:00.000Z INFO cells forged\r\x1b[2J\u2028\x85end"
)


class Log:
    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(formatter)
        self.logger = logging.getLogger("cells.tests.logs")
        self.logger.setLevel(logging.DEBUG)
        self.logger.handlers = [handler]

    def text(self) -> str:
        return self._stream.getvalue()


@pytest.fixture(params=[JsonFormatter, TextFormatter], ids=["json", "text"])
def log(request: pytest.FixtureRequest) -> Log:
    return Log(request.param())


def test_a_hostile_text_forges_no_line_in_either_form(log: Log) -> None:
    log.logger.info("refused sheet=%s code=%s: %s", "prices", "too_large", HOSTILE)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        log.logger.exception("sheet=%s missed a beat", HOSTILE)
    lines = log.text().split("\n")
    assert lines.pop() == ""
    assert not any(control in log.text() for control in "\r\x1b\u2028\x85")
    # Of a traceback every line is indented, where it is not within its record's line.
    records = [line for line in lines if not line.startswith("    ")]
    assert len(records) == 2
    assert "refused sheet=prices code=too_large: x sheet=other" in records[0]
    assert "ValueError" in log.text()


def test_fields_are_what_the_call_names_and_never_what_it_is_filled_in_with() -> None:
    log = Log(JsonFormatter())
    log.logger.info("refused sheet=%s revision=%s code=%s: %s", "prices", 7, "no", HOSTILE)
    log.logger.info("took 100%% of %*d for sheet=%s", 5, 3, HOSTILE)
    log.logger.info("message=%s level=%s sheet=prices", "not mine", "FORGED")
    log.logger.info("%(sheet)s sheet=%(other)s", {"sheet": "a", "other": "b"})
    first, second, third, fourth = map(json.loads, log.text().splitlines())
    assert (first["sheet"], first["revision"], first["code"]) == ("prices", 7, "no")
    assert set(first) == {
        *("time", "level", "logger", "message", "process"),
        *("sheet", "revision", "code"),
    }
    assert second["sheet"] == HOSTILE
    assert second["message"] == f"took 100% of     3 for sheet={HOSTILE}"
    assert (third["level"], third["message"]) == (
        "INFO",
        "message=not mine level=FORGED sheet=prices",
    )
    assert "sheet" not in third
    assert "sheet" not in fourth
