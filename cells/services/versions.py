"""Versions with names: revisions that are to be found again, and kept when the log is pruned."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from cells.domain.axes import Axis, AxisName
from cells.domain.deltas import Delta
from cells.domain.errors import InvalidText, KeptByName, LimitExceeded, OwnerOnly, Pruned
from cells.domain.layout import CellId, Layout
from cells.domain.styles import Style, canonical
from cells.models import NamedVersion, Revision, Sheet
from cells.services.audit import PROJECT, Action, Actor, note
from cells.services.authors import Author
from cells.services.past_states import (
    Check,
    PastState,
    check_reach,
    read_head,
    read_past_deltas,
    read_state,
    shape_delta,
)
from cells.services.read import TouchedCell, deltas_of, filled_cells, one_state
from cells.services.transactions import writing

FORMAT = 1  # gzip of lines of JSON: lists of [row, column, input, style, value], then the shape
LEVEL = 6  # it is written once, and kept for long
MAX_NAMES = 200  # of a sheet: each is kept whole when the log goes
MAX_NAME_CHARACTERS = 100  # NamedVersion.name's column
_GZIP = 16 + zlib.MAX_WBITS


def name_version(
    sheet: Sheet,
    revision: int,
    name: str,
    author: Author,
    *,
    is_owner: bool = False,
    may_be_gone: bool = False,
    by: Actor = PROJECT,
) -> str:
    """Give a revision a name, or another one, and return it; an empty one takes it away.

    From a version whose log is pruned only the owner takes it, who knows that it will be gone.
    Raises KeptByName or OwnerOnly else, Outdated for a revision that is still to come, Pruned for
    one that is not kept, LimitExceeded or InvalidText for a name that cannot be one.
    """
    name = " ".join(name.split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise LimitExceeded(f"a name has at most {MAX_NAME_CHARACTERS} characters; shorten it")
    if not name.isprintable():
        raise InvalidText("a name cannot hold control characters; remove them")
    with transaction.atomic():
        # Pruning holds it, too, when it sets how far back the log is told: who is first is seen.
        head = hold(sheet)
        versions = NamedVersion.objects.filter(sheet=sheet, revision=revision)
        old = versions.values_list("name", flat=True).first()
        if old == name or (old is None and not name):
            return name
        if not name:
            _take_name(versions, is_owner=is_owner, may_be_gone=may_be_gone)
            note_taken(sheet, revision, str(old), by)
            return name
        if old is None:
            _check_room(sheet, revision, head)
            line = Revision.objects.filter(sheet=sheet, number=revision)
            NamedVersion.objects.create(
                sheet=sheet,
                revision=revision,
                name=name,
                user_id=author.user_id,
                author_name=author.name,
                committed_at=line.values_list("committed_at", flat=True).first(),
            )
        else:
            versions.update(name=name)
        note_named(sheet, revision, old, name, by)
    return name


def hold(sheet: Sheet) -> int:
    """Keep names of a sheet and the reach of its log as they are, and return the sheet's head."""
    held = Sheet.objects.select_for_update(no_key=True).filter(pk=sheet.pk)
    return held.values_list("head", flat=True).get()


def note_named(sheet: Sheet, revision: int, old: str | None, name: str, by: Actor) -> None:
    """Note in the audit log that a version has a name, or another one."""
    was = {} if old is None else {"old": old}
    note(Action.VERSION_NAMED, by, sheet, revision=revision, **was, name=name)


def note_taken(sheet: Sheet, revision: int, old: str, by: Actor) -> None:
    """Note in the audit log that a version has its name no more."""
    note(Action.VERSION_UNNAMED, by, sheet, revision=revision, old=old)


def _check_room(sheet: Sheet, revision: int, head: int) -> None:
    if NamedVersion.objects.filter(sheet=sheet).count() >= MAX_NAMES:
        raise LimitExceeded(
            f"a sheet has at most {MAX_NAMES} versions with names; take the name from one first"
        )
    check_reach(sheet.pk, revision, head)


def _take_name(versions: QuerySet[NamedVersion], *, is_owner: bool, may_be_gone: bool) -> None:
    if is_owner and may_be_gone:
        versions.delete()
        return
    versions.filter(data=None).delete()
    if not versions.exists():
        return
    if not is_owner:
        raise OwnerOnly(
            "the log of this version has been pruned, and without its name it would be gone; only "
            "the sheet's owner can take the name away"
        )
    raise KeptByName(
        "the log of this version has been pruned, and without its name it is gone; send gone=1 "
        "if that is meant"
    )


