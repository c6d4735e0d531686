"""The one write path: a batch of submissions becomes one transaction.

No other module writes Cell or Revision. A batch of any size, over any number of sheets, costs a
fixed number of SQL statements, and one bad submission never sinks its neighbours.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from django.db import IntegrityError, connection
from django.utils import timezone

from cells.domain.axes import AxisName
from cells.domain.deltas import Delta
from cells.domain.errors import Deleted, NoSuchSheet, Outdated, SheetSyncError
from cells.domain.layout import CellId, set_inputs
from cells.domain.operations import (
    AddressedOperation,
    AppendRecord,
    AppendRecords,
    AppendRows,
    Intended,
    Operation,
    RestoreTo,
    SetAddresses,
    SetCells,
    Undo,
    Undone,
    UpsertRow,
    operation_to_json,
)
from cells.domain.reordering import ReorderCells
from cells.domain.values import SetValues
from cells.models import AuditEntry, AuthorKind
from cells.services import audit, calculated, history, restoring, sql, sql_past, tracing
from cells.services.authors import Author, Source
from cells.services.drafts import (
    Draft,
    Planned,
    TouchedCells,
    cells_by_author,
    delta_of,
    draft_of,
    followed_by,
    revived_of,
    shape_of,
)
from cells.services.editors import Editors, find_editors
from cells.services.figures import figures
from cells.services.fullness import Fullness
from cells.services.guarding import Guards
from cells.services.resolve import Resolver
from cells.services.restoring import RestorePlan, plan_restore
from cells.services.transactions import Cursor, writing
from cells.services.yielding import Yielding

logger = logging.getLogger(__name__)

Key: TypeAlias = tuple[int, str]
"""Sheet id, and operation id in the database's own form."""

_READING = (Undo, ReorderCells, SetValues, RestorePlan)  # they read what is written before them
_ADDRESSED = (SetAddresses, AppendRows, AppendRecord, AppendRecords, UpsertRow)

__all__ = ["Author", "AuthorKind", "CommitResult", "Committed", "Refused", "Submission", "commit"]


# Structs of C, which the search for garbage passes over: a busy sheet makes them by the thousand.
class Submission(msgspec.Struct, frozen=True, gc=False):
    """An operation on the way to the log: its id, its author, and its sheet's slug.

    Of a stream's also the `source`. With `expected_head` it is committed as the next revision
    after that one, and refused as Outdated once there is another.
    """

    sheet: str
    operation_id: UUID
    operation: Intended | AddressedOperation | RestorePlan
    author: Author
    source: Source | None = None
    expected_head: int | None = None


