"""Who changed a cell, when, from where, and what it was before: a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from cells.domain.layout import CellId
from cells.domain.operations import (
    Step,
    load_operation,
    step_of,
)
from cells.domain.parts import parts_of
from cells.domain.reordering import ReorderCells
from cells.domain.styles import style_to_json
from cells.domain.undoing import written_by
from cells.models import Cell, LogReach
from cells.services.authors import IMPORT_PREFIX
from cells.services.past import json_text, kind_of
from cells.services.sql_past import as_moment

CHANGES_PER_PAGE = 20
LINES_PER_TRACE = 200  # of one cell, to find out what a sort brought


class ChangeSource(StrEnum):
    """Where a change came from: an author's kind, or a file that somebody imported."""

    USER = "user"
    GUEST = "guest"
    STREAM = "stream"
    API = "api"
    ADMIN = "admin"
    IMPORT = "import"


class Content(NamedTuple):
    """What a cell held, as far as a change is about it: its input and its style as JSON."""

    input: str | None
    style: Any | None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the log, as far as it is about one cell. See authors for what an origin says."""

    revision: int
    kind: str
    author_kind: str
    author_name: str
    user_id: int | None
    origin: str
    published_at: datetime | None
    committed_at: datetime
    old: Content
    new: Content


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, the newest first; `before` is what to ask for next, None at the end."""

    changes: list[Change]
    before: int | None


def read_changes_of(
    sheet_id: int,
    key: CellId,
    *,
    source: ChangeSource | None = None,
    before: int | None = None,
) -> ChangePage:
    """Return a page of what changed a cell, as far as its index has been filled (cell_index)."""
    condition, params = _condition(source)
    # Of what was pruned some lines stay, and those behind them that tell of a sort do not.
    pruned = LogReach.objects.filter(sheet_id=sheet_id).values_list("pruned", flat=True).first()
    if pruned:
        condition += " AND change.revision > %s"
        params.append(pruned)
    if before is not None:
        condition += " AND change.revision < %s"
        params.append(before)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT change.revision, log.author_kind, log.author_name, log.user_id, log.origin, "
            f"log.published_at, log.committed_at, {json_text('log.operation')}, "
            f"{json_text('log.before')} {_JOINED} {condition} "
            "ORDER BY change.revision DESC LIMIT %s",
            [sheet_id, *key, *params, CHANGES_PER_PAGE + 1],
        )
        found = cursor.fetchall()
    changes = []
    for line in found[:CHANGES_PER_PAGE]:
        change = _change(sheet_id, key, line)
        if change.old != change.new:  # a sort may have brought the like of what was there
            changes.append(change)
    has_more = len(found) > CHANGES_PER_PAGE
    return ChangePage(changes, found[CHANGES_PER_PAGE - 1][0] if has_more else None)


_JOINED = (
    "FROM cells_cellchange AS change JOIN cells_revision AS log "
    "ON log.sheet_id = change.sheet_id AND log.number = change.revision "
    'WHERE change.sheet_id = %s AND change."row" = %s AND change."column" = %s'
)


def _condition(source: ChangeSource | None) -> tuple[str, list[Any]]:
    if source is None:
        return "", []
    imported = f"{IMPORT_PREFIX}%"
    if source is ChangeSource.IMPORT:
        return " AND log.origin LIKE %s", [imported]
    return " AND log.author_kind = %s AND log.origin NOT LIKE %s", [source.value, imported]


def _change(sheet_id: int, key: CellId, line: tuple[Any, ...]) -> Change:
    number, author_kind, name, user_id, origin, published_at, committed_at, raw, past = line
    operation = _only_of(key, msgspec.json.decode(raw))
    step = step_of(load_operation(operation))
    if isinstance(step, ReorderCells):
        old, new = _content_at(sheet_id, key, number - 1), _content_at(sheet_id, key, number)
    else:
        old, new = _contents(key, step, _only_of(key, msgspec.json.decode(past)))
    return Change(
        number,
        operation["kind"],
        author_kind,
        name,
        user_id,
        origin,
        None if published_at is None else as_moment(published_at),
        as_moment(committed_at),
        old,
        new,
    )


def _only_of(key: CellId, raw: dict[str, Any]) -> dict[str, Any]:
    """Return a line's JSON with this cell alone: of a restore it may have 100,000 others."""
    only = dict(raw)
    if "cells" in only:
        only["cells"] = [cell for cell in raw["cells"] if cell[0] == key[0] and cell[1] == key[1]]
    if "steps" in only:
        only["steps"] = [_only_of(key, step) for step in raw["steps"]]
    if only.get("step") is not None:
        only["step"] = _only_of(key, raw["step"])
    return only


def _contents(key: CellId, step: Step | None, before: Mapping[str, Any]) -> tuple[Content, Content]:
    """Return what a cell held before and behind a step that is no sort."""
    for part, past in [] if step is None else parts_of(step, before):
        old = _past_of(key, past)
        if old is not None:
            text, style = written_by(part, past).get(key, (None, None))
            return old, Content(text, None if style is None else style_to_json(style))
    return Content(None, None), Content(None, None)


def _past_of(key: CellId, before: Mapping[str, Any]) -> Content | None:
    for row, column, text, *style in before.get("cells", ()):
        if (row, column) == key:
            return Content(text, style[0] if style else None)
    return None


def _content_at(sheet_id: int, key: CellId, number: int) -> Content:
    """Return what a cell held at a revision, from what changed it later, or took it elsewhere."""
    text: str | None = None
    style: Any | None = None
    lines = 0
    while lines < LINES_PER_TRACE and (text is None or style is None):
        found = _changes_since(sheet_id, key, number)
        moved_to = None
        for number, raw, past_text in found:  # noqa: B007 - where it goes on from
            lines += 1
            past = _past_of(key, msgspec.json.decode(past_text)) or Content(None, None)
            text = past.input if text is None else text
            style = past.style if style is None else style
            step = None if raw is None else step_of(load_operation(msgspec.json.decode(raw)))
            if isinstance(step, ReorderCells):
                moved_to = next(row for row, source in step.moves() if source == key[0])
                break
        if moved_to is not None:
            key = (moved_to, key[1])
        elif len(found) < LINES_PER_TRACE:  # nothing has changed it since
            cells = Cell.objects.filter(sheet_id=sheet_id, row=key[0], column=key[1])
            now = cells.values_list("input", "style").first() or ("", None)
            text = now[0] if text is None else text
            style = (now[1] or "") if style is None else style
    return Content(text, style)


def _changes_since(sheet_id: int, key: CellId, number: int) -> list[tuple[int, str | None, str]]:
    """Return the next changes of a cell: the revision, the operation of a sort, what was before."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT change.revision, CASE WHEN {kind_of('log.operation')} IN "
            f"('reorder_cells', 'undo', 'redo') THEN {json_text('log.operation')} END, "
            f"{json_text('log.before')} {_JOINED} AND change.revision > %s "
            "ORDER BY change.revision LIMIT %s",
            [sheet_id, *key, number, LINES_PER_TRACE],
        )
        return list(cursor.fetchall())