def read_kept_state(
    cursor: CursorWrapper, sheet_id: int, number: int, *, check: Check | None = None
) -> PastState:
    """Do what read_state of past_states does, of a pruned version with a name too."""
    try:
        return read_state(cursor, sheet_id, number, check=check)
    except Pruned:
        packed = _load(sheet_id, number)
        if packed is None:
            raise
    head, _ = read_head(cursor, sheet_id)
    layout, cells = _unpack(packed)
    inputs: dict[CellId, str] = {}
    styles: dict[CellId, Style] = {}
    # Whatever is filled now and was not then was empty.
    characters = 0
    for some in filled_cells(sheet_id):
        for row, column, *_ in some:
            inputs[row, column] = styles[row, column] = ""
        if check is not None:
            check(len(inputs), characters)
    for some in cells:
        for row, column, text, style, *_ in some:
            inputs[row, column] = text
            styles[row, column] = canonical(style) if style else ""
            characters += len(text)
        if check is not None:
            check(len(inputs), characters)
    return PastState(number, head, layout, inputs, styles)


def read_version(cursor: CursorWrapper, sheet_id: int, number: int) -> Iterator[Delta]:
    """Yield what gives an empty replica the sheet at a revision; `cursor` sees one state.

    Raises what read_kept_state raises, before the first.
    """
    try:
        state = read_state(cursor, sheet_id, number)
    except Pruned:
        packed = _load(sheet_id, number)
        if packed is None:
            raise
        layout, cells = _unpack(packed)
        yield from deltas_of(number, cells, shape_delta(layout))
        return
    yield from read_past_deltas(cursor, sheet_id, state)


def keep_versions(sheet_id: int, before: int) -> Iterator[int]:
    """Pack the versions of revisions before one, and yield each; while the log is still there."""
    lost = NamedVersion.objects.filter(sheet_id=sheet_id, revision__lt=before, data=None)
    for number in list(lost.order_by("revision").values_list("revision", flat=True)):
        with one_state() as cursor:
            state = read_state(cursor, sheet_id, number, is_checked=False)
            packed = _pack(read_past_deltas(cursor, sheet_id, state))
        with writing() as native:
            native.execute(
                "UPDATE cells_namedversion SET data = %s, format = %s "
                "WHERE sheet_id = %s AND revision = %s",
                [packed, FORMAT, sheet_id, number],
            )
        yield number


def _pack(deltas: Iterable[Delta]) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    parts = []
    for delta in deltas:
        cells = [cell for _, some in delta.changes for cell in some]
        parts.append(packer.compress(msgspec.json.encode(cells) + b"\n"))
        if not delta.has_more:
            shape = (delta.rows, delta.columns, delta.row_sizes, delta.column_sizes, delta.frozen)
            parts.append(packer.compress(msgspec.json.encode(shape) + b"\n"))
    return b"".join([*parts, packer.flush()])


def _load(sheet_id: int, number: int) -> bytes | None:
    found = NamedVersion.objects.filter(sheet_id=sheet_id, revision=number, format=FORMAT)
    data = found.values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def _unpack(packed: bytes) -> tuple[Layout, Iterator[list[TouchedCell]]]:
    decode = msgspec.json.decode
    *lines, last = zlib.decompress(packed, _GZIP).splitlines()
    rows, columns, row_sizes, column_sizes, (frozen_rows, frozen_columns) = decode(last)
    layout = Layout(
        {AxisName.ROWS: Axis.from_runs(rows), AxisName.COLUMNS: Axis.from_runs(columns)},
        {AxisName.ROWS: row_sizes, AxisName.COLUMNS: column_sizes},
        (frozen_rows, frozen_columns),
    )
    return layout, ([_touched(*cell) for cell in decode(line)] for line in lines)


def _touched(row: int, column: int, text: str, style: Any = "", *value: Any) -> TouchedCell:
    style_text = msgspec.json.encode(style).decode() if style else None
    value_text = msgspec.json.encode(value[0]).decode() if value else None
    return row, column, text, style_text, value_text, None, None
