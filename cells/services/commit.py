"""The one write path: a batch of submissions becomes one transaction.

No other module writes Cell or Revision. A batch of any size, over any number of sheets, costs a
fixed number of SQL statements, and one bad submission never sinks its neighbours.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from django.db import IntegrityError, connection
from django.utils import timezone

from cells.domain.axes import Axis, AxisName
from cells.domain.deltas import CellState, Delta
from cells.domain.errors import Forbidden, NoSuchSheet, SheetSyncError
from cells.domain.layout import Effect, Layout, set_inputs, set_revisions
from cells.domain.operations import (
    AddressedOperation,
    AppendRows,
    LoggedOperation,
    Operation,
    Redo,
    SetAddresses,
    Undo,
    UpsertRow,
    operation_to_json,
)
from cells.models import AuthorKind, LinkRole, Role
from cells.services import sql
from cells.services.authors import Author
from cells.services.history import History, Wanted
from cells.services.resolve import Resolver
from cells.services.transactions import Cursor, writing

logger = logging.getLogger(__name__)

Key: TypeAlias = tuple[int, str]
"""Sheet id, and operation id in the database's own form."""

_ADDRESSED = (SetAddresses, AppendRows, UpsertRow)
_HISTORIC = (Undo, Redo)

__all__ = ["Author", "AuthorKind", "CommitResult", "Committed", "Refused", "Submission", "commit"]


# Structs of C, which the search for garbage passes over: a busy sheet makes them by the thousand.
class Submission(msgspec.Struct, frozen=True, gc=False):
    """An operation on the way to the log: its id, its author, and its sheet's slug."""

    sheet: str
    operation_id: UUID
    operation: Operation | AddressedOperation
    author: Author


