"""What a sheet was at a revision equals what its readers saw then, whatever has happened since."""

import os
from random import Random

import pytest

from cells.domain.operations import RestoreTo, Undo
from cells.services.read import one_state
from cells.services.versions import read_version
from tests.services.histories import History, Seen

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("HISTORIES", "25"))  # 200 were run on both databases


def past(history: History, revision: int) -> Seen:
    with one_state() as cursor:
        return Seen().take(read_version(cursor, history.sheet.pk, revision))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_every_revision_is_read_and_restored_as_it_was_seen(seed: int) -> None:
    history = History(Random(seed))
    history.go_on(24)
    head = len(history.seen) - 1
    for revision, seen in enumerate(history.seen):
        assert past(history, revision) == seen, f"revision {revision} of {head}"
    for revision in range(head + 1):
        was = history.seen[-1]
        assert history.do(RestoreTo(revision))
        assert history.seen[-1].visible() == history.seen[revision].visible(), revision
        if revision % 3 == seed % 3:
            (restore, _) = history.done[-1]
            assert history.do(Undo(restore, is_redo=False))
            assert history.seen[-1].visible() == was.visible(), f"back from {revision}"
            assert history.do(Undo(restore, is_redo=True))
            assert history.seen[-1].visible() == history.seen[revision].visible(), revision
