"""Restoring: what a sheet was at a revision becomes its newest revision.

The past is worked out ahead, without the sheet's lock; under the lock only what has come since is
taken into account. So a long log holds nobody up.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from cells.domain.axes import Axis, AxisName
from cells.domain.errors import LimitExceeded, NoSuchSheet, Outdated, SheetSyncError
from cells.domain.layout import CellId, Layout
from cells.domain.operations import (
    Restored,
    RestoreTo,
    RestyleEach,
    SetCells,
    Several,
    Step,
)
from cells.domain.restoring import Content, steps_of_cells, steps_of_shape
from cells.models import Cell, Revision, Sheet
from cells.services.past import all_steps_back, steps_back
from cells.services.past_states import (
    PastState,
    check_reach,
    read_contents,
    read_head,
    rewound_state,
    touched_by,
)
from cells.services.read import one_state
from cells.services.transactions import Cursor
from cells.services.versions import read_kept_state

MAX_CELLS = 50_000  # of one line of the log: a second in the lock, and SQLite has one writer
MAX_CHARACTERS = 10_000_000  # of the inputs in it: the old ones come on top of that
MAX_HELD_CELLS = 500_000  # touched since, be they as they were or not: some 150 MB of a plan
MAX_HELD_CHARACTERS = 50_000_000  # of what was in them
FEW_REVISIONS = 200  # may be read in the sheet's lock
IDS_PER_QUERY = 500  # of rows and columns that are gone
MAX_ROUNDS = 5  # of catching up with a sheet that is edited all the while


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """A RestoreTo whose past is known: what differed when the sheet was at revision `base`.

    `now` is what those cells had then, as far as they existed. `lost` are the filled cells of a
    range, as it was, whose rows or columns have been deleted since.
    `refusal` is why it cannot be. It is given only under the sheet's lock: what is in the log
    already may well be impossible by now.
    """

    wanted: RestoreTo
    sheet_id: int
    base: int
    layout: Layout | None = None
    cells: Mapping[CellId, Content] = field(default_factory=dict)
    now: Mapping[CellId, Content] = field(default_factory=dict)
    lost: frozenset[CellId] = frozenset()
    refusal: SheetSyncError | None = None


def plan_restore(slug: str, wanted: RestoreTo, operation_id: UUID) -> RestorePlan:
    """Work out what a restore needs, but for what is committed from now on.

    Takes as long as reading the log between then and now, but nothing for a retry of what is in
    the log, which commit finds there. Raises django.db.Error.
    """
    try:
        with one_state() as cursor:
            sheet_id = _sheet_id(slug)
            if Revision.objects.filter(sheet_id=sheet_id, operation_id=operation_id).exists():
                raise Outdated("it has been restored already")
            state = read_kept_state(cursor, sheet_id, wanted.revision, check=_check_held)
            cells = _contents_of(cursor, sheet_id, state, _chosen(wanted, state.layout))
            cells, now = _differing(cursor, sheet_id, cells)
            lost = _lost(cursor, sheet_id, wanted, state)
            plan = RestorePlan(wanted, sheet_id, state.head, state.layout, cells, now, lost)
            _check_plan(plan, read_head(cursor, sheet_id)[1])
        for _ in range(MAX_ROUNDS):
            caught_up = _caught_up(plan, state.layout)
            is_close = caught_up.base - plan.base <= FEW_REVISIONS
            plan = caught_up
            if is_close:
                break
    except SheetSyncError as error:
        return RestorePlan(wanted, 0, 0, refusal=error)
    return plan


def _sheet_id(slug: str) -> int:
    found = Sheet.objects.filter(slug=slug, deleted_at=None).values_list("pk", flat=True).first()
    if found is None:
        raise NoSuchSheet(f"there is no sheet {slug[:64]!r}; check the address")
    return found


def resolve(
    cursor: Cursor, sheet_id: int, head: int, layout: Layout, plan: RestorePlan
) -> tuple[Restored, int]:
    """Return what a restore comes to now, under the sheet's lock, and how many cells it leaves.

    Those are the ones of a range whose rows or columns have been deleted since. Raises why it
    cannot be: Pruned, Outdated, LimitExceeded, UnknownId for corners of a range.
    """
    if plan.refusal is not None:
        raise plan.refusal
    wanted, shape = plan.wanted, plan.layout
    if plan.sheet_id != sheet_id or shape is None:
        raise Outdated("the sheet is another one by now; reload the page")
    since = all_steps_back(cursor, sheet_id, plan.base, head)
    then = plan.cells
    known = set(then)
    if since:
        for line in since:
            known -= touched_by(line.step, line.before)
        begun = PastState(plan.base, head, layout, {}, {})
        state = rewound_state(cursor, sheet_id, begun, since)
        then = {**_contents_of(cursor, sheet_id, state, _chosen(wanted, shape)), **plan.cells}
    steps = steps_of_shape(layout, shape) if wanted.range is None else []
    alive = shape if wanted.range is None else layout
    seen = _seen(then, alive)
    # Little is read in the lock: what nobody has touched since is as it was.
    present = {**plan.now, **read_contents(cursor, sheet_id, seen.keys() - known)}
    steps += steps_of_cells(present, seen)
    _check_size(steps)
    rows, columns = (alive.axes[name] for name in AxisName)
    left = 0 if wanted.range is None else _count_left(plan.lost, then, seen, rows, columns)
    return Restored(wanted.revision, wanted.range, Several(tuple(steps)) if steps else None), left


def _caught_up(plan: RestorePlan, shape: Layout) -> RestorePlan:
    """Take into account what has been committed while the plan was made."""
    with one_state() as cursor:
        head, layout = read_head(cursor, plan.sheet_id)
        if head == plan.base:
            return plan
        check_reach(plan.sheet_id, plan.base, head)
        begun = PastState(plan.base, head, layout, {}, {})
        with closing(steps_back(plan.sheet_id, plan.base, head)) as steps:
            state = rewound_state(cursor, plan.sheet_id, begun, steps, check=_check_held)
        cells = _contents_of(cursor, plan.sheet_id, state, _chosen(plan.wanted, shape))
        cells |= plan.cells
        cells, now = _differing(cursor, plan.sheet_id, cells)
        caught_up = replace(plan, base=head, cells=cells, now=now)
        _check_plan(caught_up, layout)
        return caught_up


def _contents_of(
    cursor: Cursor, sheet_id: int, state: PastState, chosen: Callable[[CellId], bool]
) -> dict[CellId, Content]:
    """Return what was in the cells that have been touched since, of those that are chosen."""
    keys = {key for key in state.inputs.keys() | state.styles.keys() if chosen(key)}
    partly = {key for key in keys if key not in state.inputs or key not in state.styles}
    now = read_contents(cursor, sheet_id, partly)
    contents = {}
    for key in keys:
        text, style = now.get(key, ("", ""))
        contents[key] = state.inputs.get(key, text), state.styles.get(key, style)
    return contents


def _differing(
    cursor: Cursor, sheet_id: int, cells: Mapping[CellId, Content]
) -> tuple[dict[CellId, Content], dict[CellId, Content]]:
    """Return those of the cells that are others now, and what these have now."""
    now = read_contents(cursor, sheet_id, cells)
    differing = {key: what for key, what in cells.items() if what != now.get(key, ("", ""))}
    return differing, {key: now[key] for key in differing.keys() & now.keys()}


def _seen(cells: Mapping[CellId, Content], layout: Layout) -> dict[CellId, Content]:
    """Return those cells whose rows and columns are alive in a layout."""
    rows = _living(layout.axes[AxisName.ROWS], {row for row, _ in cells})
    columns = _living(layout.axes[AxisName.COLUMNS], {column for _, column in cells})
    return {key: what for key, what in cells.items() if key[0] in rows and key[1] in columns}


def _chosen(wanted: RestoreTo, shape: Layout) -> Callable[[CellId], bool]:
    """Return what says of a cell whether it is in the range, as the sheet was. Raises UnknownId."""
    if wanted.range is None:
        return lambda key: True
    rows, columns = _ids_in(wanted.range, shape)
    return lambda key: key[0] in rows and key[1] in columns


def _ids_in(range_: tuple[int, int, int, int], shape: Layout) -> tuple[set[int], set[int]]:
    ids = []
    for name, one, other in zip(AxisName, range_[:2], range_[2:], strict=True):
        axis = shape.axes[name]
        span = axis.span_between(one, other)
        ids.append(set(() if span is None else axis.ids_between(span.first, span.last + 1)))
    return ids[0], ids[1]


def _lost(
    cursor: CursorWrapper, sheet_id: int, wanted: RestoreTo, state: PastState
) -> frozenset[CellId]:
    """Return what of a range cannot come back: `lost` of a plan. Raises UnknownId."""
    if wanted.range is None:
        return frozenset()
    rows, columns = _ids_in(wanted.range, state.layout)
    _, layout = read_head(cursor, sheet_id)
    dead = (
        ("row", rows - _living(layout.axes[AxisName.ROWS], rows)),
        ("column", columns - _living(layout.axes[AxisName.COLUMNS], columns)),
    )
    texts: dict[CellId, str] = {}
    for name, ids in dead:
        ordered = sorted(ids)
        for at in range(0, len(ordered), IDS_PER_QUERY):
            some = {f"{name}__in": ordered[at : at + IDS_PER_QUERY]}
            cells = Cell.objects.filter(sheet_id=sheet_id, **some)
            for row, column, text in cells.values_list("row", "column", "input"):
                texts[row, column] = text
    texts |= state.inputs  # of what was written since, what it was
    (_, dead_rows), (_, dead_columns) = dead
    is_chosen = _chosen(wanted, state.layout)
    return frozenset(
        key
        for key, text in texts.items()
        if text and is_chosen(key) and (key[0] in dead_rows or key[1] in dead_columns)
    )


def _count_left(
    lost: Iterable[CellId],
    then: Mapping[CellId, Content],
    seen: Mapping[CellId, Content],
    rows: Axis,
    columns: Axis,
) -> int:
    """Return how many cells that were not empty are left out, for they have no place now."""
    left = {key for key, what in then.items() if key not in seen and what != ("", "")} | {*lost}
    living_rows = _living(rows, {row for row, _ in left})
    living_columns = _living(columns, {column for _, column in left})
    return sum(row not in living_rows or column not in living_columns for row, column in left)


def _living(axis: Axis, ids: Iterable[int]) -> set[int]:
    """Return those that are alive; some may have been born later."""
    return {id_ for id_ in ids if id_ < axis.next_id and axis.is_alive(id_)}


def _check_held(cells: int, characters: int) -> None:
    """Give up on the way back, before what is held takes the process's memory."""
    if cells > MAX_HELD_CELLS or characters > MAX_HELD_CHARACTERS:
        raise LimitExceeded(
            f"more than {MAX_HELD_CELLS:,} cells, or {MAX_HELD_CHARACTERS:,} characters, have "
            "been changed since; restore a later revision"
        )


def _check_plan(plan: RestorePlan, layout: Layout) -> None:
    """Refuse ahead of the lock what would be refused under it."""
    shape = plan.layout if plan.wanted.range is None else layout
    if shape is not None:
        _check_size(steps_of_cells(plan.now, _seen(plan.cells, shape)))


def _check_size(steps: Iterable[Step]) -> None:
    count = characters = 0
    for step in steps:
        match step:
            case SetCells(cells):
                count += len(cells)
                characters += sum(len(text) for _, _, text in cells)
            case RestyleEach(styles):
                count += len(styles)
    if count > MAX_CELLS or characters > MAX_CHARACTERS:
        raise LimitExceeded(
            f"this would change {count:,} cells with {characters:,} characters, and at once "
            f"{MAX_CELLS:,} cells with {MAX_CHARACTERS:,} characters can be restored; restore it "
            "by ranges"
        )
