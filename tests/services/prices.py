"""A sheet `prices`: commit to it, read it, and replay its log."""

import json
import uuid
from typing import Any

from cells.domain.addresses import format_address, parse_address
from cells.domain.axes import Axis, AxisName
from cells.domain.layout import Layout, set_inputs
from cells.domain.operations import (
    AddressedOperation,
    Intended,
    SetAddresses,
    load_operation,
)
from cells.models import AuthorKind, Cell, Revision, Sheet
from cells.services.authors import Author
from cells.services.commit import CommitResult, Refused, Submission, commit

STREAM = Author(AuthorKind.STREAM, "prices", origin="sub/1")


def submit(
    operation: Intended | AddressedOperation,
    slug: str = "prices",
    operation_id: uuid.UUID | None = None,
    author: Author = STREAM,
) -> Submission:
    return Submission(slug, operation_id or uuid.uuid4(), operation, author)


def do(*operations: Intended | AddressedOperation) -> CommitResult:
    """Commit to `prices`, as one batch, what must not be refused."""
    result = commit([submit(operation) for operation in operations])
    refused = [outcome for outcome in result.outcomes if isinstance(outcome, Refused)]
    assert not refused
    return result


def put(a1: str, text: str) -> SetAddresses:
    return SetAddresses(((*parse_address(a1), text),))


def texts(slug: str = "prices") -> dict[str, str]:
    """Return the filled, living cells of a sheet by A1 address."""
    sheet = Sheet.objects.get(slug=slug)
    rows, columns = Axis.from_runs(sheet.rows), Axis.from_runs(sheet.columns)
    return {
        format_address(rows.position_of(cell.row), columns.position_of(cell.column)): cell.input
        for cell in Cell.objects.filter(sheet=sheet).exclude(input="")
        if rows.is_alive(cell.row) and columns.is_alive(cell.column)
    }


def replay(
    sheet: Sheet,
) -> tuple[Layout, dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """Compute a sheet from its log alone: its layout, its inputs, its styles."""
    layout = Layout(
        {AxisName.ROWS: Axis.from_runs([[0, 1000]]), AxisName.COLUMNS: Axis.from_runs([[0, 26]])},
        {AxisName.ROWS: [], AxisName.COLUMNS: []},
    )
    inputs: dict[tuple[int, int], str] = {}
    styles: dict[tuple[int, int], str] = {}
    for revision in Revision.objects.filter(sheet=sheet).order_by("number"):
        effect = layout.apply(load_operation(revision.operation)).settled(inputs, styles)
        before = set_inputs(inputs, styles, effect)
        assert _Normal.of(before) == _Normal.of(revision.before)
    return layout, inputs, styles


class _Normal:
    @staticmethod
    def of(value: Any) -> Any:
        """Return JSON data with tuples as lists."""
        if isinstance(value, dict):
            return {str(key): _Normal.of(part) for key, part in value.items()}
        return [_Normal.of(part) for part in value] if isinstance(value, list | tuple) else value


def assert_log_is_whole(slug: str, count: int) -> None:
    sheet = Sheet.objects.get(slug=slug)
    numbers = Revision.objects.filter(sheet=sheet).order_by("number")
    assert list(numbers.values_list("number", flat=True)) == list(range(1, count + 1))
    assert sheet.head == count
    layout, inputs, styles = replay(sheet)
    assert layout.axes[AxisName.ROWS].to_runs() == sheet.rows
    assert layout.axes[AxisName.COLUMNS].to_runs() == sheet.columns
    assert layout.sizes[AxisName.ROWS] == sheet.row_sizes
    assert layout.frozen == (sheet.frozen_rows, sheet.frozen_columns)
    cells = list(Cell.objects.filter(sheet=sheet))
    found = {(cell.row, cell.column): cell.input for cell in cells}
    assert inputs.items() <= found.items()
    assert not any(found[key] for key in found.keys() - inputs.keys())  # only looks, no input
    assert {(cell.row, cell.column): cell.style for cell in cells if cell.style} == {
        key: json.loads(style) for key, style in styles.items()
    }
    assert sheet.filled == sum(map(bool, inputs.values()))
