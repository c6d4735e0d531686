"""A real server with a person's token, and clients of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sheetsync_client import Client

from tests.servers.databases import Databases
from tests.servers.sheetsync import WebServer, run_manage

MAKE_TOKEN = """
from django.contrib.auth.models import User
from cells.models import Scope
from cells.services.tokens import create_token
print(create_token(User.objects.create_user("alice"), "test", Scope.WRITE)[1])
"""


@dataclass
class Service:
    """A server, alice's token, which may write, and the clients that a test has of it."""

    server: WebServer
    token: str
    clients: list[Client] = field(default_factory=list)

    def client(self, url: str = "", token: str = "", *, retry_seconds: float = 30) -> Client:
        address, by = url or self.server.url, token or self.token
        self.clients.append(Client(address, by, retry_seconds=retry_seconds))
        return self.clients[-1]

    def run(self, code: str) -> str:
        """Run Python beside the server, on its database."""
        return run_manage(self.server.environment, "shell", "-v0", "-c", code).strip()


@pytest.fixture(scope="module")
def started(new_database: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    environment = {"DATABASE_URL": new_database("sqlite"), "EMBEDDED_CALCULATION": "0"}
    server = WebServer(environment, log=tmp_path_factory.mktemp("clients") / "web.log")
    service = Service(server, "")
    service.token = service.run(MAKE_TOKEN)
    server.start()
    yield service
    server.kill()


@pytest.fixture
def service(started: Service) -> Iterator[Service]:
    """The module's server, which runs again if the last test has killed it."""
    if not started.server.is_running:
        started.server.start()
    yield started
    while started.clients:
        started.clients.pop().close()


@pytest.fixture
def client(service: Service) -> Client:
    return service.client()