class Committed(msgspec.Struct, frozen=True, gc=False):
    """The operation is in the log, exactly once; `is_new` is False for a retry of it.

    `left` is how many cells an undo or redo left alone, because others have written them since.
    """

    operation_id: UUID
    revision: int
    is_new: bool
    left: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The operation is not in the log, and `error` says why."""

    operation_id: UUID
    error: SheetSyncError


Outcome: TypeAlias = Committed | Refused
_Keyed: TypeAlias = tuple[Submission, Key]


@dataclass(frozen=True, slots=True)
class CommitResult:
    """One outcome per submission, in order, and what changed, by sheet id."""

    outcomes: list[Outcome]
    deltas: dict[int, Delta]


class _Step(NamedTuple):
    """One numbered operation on its way into the log, and the revision that it is about."""

    number: int
    id_text: str
    author: Author
    operation: LoggedOperation
    effect: Effect
    undoes: int | None


@dataclass(slots=True)
class _Draft:
    """A sheet while its part of the batch is applied in memory."""

    row: sql.SheetRow
    layout: Layout
    head: int
    rows_revision: int
    columns_revision: int
    filled: int
    steps: list[_Step] = field(default_factory=list)  # not yet written
    # Of what is written: the cells that the batch has set, by whom last, and their inputs.
    touched: dict[tuple[int, int], Author] = field(default_factory=dict)
    inputs: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def has_new_rows(self) -> bool:
        return self.rows_revision > self.row.head

    @property
    def has_new_columns(self) -> bool:
        return self.columns_revision > self.row.head


def commit(submissions: Sequence[Submission]) -> CommitResult:
    """Commit what can be committed, in order, and say of each submission what became of it.

    Holds the sheets' locks from the first statement to COMMIT. Raises django.db.Error when the
    database fails; then nothing of the batch is in the log, and the same batch may be tried again.
    """
    try:
        result = _in_transaction(submissions, is_new=True)
    except (_RetryFoundError, IntegrityError):
        result = _in_transaction(submissions, is_new=False)
    _log(submissions, result.outcomes)
    return result


class _RetryFoundError(Exception):
    """A batch that was taken for new has an operation that is in the log already."""


def _in_transaction(submissions: Sequence[Submission], *, is_new: bool) -> CommitResult:
    with writing() as cursor:
        return _commit(cursor, submissions, is_new=is_new)


def _commit(cursor: Cursor, submissions: Sequence[Submission], *, is_new: bool) -> CommitResult:
    """Commit a batch, taken for new ones throughout (`is_new`) or looked up in the log first.

    Nearly every batch is new, and need not be looked up: the log's constraint finds a retry when
    it is written, and a refusal is looked up before it is given, for an operation that is in the
    log may well be impossible by now.
    """
    slugs = {submission.sheet for submission in submissions}
    drafts = {row.slug: _draft(row) for row in sql.lock_sheets(cursor, slugs)}
    vendor = connection.vendor
    keys = [
        (drafts[s.sheet].row.id if s.sheet in drafts else 0, sql.uuid_text(vendor, s.operation_id))
        for s in submissions
    ]
    revisions = {} if is_new else sql.find_committed(cursor, keys)
    roles = _find_roles(cursor, submissions, drafts)
    moment = sql.adapt_moment(timezone.now())

    outcomes: list[Outcome] = []
    refused: list[Key] = []
    for part in _parts(submissions, keys):
        resolver = _prepare(cursor, part, drafts, revisions)
        history = _look_back(cursor, part, drafts, revisions)
        for submission, key in part:
            try:
                outcomes.append(
                    _apply(submission, key, drafts, revisions, roles, resolver, history)
                )
            except SheetSyncError as error:
                outcomes.append(Refused(submission.operation_id, error))
                refused.append(key)
        written = [draft for draft in drafts.values() if draft.steps]
        if written:
            _write(cursor, written, moment)
    if is_new and refused and sql.find_committed(cursor, refused):
        raise _RetryFoundError

    changed = [draft for draft in drafts.values() if draft.head > draft.row.head]
    if changed:
        _write_sheets(cursor, changed, moment)
    return CommitResult(outcomes, {draft.row.id: _delta(draft) for draft in changed})


def _parts(submissions: Sequence[Submission], keys: Sequence[Key]) -> list[list[_Keyed]]:
    """Cut a batch in front of what looks back at what the batch itself has changed by then.

    Each part is written before the next one reads; nearly every batch is one part.
    """
    keyed = list(zip(submissions, keys, strict=True))
    if not any(isinstance(submission.operation, _HISTORIC) for submission in submissions):
        return [keyed]
    parts: list[list[_Keyed]] = [[]]
    sheets: set[int] = set()  # that the part may change
    for submission, key in keyed:
        if key[0] in sheets and isinstance(submission.operation, _HISTORIC):
            parts.append([])
            sheets = set()
        parts[-1].append((submission, key))
        sheets.add(key[0])
    return parts


def _draft(row: sql.SheetRow) -> _Draft:
    decode = msgspec.json.decode
    layout = Layout(
        {AxisName.ROWS: _read_axis(row.rows), AxisName.COLUMNS: _read_axis(row.columns)},
        {AxisName.ROWS: decode(row.row_sizes), AxisName.COLUMNS: decode(row.column_sizes)},
    )
    return _Draft(row, layout, row.head, row.rows_revision, row.columns_revision, row.filled)


@lru_cache(maxsize=256)  # axes change seldom, and one of thousands of runs costs milliseconds
def _read_axis(text: str) -> Axis:
    return Axis.from_runs(msgspec.json.decode(text))


def _find_roles(
    cursor: Cursor, submissions: Sequence[Submission], drafts: dict[str, _Draft]
) -> dict[tuple[int, int], str]:
    pairs = {
        (drafts[submission.sheet].row.id, submission.author.user_id)
        for submission in submissions
        if submission.author.kind == AuthorKind.USER
        and submission.author.user_id is not None
        and submission.sheet in drafts
    }
    return sql.find_roles(cursor, pairs) if pairs else {}


def _prepare(
    cursor: Cursor,
    part: Sequence[_Keyed],
    drafts: dict[str, _Draft],
    revisions: dict[Key, int],
) -> Resolver:
    resolver = Resolver(cursor, {draft.row.id: draft.layout for draft in drafts.values()})
    resolver.prepare(
        [
            (draft.row.id, submission.operation)
            for submission, key in part
            if isinstance(submission.operation, _ADDRESSED)
            and (draft := drafts.get(submission.sheet)) is not None
            and key not in revisions
        ]
    )
    return resolver


def _look_back(
    cursor: Cursor,
    part: Sequence[_Keyed],
    drafts: dict[str, _Draft],
    revisions: dict[Key, int],
) -> History:
    history = History(cursor, connection.vendor)
    historic = [
        (key, submission.operation)
        for submission, key in part
        if isinstance(submission.operation, _HISTORIC) and submission.sheet in drafts
    ]
    if historic:
        history.prepare(
            [Wanted(key[0], operation) for key, operation in historic if key not in revisions],
            committed=[key for key, _ in historic if key in revisions],
        )
    return history


def _apply(
    submission: Submission,
    key: Key,
    drafts: dict[str, _Draft],
    revisions: dict[Key, int],
    roles: dict[tuple[int, int], str],
    resolver: Resolver,
    history: History,
) -> Committed:
    """Number one submission and apply it to its draft, or raise why it cannot be."""
    draft = drafts.get(submission.sheet)
    if draft is None:
        raise NoSuchSheet(f"there is no sheet {submission.sheet[:64]!r}; check the address")
    sheet_id = draft.row.id
    if key in revisions:
        return Committed(
            submission.operation_id, revisions[key], is_new=False, left=history.left_by(key)
        )
    _require_editor(draft.row, submission.author, roles)
    undoes, left = None, 0
    operation: LoggedOperation
    match submission.operation:
        case SetAddresses() | AppendRows() | UpsertRow() as addressed:
            operation = resolver.resolve(sheet_id, addressed)
        case Undo() | Redo() as historic:
            undoes, operation = history.resolve(sheet_id, historic, submission.author)
            left = operation.left
        case operation:
            pass
    effect = draft.layout.apply(operation)
    if resolver.is_asked:
        resolver.note(sheet_id, effect.cells)
    draft.head += 1
    if effect.axes_before:
        if AxisName.ROWS in effect.axes_before:
            draft.rows_revision = draft.head
        if AxisName.COLUMNS in effect.axes_before:
            draft.columns_revision = draft.head
    draft.steps.append(_Step(draft.head, key[1], submission.author, operation, effect, undoes))
    revisions[key] = draft.head
    return Committed(submission.operation_id, draft.head, is_new=True, left=left)


def _require_editor(sheet: sql.SheetRow, author: Author, roles: dict[tuple[int, int], str]) -> None:
    """Raise Forbidden unless a person may edit; programs are checked where they come in."""
    if author.kind not in (AuthorKind.USER, AuthorKind.GUEST):
        return
    if sheet.link_role == LinkRole.EDITOR:
        return
    if author.kind == AuthorKind.USER and author.user_id is not None:
        granted = roles.get((sheet.id, author.user_id))
        if author.user_id == sheet.owner_id or granted in (Role.EDITOR, Role.OWNER):
            return
    raise Forbidden("you may look at this sheet but not change it; ask its owner for edit access")


def _write(cursor: Cursor, drafts: Sequence[_Draft], moment: str) -> None:
    """Write the cells and the log of what the drafts have not written yet."""
    keys = {
        (draft.row.id, row, column)
        for draft in drafts
        for step in draft.steps
        for row, column, _ in step.effect.cells
    }
    inputs: dict[int, dict[tuple[int, int], str]] = defaultdict(dict)
    states: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    if keys:
        for (sheet_id, row, column), cell in sql.read_cells(cursor, keys).items():
            inputs[sheet_id][row, column] = cell.input
            states[sheet_id][row, column] = cell.revision

    encode = msgspec.json.encode
    cells: list[tuple[int, int, int, str, int, int | None]] = []
    lines: list[sql.RevisionRow] = []
    for draft in drafts:
        sheet_id = draft.row.id
        texts, revisions = inputs[sheet_id], states[sheet_id]
        touched: dict[tuple[int, int], int] = {}
        draft.filled -= sum(map(bool, texts.values()))
        for number, id_text, author, operation, effect, undoes in draft.steps:
            before = set_inputs(texts, effect)
            pasts = set_revisions(revisions, effect, number)
            if any(pasts):
                before["revisions"] = pasts
            lines.append(
                sql.RevisionRow(
                    sheet_id,
                    number,
                    id_text,
                    str(author.kind),
                    author.name,
                    author.user_id,
                    author.origin,
                    encode(operation_to_json(operation)).decode(),
                    encode(before).decode(),
                    moment,
                    undoes,
                )
            )
            for row, column, _ in effect.cells:
                touched[row, column] = number
                draft.touched[row, column] = author
        draft.filled += sum(map(bool, texts.values()))
        draft.steps.clear()
        draft.inputs.update(texts)
        for key, number in touched.items():
            state = revisions[key]
            cells.append((sheet_id, *key, texts[key], number, None if state == number else state))
    if cells:
        sql.upsert_cells(cursor, cells)
    sql.insert_revisions(cursor, lines)


def _write_sheets(cursor: Cursor, drafts: Sequence[_Draft], moment: str) -> None:
    heads = [(draft.row.id, draft.head, draft.filled) for draft in drafts]
    sql.update_heads(cursor, heads, moment)
    reshaped = [draft for draft in drafts if draft.has_new_rows or draft.has_new_columns]
    if reshaped:
        sql.update_shapes(cursor, [_shape(draft) for draft in reshaped])


def _delta(draft: _Draft) -> Delta:
    by_author: dict[int, tuple[Author, list[CellState]]] = {}
    for key, author in draft.touched.items():
        # An author is one object per socket: compared by it, not by its four fields.
        if (found := by_author.get(id(author))) is None:
            found = by_author[id(author)] = (author, [])
        found[1].append((*key, draft.inputs[key]))
    axes, sizes = draft.layout.axes, draft.layout.sizes
    has_rows, has_columns = draft.has_new_rows, draft.has_new_columns
    return Delta(
        after=draft.row.head,
        through=draft.head,
        changes=_by_label(by_author.values()),
        rows=axes[AxisName.ROWS].to_runs() if has_rows else None,
        columns=axes[AxisName.COLUMNS].to_runs() if has_columns else None,
        row_sizes=sizes[AxisName.ROWS] if has_rows else None,
        column_sizes=sizes[AxisName.COLUMNS] if has_columns else None,
    )


def _by_label(
    by_author: Iterable[tuple[Author, list[CellState]]],
) -> list[tuple[str | None, list[CellState]]]:
    """Return cells by what a delta calls their authors; all streams, say, share a label."""
    changes: dict[str | None, list[CellState]] = {}
    for author, cells in by_author:
        changes.setdefault(author.label, []).extend(cells)
    return list(changes.items())


def _shape(draft: _Draft) -> sql.SheetShape:
    encode = msgspec.json.encode
    axes, sizes = draft.layout.axes, draft.layout.sizes
    return sql.SheetShape(
        draft.row.id,
        encode(axes[AxisName.ROWS].to_runs()).decode(),
        encode(axes[AxisName.COLUMNS].to_runs()).decode(),
        encode(sizes[AxisName.ROWS]).decode(),
        encode(sizes[AxisName.COLUMNS]).decode(),
        draft.rows_revision,
        draft.columns_revision,
    )


def _log(submissions: Iterable[Submission], outcomes: Iterable[Outcome]) -> None:
    tells_all = logger.isEnabledFor(logging.DEBUG)
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if isinstance(outcome, Refused):
            logger.info(
                "refused sheet=%s operation_id=%s code=%s: %s",
                submission.sheet,
                outcome.operation_id,
                outcome.error.code,
                outcome.error,
            )
        elif tells_all:
            logger.debug(
                "committed sheet=%s revision=%s operation_id=%s is_new=%s",
                submission.sheet,
                outcome.revision,
                outcome.operation_id,
                outcome.is_new,
            )
