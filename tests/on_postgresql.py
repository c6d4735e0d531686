"""Run the tests of the test database on PostgreSQL: `python -m tests.on_postgresql [pytest args]`.

The settings read DATABASE_URL when they are imported, and pytest-django imports them before any
fixture could start a server; so the server is started first and pytest is called from here.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.servers.postgresql import PostgresqlServer


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="sheetsync-postgresql-") as folder:
        Path(folder).chmod(0o755)
        try:
            server = PostgresqlServer(Path(folder))
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            print(f"Nothing is run on PostgreSQL. {missing}")
            return isinstance(missing, pytest.fail.Exception)
        server.initialize()
        server.start()
        # A test's transaction is open while Hypothesis makes up its examples, which took ten
        # seconds once; as deployed the database ends one that idles as long.
        patient = "options=-c%20idle_in_transaction_session_timeout%3D0"
        os.environ["DATABASE_URL"] = f"{server.url('sheetsync')}?{patient}"
        try:
            return pytest.main(["-m", "both_databases", *arguments])
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
