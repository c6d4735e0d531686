import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.faults.proxy import Link, Proxy
from tests.servers.process import free_port, wait_until


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    """A link to a server that says back what it is told."""
    heard: list[bytes] = []
    with ExitStack() as ending, socket.create_server(("127.0.0.1", free_port())) as server:

        def echo(connection: socket.socket) -> None:
            with connection:
                while chunk := _received(connection):
                    heard.append(chunk)
                    connection.sendall(chunk)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=[connection], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        proxy = ending.enter_context(Proxy())
        made = proxy.link("echo", server.getsockname()[1])
        made.heard = heard  # type: ignore[attr-defined]
        yield made
        server.shutdown(socket.SHUT_RDWR)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(100)
    except OSError:
        return b""


@contextmanager
def dialled(link: Link) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", link.port), timeout=5)) as connection:
        yield connection


def says(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(100)


def test_what_is_said_passes_and_is_answered(link: Link) -> None:
    with dialled(link) as connection:
        assert says(connection, b"hello") == b"hello"


def test_a_cut_resets_what_is_open_and_nothing_new(link: Link) -> None:
    with dialled(link) as connection:
        says(connection, b"hello")
        link.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    with dialled(link) as connection:
        assert says(connection, b"again") == b"again"


def test_a_stall_holds_everything_and_loses_nothing(link: Link) -> None:
    with dialled(link) as connection:
        link.stall()
        connection.sendall(b"held")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        link.resume()
        connection.settimeout(5)
        assert connection.recv(100) == b"held"


def test_lost_answers_were_asked_for(link: Link) -> None:
    heard: list[bytes] = link.heard  # type: ignore[attr-defined]
    with dialled(link) as connection:
        link.lose_answers()
        connection.sendall(b"unanswered")
        wait_until(lambda: b"unanswered" in heard, "the question at the server")
        link.cut()
        link.resume()
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_a_delay_is_felt_there_and_back(link: Link) -> None:
    with dialled(link) as connection:
        says(connection, b"hello")
        link.delay(0.1)
        began = time.monotonic()
        says(connection, b"slowly")
        assert time.monotonic() - began >= 0.2
        link.delay(0)


def test_refused_connections_are_accepted_again_later(link: Link) -> None:
    link.refuse()
    with pytest.raises(ConnectionRefusedError), dialled(link):
        pass
    link.accept()
    with dialled(link) as connection:
        assert says(connection, b"again") == b"again"
