"""The shipped proxy: a real nginx with the shipped configuration, before a real web server."""

import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.exceptions import ConnectionClosed

from cells.protocol import CloseCode
from sheetsync.bodies import MIN_LIMIT_BYTES
from tests.servers.compose import read_services
from tests.servers.databases import Databases
from tests.servers.nginx import SHIPPED, NginxProxy
from tests.servers.process import free_port, wait_until
from tests.servers.sheetsync import WebServer, run_manage
from tests.servers.wire import open_sheet

pytestmark = pytest.mark.xdist_group("proxy")  # they share a server

SECRETS = {"SECRET_KEY": "a-key", "POSTGRES_PASSWORD": "a-password"}
MAX_BYTES = 200_000
SMALL_BYTES = 4 * 1024 * 1024  # for what takes no file
MAX_GUESTS = 6
MAKE_TOKEN = """
from django.contrib.auth.models import User
from cells.models import Scope, Sheet
from cells.services.tokens import create_token
alice = User.objects.create_user("alice")
Sheet.objects.update(owner=alice)
print(create_token(alice, "test", Scope.WRITE)[1])
"""


@dataclass(frozen=True, slots=True)
class Door:
    """A proxy, what is behind it, and a token of alice's, who owns the sheet."""

    proxy: NginxProxy
    web: WebServer
    tls_port: int
    certificate: Path
    token: str

    def is_guest_let_in(self, guests: ExitStack, address: str) -> bool:
        """Say whether one more guest may come, who says that this is their address."""
        headers = {"X-Forwarded-For": address}
        try:
            guests.enter_context(open_sheet(self.proxy.websocket_url, "prices", headers=headers))
        except ConnectionClosed as refusal:
            if refusal.rcvd is None or refusal.rcvd.code != CloseCode.TOO_MANY:
                raise
            return False
        return True

    def get(self, path: str, **headers: str) -> urllib.request.Request:
        authorized = {"Authorization": f"Bearer {self.token}", **headers}
        return urllib.request.Request(f"{self.proxy.url}{path}", headers=authorized)


