"""Log lines: JSON objects for programs, or text for people; of either one record is one line.

What a call names in its text (`"sheet=%s revision=%s"`) becomes a field of its own in JSON, and
stays in the message, so that one grep follows an edit in both forms. The names come from the
call's own template and never from what was filled in, so a title like "x sheet=other" forges
nothing; nor does one with a line break, which is written as \\n.
"""

import json
import logging
import os
import re
import sys
import threading
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

MAX_MESSAGE_CHARACTERS = 16_000  # collectors cut or split longer lines: 16 kB is Docker's own bound

# A conversion of the % operator, and the name that the template gives it, if any.
# https://docs.python.org/3/library/stdtypes.html#printf-style-string-formatting
_CONVERSION = re.compile(
    r"%%|(?:(?<![\w.])(?P<name>[a-z][a-z_]*)=)?"
    r"%(?P<mapped>\(\w+\))?[-#0 +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?[hlL]?"
    r"[diouxXeEfFgGcrsa]"
)
# What ends a line for some reader, or moves a terminal's cursor.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_RESERVED = frozenset(("time", "level", "logger", "message", "process", "exception"))


def make_formatter() -> logging.Formatter:
    """Return the formatter that LOG_FORMAT asks for, or DEBUG; for logging.config's "()".

    Uvicorn's parent process asks for it, too, which knows no settings of Django.
    """
    return JsonFormatter() if is_json() else TextFormatter()


def is_json() -> bool:
    """Whether lines are JSON: where LOG_FORMAT says so, else where DEBUG is off."""
    wanted = os.environ.get("LOG_FORMAT", "").strip().lower()
    debug = os.environ.get("DEBUG", "").strip().lower()
    return wanted == "json" or (not wanted and debug in ("0", "false", "off", "no", "n"))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call names."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time_of(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _cut(record.getMessage()),
            "process": record.process,
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = _cut(self.formatException(record.exc_info))
        # ASCII: nothing in it ends a line or moves a cursor, whoever shows it.
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`time level logger message`; what else belongs to it is indented, as no line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        time = _time_of(record).isoformat(" ", timespec="milliseconds").replace("+00:00", "Z")
        message = _CONTROL.sub(_escaped, _cut(record.getMessage()))
        lines = [f"{time} {record.levelname} {record.name} {message}"]
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            lines += [f"    {_CONTROL.sub(_escaped, one)}" for one in trace]
        return "\n".join(lines)


def take_in_the_rest() -> None:
    """Make log lines of what Python writes to stderr itself: warnings, and what ends a thread."""
    logging.captureWarnings(capture=True)
    logger = logging.getLogger(__name__)

    def of_process(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        logger.critical("the process ends with an error", exc_info=(kind, error, trace))

    def of_thread(ended: threading.ExceptHookArgs) -> None:
        name = "" if ended.thread is None else ended.thread.name
        error = ended.exc_value or ended.exc_type()
        logger.critical("the thread %s ends with an error", name, exc_info=error)

    sys.excepthook = of_process
    threading.excepthook = of_thread


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a call names in its template, by those names."""
    if not isinstance(record.msg, str) or not isinstance(record.args, tuple):
        return {}
    return {
        name: _plain(record.args[place])
        for place, name in _named(record.msg)
        if place < len(record.args)
    }


@lru_cache(maxsize=1_024)
def _named(template: str) -> tuple[tuple[int, str], ...]:
    """Return (place of the argument, name) for each conversion that a template names."""
    found: list[tuple[int, str]] = []
    place = 0
    for match in _CONVERSION.finditer(template):
        if match[0] == "%%":
            continue
        if match["mapped"]:
            return ()
        place += (match["width"] == "*") + (match["precision"] == "*")
        if match["name"] and match["name"] not in _RESERVED:
            found.append((place, match["name"]))
        place += 1
    return tuple(found)


def _plain(value: object) -> object:
    """Return a number or a truth value as it is, and all else as text."""
    return value if isinstance(value, bool | int | float | None) else _cut(str(value))


def _time_of(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _cut(text: str) -> str:
    if len(text) <= MAX_MESSAGE_CHARACTERS:
        return text
    return f"{text[:MAX_MESSAGE_CHARACTERS]}… ({len(text):,} characters)"


def _escaped(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]


def logging_config(level: str) -> dict[str, Any]:
    """Return logging.config's dictionary: all loggers of ours and of the servers, to one handler.

    `level` is that of SheetSync's own. https://docs.python.org/3/library/logging.config.html
    """
    own_handler = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "sheetsync.logs.make_formatter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "cells": {"level": level},
            "sheetsync": {"level": level},
            "django": {"level": "INFO"},
            # Servers bring handlers of their own, which these take the place of.
            "django.server": {**own_handler, "level": "INFO"},
            "uvicorn": {**own_handler, "level": "INFO"},
            "uvicorn.error": {"level": "INFO"},
            "uvicorn.access": {**own_handler, "level": "INFO"},
            "daphne": {**own_handler, "level": "WARNING"},
            # At the end of a pipeline it warns of the very error that it raises.
            "psycopg": {"level": "ERROR"},
        },
    }
