import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from cells.checks import check_deployment, check_push

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"
IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
REDIS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}


@pytest.fixture(autouse=True)
def production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that nothing is wrong with; each test spoils one of them."""
    settings.DEBUG = False
    settings.SECRET_KEY = "a-secret-of-this-deployment-and-no-other-1234567890"
    settings.ALLOWED_HOSTS = ["sheets.example.com"]
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", POSTGRESQL)
    settings.CHANNEL_LAYERS = REDIS
    settings.REDIS_URLS = ["redis://redis.internal:6379/0"]
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)


def warnings() -> list[str | None]:
    return [message.id for message in check_deployment()]


def test_a_sound_deployment_hears_nothing() -> None:
    assert warnings() == []


def test_debug_is_reported(settings: Settings) -> None:
    settings.DEBUG = True
    assert warnings() == ["cells.W001"]


def test_the_secret_key_from_the_source_is_reported(settings: Settings) -> None:
    settings.SECRET_KEY = "insecure-development-key"
    assert warnings() == ["cells.W002"]


def test_a_star_among_the_allowed_hosts_is_reported(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["sheets.example.com", "*"]
    assert warnings() == ["cells.W003"]


def test_a_channel_layer_in_memory_is_reported(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = IN_MEMORY
    settings.REDIS_URLS = []
    assert warnings() == ["cells.W004"]


def test_sqlite_beside_redis_is_reported_even_with_debug(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", SQLITE)
    assert warnings() == ["cells.W005"]
    settings.DEBUG = True
    assert warnings() == ["cells.W001", "cells.W005"]


def test_sqlite_without_debug_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", SQLITE)
    settings.REDIS_URLS = []
    assert warnings() == ["cells.W006"]


def test_an_emulator_without_debug_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "pubsub:8085")
    assert warnings() == ["cells.W007"]


def test_certificates_that_come_without_tls_are_reported(settings: Settings) -> None:
    settings.PUBSUB_PUSH_CERTIFICATES_URL = "http://certificates.internal/"
    assert warnings() == ["cells.W008"]


def test_pushing_without_a_token_is_an_error_of_every_command_unless_debug(
    settings: Settings,
) -> None:
    settings.PUBSUB_PUSH_UNAUTHENTICATED = True
    assert [error.id for error in check_push()] == ["cells.E001"]
    with pytest.raises(SystemCheckError, match=r"cells\.E001"):
        call_command("check")
    settings.DEBUG = True
    assert check_push() == []


def test_the_embedded_mode_is_only_told_that_debug_is_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", SQLITE)
    settings.CHANNEL_LAYERS = IN_MEMORY
    settings.REDIS_URLS = []
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:8085")
    assert warnings() == ["cells.W001"]


def test_every_warning_says_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    settings.SECRET_KEY = "insecure-development-key"
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", SQLITE)
    messages = check_deployment()
    assert len(messages) == 4
    assert all(message.hint for message in messages)


def test_only_check_deploy_runs_them(settings: Settings) -> None:
    settings.DEBUG = True
    assert not [m for m in run_checks(tags=["security"]) if str(m.id).startswith("cells.")]
    deploy = run_checks(tags=["security"], include_deployment_checks=True)
    assert [m.id for m in deploy if str(m.id).startswith("cells.")] == ["cells.W001"]
