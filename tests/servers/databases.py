"""Databases for our own processes: migrated, with sheets in them, each a test's own."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.servers.deployment import Deployment
from tests.servers.postgresql import PostgresqlServer
from tests.servers.sheetsync import run_manage

Kind = Literal["sqlite", "postgresql"]


class Databases:
    """Makes databases by copying: the first of its kind is kept as the template of the others.

    `manage.py migrate` and the making of sheets each start a Python, which takes far longer than
    a copy.
    """

    def __init__(self, folder: Path, postgresql: Callable[[], PostgresqlServer]) -> None:
        """Put SQLite's files into `folder`; ask `postgresql` for the server when one is needed."""
        self._folder = folder
        self._postgresql = postgresql
        self._templates: dict[tuple[str, ...], str] = {}

    def __call__(self, kind: Kind, *slugs: str) -> str:
        """Return the DATABASE_URL of a new one; guests may edit its sheets, which have `slugs`."""
        return self._copy(kind, self._template(kind, *slugs))

    def _template(self, kind: Kind, *slugs: str) -> str:
        known = (kind, *slugs)
        if known not in self._templates:
            if slugs:
                url = self._copy(kind, self._template(kind))
                Deployment(url).make_sheets(*slugs)
            else:
                url = self._copy(kind, None)
                run_manage({"DATABASE_URL": url}, "migrate", "--verbosity=0")
            self._templates[known] = url
        return self._templates[known]

    def _copy(self, kind: Kind, template: str | None) -> str:
        if kind == "postgresql":
            return self._postgresql().new_database(template)
        file = self._folder / f"{uuid.uuid4().hex}.sqlite3"
        if template is not None:
            # Whole: the last process that closed it has emptied its write-ahead log into it.
            shutil.copyfile(template.removeprefix("sqlite:///"), file)
        return f"sqlite:///{file}"
