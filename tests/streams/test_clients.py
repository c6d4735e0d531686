from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cells.streams.clients import publisher_client, subscriber_client
from cells.streams.names import Route


def test_route_comes_from_the_settings_unless_it_is_given(settings: object) -> None:
    settings.PUBSUB_PROJECT = "ours"  # type: ignore[attr-defined]
    settings.PUBSUB_TOPIC = "edits"  # type: ignore[attr-defined]
    settings.PUBSUB_SUBSCRIPTION = "edits-sub"  # type: ignore[attr-defined]

    assert Route.from_settings() == Route("ours", "edits", "edits-sub")
    assert Route.from_settings("theirs", "feed", "feed-sub") == Route("theirs", "feed", "feed-sub")


def test_key_file_makes_clients_for_google_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as it goes without Google: nothing is sent."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path / "key.json"
    file.write_bytes(
        msgspec.json.encode(
            {
                "type": "service_account",
                "client_email": "sheetsync@demo.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
                "private_key": key.decode(),
            }
        )
    )
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    subscriber, publisher = subscriber_client(), publisher_client()

    assert subscriber.transport.host == publisher.transport.host == "pubsub.googleapis.com:443"
    subscriber.transport.close()
    publisher.transport.close()