@pytest.fixture(scope="module")
def door(new_database: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("proxy")
    environment = {
        "DATABASE_URL": new_database("sqlite", "prices"),
        "EMBEDDED_CALCULATION": "0",
        "TRUST_PROXY": "1",
        "SOCKETS_PER_ADDRESS": str(MAX_GUESTS),
        "IMPORT_MAX_BYTES": str(MAX_BYTES),
    }
    token = run_manage(environment, "shell", "-v0", "-c", MAKE_TOKEN).strip()
    web = WebServer(environment, log=folder / "web.log")
    tls_port = free_port()
    proxy = NginxProxy(
        folder,
        {
            **read_services({**SECRETS, "IMPORT_MAX_BYTES": str(MAX_BYTES)})["proxy"].environment,
            "WEB_UPSTREAM": web.host,
            "PROXY_BELIEVES": "192.0.2.1",  # and so nobody on this machine
            "PROXY_HEADER_SECONDS": "2",
        },
        extra=_tls(folder, tls_port),
    )
    try:
        web.start()
        proxy.start()
        yield Door(proxy, web, tls_port, folder / "fullchain.pem", token)
    finally:
        proxy.kill()
        web.kill()


def _tls(folder: Path, port: int) -> str:
    """Make a certificate, and return the shipped TLS configuration with it."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    shipped = (SHIPPED / "tls.conf").read_text()
    return shipped.replace("/etc/nginx/certificates/", f"{folder}/").replace(
        "listen 8443", f"listen 127.0.0.1:{port}"
    )


def test_edits_pass_in_both_directions(door: Door) -> None:
    with (
        open_sheet(door.proxy.websocket_url, "prices") as alice,
        open_sheet(door.web.websocket_url, "prices") as bob,
    ):
        cell = alice.key(0, 0)
        alice.set_cell(cell, "by the door")
        bob.wait_for_cell(cell, "by the door")
        bob.set_cell(cell, "from behind it")
        alice.wait_for_cell(cell, "from behind it")


def test_who_drips_headers_is_cut(door: Door) -> None:
    with socket.create_connection(("127.0.0.1", door.proxy.port)) as slow:
        slow.settimeout(0.2)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                slow.sendall(b"a")
                answer = slow.recv(1)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not answer:
                break
        else:
            raise AssertionError("a minute of one letter now and then, and the line is still open")


def test_an_event_comes_when_it_happens(door: Door) -> None:
    path = "/api/v1/sheets/prices/changes"
    with urllib.request.urlopen(door.get(path, Accept="text/event-stream"), timeout=60) as stream:
        assert stream.readline() == b"retry: 2000\n"
        with open_sheet(door.web.websocket_url, "prices") as bob:
            bob.set_cell(bob.key(1, 1), "an event")
        while not (line := stream.readline()).startswith(b"data:"):
            assert line, "the stream ended"
        assert b"an event" in line


def test_nobody_says_where_they_come_from(door: Door) -> None:
    with ExitStack() as guests:
        addresses = (f"203.0.113.{number}" for number in range(2 * MAX_GUESTS))
        assert not all(door.is_guest_let_in(guests, address) for address in addresses)
    # They are gone when the next test comes.
    with ExitStack() as guests:
        wait_until(lambda: door.is_guest_let_in(guests, "203.0.113.1"), "the others to have left")


def refusal_of(door: Door, path: str, length: int) -> str:
    """Announce a body that is never sent; return why it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", door.proxy.port, timeout=60)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    said = answer.read().decode()
    connection.close()
    return said


def test_too_large_a_file_is_refused_with_a_sentence(door: Door) -> None:
    for path in (
        *("/import/preview/", "/import/run/", "/sheets/prices/import/run/"),
        *("/api/v1/imports", "/api/v1/sheets/prices/import"),
    ):
        said = refusal_of(door, path, MIN_LIMIT_BYTES + 1)
        assert f"{MAX_BYTES} bytes (IMPORT_MAX_BYTES)" in said, path
    assert refusal_of(door, "/pubsub/push", MIN_LIMIT_BYTES + 1)


def test_nothing_large_waits_on_the_disk_for_what_takes_no_file(door: Door) -> None:
    for path in (
        *("/", "/accounts/login/", "/admin/login/", "/sheets/prices/import/", "/healthz"),
        *("/import/preview/x", "/ws/sheets/prices/"),
    ):
        assert "Send several smaller ones" in refusal_of(door, path, SMALL_BYTES + 1), path
    for path in ("/api/v1/sheets/prices/cells", "/api/v1/sheets/prices/import/x"):
        problem = json.loads(refusal_of(door, path, SMALL_BYTES + 1))
        assert (problem["status"], problem["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/sheets/prices/import/preview/", 403, "</html>"),  # it came without a form's token
        ("/api/v1/sheets/prices/import", 400, "limit_exceeded"),  # more than a file may have
        ("/api/v1/imports", 400, "limit_exceeded"),
        ("/pubsub/push", 404, "PUBSUB_PUSH_AUDIENCE"),  # it is not switched on
    ],
)
def test_what_may_be_large_comes_to_web(door: Door, path: str, status: int, says: str) -> None:
    request = door.get(path, **{"Content-Type": "text/csv", "Idempotency-Key": "large"})
    request.data = b"a" * (SMALL_BYTES + 1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert (answer.code, says in answer.read().decode()) == (status, True)


def test_what_the_interface_refuses_itself_says_so(door: Door) -> None:
    request = door.get("/api/v1/sheets", **{"Content-Type": "application/json"})
    request.data = b" " * (SMALL_BYTES - 1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert (answer.code, json.load(answer)["code"]) == (413, "body_too_large")


def test_web_itself_answers_a_body_that_is_as_large_as_a_file_may_be(door: Door) -> None:
    request = door.get("/import/preview/")
    request.data = b"a" * (MAX_BYTES + 1000)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as answer:
        assert answer.code == 403  # it came without a form's token
        assert "nginx" not in answer.read().decode()


def test_tls_ends_here_and_web_knows(door: Door) -> None:
    context = ssl.create_default_context(cafile=str(door.certificate))
    context.check_hostname = False
    url = f"https://127.0.0.1:{door.tls_port}/api/v1/openapi.json"
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:
        assert json.load(answer)["openapi"]


def test_what_is_asked_for_behind_a_question_mark_is_not_logged(door: Door) -> None:
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(f"{door.proxy.url}/no-such-page?token=of-somebody", timeout=60)
    missing.value.close()
    door.proxy.wait_until(lambda: "/no-such-page" in door.proxy.output(), "the line of the log")
    assert "of-somebody" not in door.proxy.output()
