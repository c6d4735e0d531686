"""The defects: each breaks the promise in one way that the checker must see."""

import sys
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F

from cells import consumers
from cells.domain import undoing
from cells.live.mailbox import Mailbox
from cells.live.tail import Tail
from cells.models import Sheet
from cells.services import history
from cells.services.commit import CommitResult, Committed, Submission, commit

__all__ = ["DEFECTS", "consumers"]  # the latter with all that imports `commit`

EVERY = 10  # commits; some must go well, or nobody would believe the server

_count = 0


def is_due() -> bool:
    """Say whether this commit is the one to go wrong."""
    global _count
    _count += 1
    return _count % EVERY == 0


def lose_commits(submissions: Sequence[Submission]) -> CommitResult:
    """Acknowledge what is not committed."""
    with transaction.atomic():
        result = commit(submissions)
        if is_due():
            transaction.set_rollback(True)
    return result


def commit_twice(submissions: Sequence[Submission]) -> CommitResult:
    """Take a retry for a new edit."""
    result = commit(submissions)
    repeated = [
        msgspec.structs.replace(submission, operation_id=uuid.uuid4())
        for submission, outcome in zip(submissions, result.outcomes, strict=True)
        if isinstance(outcome, Committed) and not outcome.is_new
    ]
    if repeated:
        commit(repeated)
    return result


def skip_revisions(submissions: Sequence[Submission]) -> CommitResult:
    """Use up a number for nothing."""
    with transaction.atomic():
        result = commit(submissions)
        if is_due():
            slugs = {submission.sheet for submission in submissions}
            Sheet.objects.filter(slug__in=slugs).update(head=F("head") + 1)
    return result


def replace_commit(mutated: Callable[[Sequence[Submission]], CommitResult]) -> Callable[[], None]:
    """Put another function wherever `commit` was imported."""

    def apply() -> None:
        places = 0
        for name, module in list(sys.modules.items()):
            if name.startswith("cells.") and getattr(module, "commit", None) is commit:
                module.commit = mutated  # type: ignore[attr-defined]
                places += name != commit.__module__
        assert places, "nobody imports services.commit.commit any more: the mutant needs care"

    return apply


def lose_hints() -> None:
    """Hear no hint, and never look whether one was missed."""

    async def look(self: Tail) -> None:
        pass

    def send(self: Mailbox, sheet_id: int, message: Any) -> None:
        pass

    Tail.look = look  # type: ignore[method-assign]
    Mailbox.send = send  # type: ignore[method-assign]
    Mailbox.is_alone = property(lambda self: True, lambda self, value: None)  # type: ignore[assignment]


def undo_over_others() -> None:
    """Put cells back whoever has written them since."""

    def inverse_of_cells(step: Any, before: Any, is_mine: Any) -> Any:
        return undoing.inverse_of_cells(step, before, lambda key: True)

    history.inverse_of_cells = inverse_of_cells  # type: ignore[attr-defined]


DEFECTS: dict[str, Callable[[], None]] = {
    "lose_commits": replace_commit(lose_commits),
    "commit_twice": replace_commit(commit_twice),
    "skip_revisions": replace_commit(skip_revisions),
    "undo_over_others": undo_over_others,
    "lose_hints": lose_hints,
}
