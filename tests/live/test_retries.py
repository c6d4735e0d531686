"""Edits that are sent again because their answer was lost."""

import uuid

import pytest

from cells.domain.operations import SetCells
from cells.live import tail as tail_module
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from tests.live.conftest import LiveServer, database


def commit_elsewhere(operation_id: uuid.UUID) -> None:
    """Commit as a process does that ends before it tells anybody."""
    operation = SetCells(((0, 0, "x"),))
    author = Author(AuthorKind.STREAM, "prices")
    commit([Submission("prices", operation_id, operation, author)])


async def test_a_retry_of_what_the_log_has_is_shown_with_its_answer(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "ALONE_SECONDS", 3_600)
    monkeypatch.setattr(tail_module, "SQLITE_SECONDS", 3_600)
    alice, bob = await live.tab(), await live.tab()
    operation_id = uuid.uuid4()
    await database(lambda: commit_elsewhere(operation_id))
    operation = {"kind": "set_cells", "cells": [[0, 0, "x"]]}
    answer = await alice.submit(operation, str(operation_id))
    assert answer["operations"] == [[str(operation_id), 1]]
    for tab in (alice, bob):
        await tab.until(lambda tab=tab: tab.replica.filled() == {(0, 0): "x"})  # type: ignore[misc]
