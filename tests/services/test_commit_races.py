import os
import random
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from cells.models import Revision, Sheet
from cells.services.access import create_sheet
from cells.services.commit import commit
from tests.services.prices import assert_log_is_whole, put, submit, texts

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_threads_that_write_at_once_leave_a_log_without_gaps(sheet: Sheet) -> None:
    create_sheet(None, "Other", slug="other")
    slugs = ["prices", "other"]
    shared = [uuid.uuid4() for _ in range(20)]  # every thread submits these: retries that race

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for number in range(20):
                batch = [
                    submit(put(f"A{chance.randint(1, 50)}", str(seed)), chance.choice(slugs))
                    for _ in range(2)
                ]
                batch.append(submit(put("B1", str(number)), operation_id=shared[number]))
                commit(batch)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    counts = [Revision.objects.filter(sheet__slug=slug).count() for slug in slugs]
    assert sum(counts) == 6 * 20 * 2 + 20
    for slug, count in zip(slugs, counts, strict=True):
        assert_log_is_whole(slug, count)


WRITER = """
import sys, uuid, django
django.setup()
from cells.domain.operations import AppendRows
from cells.models import AuthorKind
from cells.services.authors import Author
from cells.services.commit import Submission, commit
author = Author(AuthorKind.STREAM, "writer")
for number in range(40):
    commit([Submission("prices", uuid.uuid4(), AppendRows(((sys.argv[1], str(number)),)), author)])
"""


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_leave_a_log_without_gaps(sheet: Sheet) -> None:
    settings = connection.settings_dict
    url = f"sqlite:///{settings['NAME']}"
    if connection.vendor == "postgresql":
        host, port, user = settings["HOST"], settings["PORT"], settings["USER"]
        url = f"postgres://{user}:{settings['PASSWORD']}@{host}:{port}/{settings['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "sheetsync.settings",
    }
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        _, stderr = writer.communicate(timeout=60)
        assert writer.returncode == 0, stderr
    assert_log_is_whole("prices", 160)
    rows = texts()
    assert len(rows) == 320
    for number in range(4):
        own = [rows[f"B{row}"] for row in range(1, 161) if rows[f"A{row}"] == str(number)]
        assert own == [str(count) for count in range(40)]  # each writer's rows in its order
