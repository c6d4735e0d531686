import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cells.domain.errors import Unavailable
from cells.streams import certificates
from cells.streams.certificates import SECONDS_BETWEEN_FETCHES, STALE_SECONDS, Certificates
from tests.servers.certificates import CertificateServer, certificate_server, key
from tests.servers.process import wait_until

HOUR = 3600


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[CertificateServer]:
    with certificate_server(key("one")) as server:
        yield server


@pytest.fixture
def kept(server: CertificateServer, clock: Clock) -> Certificates:
    return Certificates(server.url, clock)


def test_certificates_are_fetched_once_for_as_long_as_they_are_fresh(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    assert server.fetches == 0
    for _ in range(5):
        assert kept.find("one") == key("one").certificate
        clock.now += HOUR / 5 - 1
    assert server.fetches == 1
    clock.now += 10
    assert kept.find("one") == key("one").certificate
    assert server.fetches == 2


def test_time_that_they_have_spent_in_another_cache_counts(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    server.headers["Age"] = str(HOUR - 60)
    kept.find("one")
    clock.now += 61
    kept.find("one")
    assert server.fetches == 2


@pytest.mark.parametrize("said", ["no-cache", "s-maxage=3600", "max-age=soon", ""])
def test_without_a_time_they_are_fetched_anew_but_not_for_every_token(
    server: CertificateServer, kept: Certificates, clock: Clock, said: str
) -> None:
    server.headers["Cache-Control"] = said
    for _ in range(3):
        assert kept.find("one") == key("one").certificate
    assert server.fetches == 1
    clock.now += SECONDS_BETWEEN_FETCHES
    kept.find("one")
    assert server.fetches == 2


def test_a_new_key_is_found_before_the_others_time_is_over(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    kept.find("one")
    server.publish(key("one"), key("two"))
    clock.now += SECONDS_BETWEEN_FETCHES
    assert kept.find("two") == key("two").certificate
    assert kept.find("one") == key("one").certificate
    assert server.fetches == 2


def test_a_withdrawn_key_is_gone_with_the_next_fetch(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    kept.find("one")
    server.publish(key("two"))
    clock.now += HOUR
    assert kept.find("one") is None
    assert server.fetches == 2


def test_invented_keys_are_not_asked_for_one_by_one(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    for number in range(20):
        assert kept.find(f"invented-{number}") is None
    assert server.fetches == 1
    clock.now += SECONDS_BETWEEN_FETCHES
    assert kept.find("invented") is None
    assert server.fetches == 2


def test_an_outage_with_nothing_kept_is_told_and_ends(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    server.status = 500
    for _ in range(3):
        with pytest.raises(Unavailable, match="HTTP status 500"):
            kept.find("one")
    assert server.fetches == 1
    server.status = 200
    clock.now += SECONDS_BETWEEN_FETCHES
    assert kept.find("one") == key("one").certificate


def test_an_outage_is_bridged_for_a_day_with_what_is_kept(
    server: CertificateServer, kept: Certificates, clock: Clock
) -> None:
    kept.find("one")
    server.status = 503
    clock.now += HOUR + STALE_SECONDS - 1
    assert kept.find("one") == key("one").certificate
    with pytest.raises(Unavailable):  # whether there is such a key meanwhile, nobody can say
        kept.find("two")
    clock.now += 2
    with pytest.raises(Unavailable):
        kept.find("one")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"one": 1}', b'{"keys": []}', b"\xff"])
def test_what_are_no_certificates_is_an_outage(
    server: CertificateServer, kept: Certificates, body: bytes
) -> None:
    server.body = body
    with pytest.raises(Unavailable):
        kept.find("one")


def test_a_server_that_is_not_there_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unavailable, match="TransportError"):
        Certificates(f"http://127.0.0.1:{port}/").find("one")


def test_a_server_that_never_answers_holds_no_request_for_long(
    server: CertificateServer, kept: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "FETCH_SECONDS", 0.1)
    server.answering.clear()
    with pytest.raises(Unavailable):
        kept.find("one")
    with pytest.raises(Unavailable):
        kept.find("one")
    assert server.fetches == 1


def test_threads_that_need_them_at_once_share_one_fetch(
    server: CertificateServer, kept: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "FETCH_SECONDS", 30)
    server.answering.clear()
    find: Callable[[str], str | None] = kept.find
    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(find, "one") for _ in range(8)]
        wait_until(lambda: server.fetches, "the fetch")
        server.answering.set()
        assert {one.result() for one in found} == {key("one").certificate}
    assert server.fetches == 1
