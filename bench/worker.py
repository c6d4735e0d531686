"""A child process inside Django: it makes sheets, fills them, and times `services.commit`.

Speaks JSON lines: a question on stdin, `{"do": …, …}`, is answered by one line on stdout.
"""

import json
import random
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

import django

django.setup()

from cells.domain.operations import SetCells  # noqa: E402
from cells.models import AuthorKind, LinkRole, Sheet  # noqa: E402
from cells.services import snapshots  # noqa: E402
from cells.services.authors import Author  # noqa: E402
from cells.services.commit import Committed, Submission, commit  # noqa: E402

AUTHOR = Author(AuthorKind.GUEST, "Bench", origin=str(uuid.UUID(int=1)))


def make_sheets(slugs: Sequence[str], rows: int, columns: int) -> None:
    """Make sheets that every guest may edit."""
    Sheet.objects.bulk_create(
        Sheet(
            slug=slug,
            title=slug,
            link_role=LinkRole.EDITOR,
            rows=[[0, rows]],
            columns=[[0, columns]],
        )
        for slug in slugs
    )


def head(slug: str) -> int:
    return Sheet.objects.get(slug=slug).head


def drop_snapshot(slug: str) -> None:
    snapshots.drop(Sheet.objects.get(slug=slug).pk)


def has_snapshot(slug: str) -> bool:
    return snapshots.find(Sheet.objects.get(slug=slug).pk) is not None


def fill(slug: str, cells: int, columns: int, per_operation: int, per_batch: int) -> int:
    """Fill the first `cells` cells row by row through commit; return the head."""
    keys = [divmod(number, columns) for number in range(cells)]
    operations = [
        SetCells(tuple((row, column, _text(row, column)) for row, column in part))
        for part in _parts(keys, per_operation)
    ]
    reached = 0
    for batch in _parts(operations, per_batch):
        reached = _commit([_submission(slug, operation) for operation in batch])
    return reached


def time_commits(
    slug: str, rows: int, columns: int, batch: int, times: int, seed: int
) -> list[float]:
    """Commit batches of edits of one cell each, at random places; return the seconds of each."""
    source = random.Random(seed)
    seconds = []
    for number in range(times):
        submissions = [
            _submission(
                slug,
                SetCells(((source.randrange(rows), source.randrange(columns), f"{number}"),)),
            )
            for _ in range(batch)
        ]
        began = time.perf_counter()
        _commit(submissions)
        seconds.append(time.perf_counter() - began)
    return seconds


def _commit(submissions: Sequence[Submission]) -> int:
    result = commit(submissions)
    last = result.outcomes[-1]
    assert all(isinstance(outcome, Committed) for outcome in result.outcomes), "refused"
    assert isinstance(last, Committed)
    return last.revision


def _submission(slug: str, operation: SetCells) -> Submission:
    return Submission(slug, uuid.uuid4(), operation, AUTHOR)


def _text(row: int, column: int) -> str:
    """Return what a table may hold: numbers of a few digits, every tenth cell a word."""
    number = row * 7919 + column * 104_729
    return f"item {number % 1_000}" if number % 10 == 0 else f"{number % 100_000 / 100:.2f}"


def _parts(items: list[Any], size: int) -> list[list[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def main() -> None:
    known = (make_sheets, head, drop_snapshot, has_snapshot, fill, time_commits)
    functions = {function.__name__: function for function in known}
    for line in sys.stdin:
        question = json.loads(line)
        answer = functions[question.pop("do")](**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