class Committed(msgspec.Struct, frozen=True, gc=False):
    """The operation is in the log, exactly once; `is_new` is False for a retry of it.

    `left` is how many cells an undo left alone, for somebody else has written them since.
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


@dataclass(frozen=True, slots=True)
class CommitResult:
    """One outcome per submission, in order, and what changed, by sheet id."""

    outcomes: list[Outcome]
    deltas: dict[int, Delta]
    trace: tracing.Parent = ""
    audited: list[AuditEntry] = field(default_factory=list)


def commit(submissions: Sequence[Submission]) -> CommitResult:
    """Commit what can be committed, in order, and say of each submission what became of it.

    Holds the sheets' locks from the first statement to COMMIT. Raises django.db.Error when the
    database fails; then nothing of the batch is in the log, and the same batch may be tried again.
    """
    if any(isinstance(submission.operation, RestoreTo) for submission in submissions):
        submissions = list(map(_planned, submissions))
    if tracing.is_on:
        with tracing.committing(submissions) as span:
            result = _counted(submissions)
            return replace(result, trace=tracing.note_outcomes(span, result.outcomes))
    return _counted(submissions)


def _counted(submissions: Sequence[Submission]) -> CommitResult:
    began = time.perf_counter()
    try:
        result = _in_transaction(submissions, is_new=True)
    except (_RetryFoundError, IntegrityError):
        result = _in_transaction(submissions, is_new=False)
    figures.commit_seconds.note(time.perf_counter() - began)
    figures.commit_submissions.note(len(submissions))
    _log(submissions, result.outcomes)
    for entry in result.audited:
        audit.tell(entry)
    return result


def _planned(submission: Submission) -> Submission:
    """Work out the past that a restore needs, before any lock is held."""
    if isinstance(submission.operation, RestoreTo):
        plan = plan_restore(submission.sheet, submission.operation, submission.operation_id)
        return msgspec.structs.replace(submission, operation=plan)
    return submission


@dataclass(frozen=True, slots=True)
class _Checks:
    """What each operation of a batch is held against before it is applied."""

    editors: Editors
    guards: Guards
    fullness: Fullness


class _RetryFoundError(Exception):
    """A batch that was taken for new has an operation that is in the log already."""


def _in_transaction(submissions: Sequence[Submission], *, is_new: bool) -> CommitResult:
    with writing() as cursor:
        results = [_commit(cursor, part, is_new=is_new) for part in _parts(submissions)]
    return results[0] if len(results) == 1 else _joined(results)


def _parts(submissions: Sequence[Submission]) -> Iterator[Sequence[Submission]]:
    """Cut a batch at what reads the part before it, or leaves cells that only a reading tells."""
    first = 0
    for place, submission in enumerate(submissions):
        if isinstance(submission.operation, _READING):
            if first < place:
                yield submissions[first:place]
            yield submissions[place : place + 1]
            first = place + 1
    if first < len(submissions) or not submissions:
        yield submissions[first:]


def _joined(results: Sequence[CommitResult]) -> CommitResult:
    """Return what the parts of one transaction came to: under one lock, they follow each other."""
    deltas: dict[int, Delta] = {}
    for result in results:
        for sheet_id, delta in result.deltas.items():
            earlier = deltas.get(sheet_id)
            deltas[sheet_id] = delta if earlier is None else followed_by(earlier, delta)
    outcomes = [outcome for result in results for outcome in result.outcomes]
    audited = [entry for result in results for entry in result.audited]
    return CommitResult(outcomes, deltas, audited=audited)


def _commit(cursor: Cursor, submissions: Sequence[Submission], *, is_new: bool) -> CommitResult:
    """Commit a batch, taken for new ones throughout (`is_new`) or looked up in the log first.

    Nearly every batch is new, and need not be looked up: the log's constraint finds a retry when
    it is written, and a refusal is looked up before it is given, for an operation that is in the
    log may well be impossible by now.
    """
    slugs = {submission.sheet for submission in submissions}
    drafts = {row.slug: draft_of(row) for row in sql.lock_sheets(cursor, slugs)}
    vendor = connection.vendor
    keys = [
        (drafts[s.sheet].row.id if s.sheet in drafts else 0, sql.uuid_text(vendor, s.operation_id))
        for s in submissions
    ]
    revisions = {} if is_new else sql.find_committed(cursor, keys)
    asked = _asked(submissions, drafts)
    checks = _Checks(find_editors(cursor, asked), Guards(asked), Fullness(cursor))
    resolver = _prepare(cursor, submissions, keys, drafts, revisions)

    outcomes: list[Outcome] = []
    refused: list[Key] = []
    for submission, key in zip(submissions, keys, strict=True):
        try:
            outcomes.append(_apply(cursor, submission, key, drafts, revisions, checks, resolver))
        except SheetSyncError as error:
            outcomes.append(Refused(submission.operation_id, error))
            refused.append(key)
    if is_new and refused and sql.find_committed(cursor, refused):
        raise _RetryFoundError

    changed = [draft for draft in drafts.values() if draft.planned]
    deltas = _write(cursor, changed) if changed else {}
    checks.guards.save(cursor)
    audited = [
        audit.note_restored(
            *(cursor, submission.author, key[0], submission.sheet),
            *(submission.operation.wanted.revision, outcome.revision),
        )
        for submission, key, outcome in zip(submissions, keys, outcomes, strict=True)
        if isinstance(submission.operation, RestorePlan)
        and isinstance(outcome, Committed)
        and outcome.is_new
    ]
    return CommitResult(outcomes, deltas, audited=audited)


def _asked(
    submissions: Sequence[Submission], drafts: Mapping[str, Draft]
) -> list[tuple[sql.SheetRow, Author]]:
    """Return each sheet of a batch with each of its authors: few, however many operations."""
    known = {(s.sheet, id(s.author)): s.author for s in submissions}
    return [(drafts[slug].row, author) for (slug, _), author in known.items() if slug in drafts]


def _prepare(
    cursor: Cursor,
    submissions: Sequence[Submission],
    keys: Sequence[Key],
    drafts: dict[str, Draft],
    revisions: dict[Key, int],
) -> Resolver:
    resolver = Resolver(cursor, {draft.row.id: draft.layout for draft in drafts.values()})
    resolver.prepare(
        [
            (draft.row.id, submission.operation)
            for submission, key in zip(submissions, keys, strict=True)
            if isinstance(submission.operation, _ADDRESSED)
            and (draft := drafts.get(submission.sheet)) is not None
            and key not in revisions
        ]
    )
    return resolver


def _apply(
    cursor: Cursor,
    submission: Submission,
    key: Key,
    drafts: dict[str, Draft],
    revisions: dict[Key, int],
    checks: _Checks,
    resolver: Resolver,
) -> Committed:
    """Number one submission and apply it to its draft, or raise why it cannot be."""
    draft = drafts.get(submission.sheet)
    if draft is None:
        raise NoSuchSheet(f"there is no sheet {submission.sheet[:64]!r}; check the address")
    sheet_id = draft.row.id
    if key in revisions:
        return Committed(submission.operation_id, revisions[key], is_new=False)
    checks.editors.require(draft.row, submission.author)
    if submission.expected_head not in (None, draft.head):
        raise Outdated(f"the sheet is at revision {draft.head} by now; read it again")
    author, source = submission.author, submission.source
    if isinstance(submission.operation, SetCells):  # nearly all, and nothing to look up
        operation: Operation = submission.operation
        left = 0
    else:
        operation, left = _resolved(cursor, submission, draft, resolver)
    if draft.row.has_protections:
        checks.guards.require(draft.row, draft.layout, operation, author, source)
    checks.fullness.require(draft, operation)
    if draft.row.has_protections:
        checks.guards.follow(draft.row, draft.layout, operation)
    effect = draft.layout.apply(operation)
    if resolver.is_asked:
        resolver.note(sheet_id, effect.cells)
    checks.fullness.note(sheet_id, effect.cells)
    draft.head += 1
    if effect.axes_before:
        if AxisName.ROWS in effect.axes_before:
            draft.rows_revision = draft.head
        if AxisName.COLUMNS in effect.axes_before:
            draft.columns_revision = draft.head
    if effect.frozen_before is not None:
        draft.rows_revision = draft.head  # a delta tells of it with the rows
    draft.planned.append(Planned(draft.head, key[1], author, source, operation, effect))
    revisions[key] = draft.head
    return Committed(submission.operation_id, draft.head, is_new=True, left=left)


def _resolved(
    cursor: Cursor, submission: Submission, draft: Draft, resolver: Resolver
) -> tuple[Operation, int]:
    """Return what a submission does to the sheet as it is now, and how many cells it leaves out."""
    operation = submission.operation
    sheet_id = draft.row.id
    left = 0
    if isinstance(operation, _ADDRESSED):
        operation = resolver.resolve(sheet_id, operation)
    if isinstance(operation, ReorderCells):
        spared = draft.layout.sparing_deleted(operation)
        if spared is None:
            raise Deleted("these rows or columns have been deleted meanwhile")
        operation = spared
    if isinstance(operation, SetValues):
        operation, states = calculated.write(cursor, sheet_id, draft.head + 1, operation)
        draft.valued += states
    if isinstance(operation, Undo):
        operation, left = history.resolve(
            cursor, sheet_id, draft.layout, operation, submission.author
        )
    if isinstance(operation, RestorePlan):
        operation, left = restoring.resolve(cursor, sheet_id, draft.head, draft.layout, operation)
    if isinstance(operation, RestoreTo):
        raise TypeError("a restore has to be planned before the sheet's lock is taken")
    return operation, left


def _write(cursor: Cursor, drafts: Sequence[Draft]) -> dict[int, Delta]:
    """Write cells, log and sheets, and return what changed."""
    now = timezone.now()
    adapt = sql.moment_adapter()
    moment = adapt(now)
    found = TouchedCells(cursor, drafts)
    yielding = Yielding(cursor, drafts)
    encode = msgspec.json.encode
    cells: list[tuple[int, int, int, str, int]] = []
    styled: list[sql.StyledCell] = []
    restyled: list[sql.StyledCell] = []
    lines: list[sql.RevisionRow] = []
    streamed: list[tuple[sql.RevisionRow, sql.Provenance]] = []
    deltas: dict[int, Delta] = {}
    revived: dict[int, tuple[int, dict[AxisName, list[tuple[int, int]]]]] = {}
    for draft in drafts:
        sheet_id = draft.row.id
        texts, styles, unset = (
            found.inputs[sheet_id],
            found.styles[sheet_id],
            found.unset[sheet_id],
        )
        touched: dict[CellId, tuple[int, Author]] = {}
        new_styles: set[CellId] = set()
        draft.filled -= sum(map(bool, texts.values()))
        for number, id_text, author, source, intended, planned in draft.planned:
            operation, effect = intended, planned.settled(texts, styles)
            if yielding.is_needed:
                if source is not None and isinstance(operation, SetCells):
                    operation, effect = yielding.settle(sheet_id, number, source, operation, effect)
                yielding.note(sheet_id, author, source, effect, now)
            before = set_inputs(texts, styles, effect)
            line = sql.RevisionRow(
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
            )
            if source is None:
                lines.append(line)
            else:
                streamed.append((line, _provenance(source, adapt)))
            mark = number, author
            if effect.restyled:
                touched.update(dict.fromkeys(effect.touched(), mark))
                new_styles.update(effect.restyled)
            else:
                for row, column, _ in effect.cells:
                    touched[row, column] = mark
            if isinstance(operation, Undone):
                history.note(cursor, sheet_id, operation, number)
        draft.filled += sum(map(bool, texts.values()))
        for key, (number, _) in touched.items():
            if key not in new_styles:
                cells.append((sheet_id, *key, texts[key], number))
            elif key in texts:
                styled.append((sheet_id, *key, texts[key], styles.get(key), number))
            else:
                restyled.append((sheet_id, *key, "", styles.get(key), number))
        by_author = cells_by_author(touched, {**unset, **texts}, styles, found.values[sheet_id])
        if draft.valued and by_author is not None:
            by_author = [(draft.planned[0].author, draft.valued)]  # they come alone; see _parts
        if draft_revived := revived_of(draft):
            revived[sheet_id] = draft.head, draft_revived
            by_author = None  # what comes back was written long ago, and has to be read
        deltas[sheet_id] = delta_of(draft, by_author)

    if cells:
        sql.upsert_cells(cursor, cells)
    if styled:
        sql.upsert_styled_cells(cursor, styled)
    if restyled:
        sql.restyle_cells(cursor, restyled)
    with_formulas = {cell[0] for cell in cells if cell[3][:1] == "="}
    with_formulas.update(cell[0] for cell in styled if cell[3][:1] == "=")
    if with_formulas:
        sql.note_formulas(cursor, with_formulas, moment)
    if yielding.proposals:
        rows = [(*key, *what, moment) for key, what in yielding.proposals.items()]
        sql_past.write_proposals(cursor, rows)
    for sheet_id, (number, runs_by_axis) in revived.items():
        for axis, runs in runs_by_axis.items():
            sql_past.tell_again(cursor, sheet_id, number, axis, runs)
    sql.insert_revisions(cursor, lines, streamed)
    heads = [(draft.row.id, draft.head, draft.filled) for draft in drafts]
    sql.update_heads(cursor, heads, moment)
    reshaped = [draft for draft in drafts if draft.has_new_rows or draft.has_new_columns]
    if reshaped:
        sql.update_shapes(cursor, [shape_of(draft) for draft in reshaped])
    return deltas


def _provenance(source: Source, adapt: Callable[[datetime], str]) -> sql.Provenance:
    event_at = None if source.event_at is None else adapt(source.event_at)
    return source.feed_id, adapt(source.published_at), event_at


def _log(submissions: Iterable[Submission], outcomes: Iterable[Outcome]) -> None:
    tells_all = logger.isEnabledFor(logging.DEBUG)
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if isinstance(outcome, Refused):
            figures.refusals.note(outcome.error.code)
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
