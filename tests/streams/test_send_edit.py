from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command

from tests.servers.process import free_port
from tests.streams.conftest import Stream


@pytest.fixture
def send(stream: Stream) -> Any:
    def send(*arguments: str) -> str:
        output = StringIO()
        call_command(
            "send_edit",
            *arguments,
            "--project",
            stream.route.project,
            "--topic",
            stream.route.topic,
            stdout=output,
        )
        return output.getvalue()

    return send


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        (
            ["B2=42", "C3=hello world", "D4="],
            {
                "edits": [
                    {"cell": "B2", "value": "42"},
                    {"cell": "C3", "value": "hello world"},
                    {"cell": "D4", "value": ""},
                ]
            },
        ),
        (["B2==A1=1"], {"edits": [{"cell": "B2", "value": "=A1=1"}]}),
        (
            ["--append", 'EURUSD,1.0842,"a, b"', "--append", "USDJPY"],
            {"append": [["EURUSD", "1.0842", "a, b"], ["USDJPY"]]},
        ),
        (
            ["--upsert", "Symbol=EURUSD", "Bid=1.08", "Ask=1.09"],
            {"upsert": {"key": {"Symbol": "EURUSD"}, "set": {"Bid": "1.08", "Ask": "1.09"}}},
        ),
    ],
)
def test_edit_is_published_under_the_sheets_ordering_key(
    stream: Stream, send: Any, arguments: list[str], form: dict[str, Any]
) -> None:
    stream.create()

    said = send("demo", *arguments)

    (received,) = stream.undelivered()
    message = received.message
    assert msgspec.json.decode(message.data) == {"sheet": "demo"} | form
    assert message.ordering_key == "demo"
    assert f"published message {message.message_id} to {stream.route.topic_path}" in said
    assert message.attributes["edit_id"] in said


def test_edit_id_can_be_chosen(stream: Stream, send: Any) -> None:
    stream.create()

    send("demo", "B2=42", "--edit-id", "order-7")

    (received,) = stream.undelivered()
    assert received.message.attributes == {"edit_id": "order-7"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["B0=1"], "'B0' is not a cell address: write one like B2"),
        (["B2"], "'B2' has no =; write it like B2=42"),
        (["--upsert", "Symbol"], "'Symbol' has no ="),
        (["--upsert", "Symbol="], "gives 'Symbol' no value"),
        ([], "Say one thing to do"),
        (["B2=1", "--append", "a,b"], "Say one thing to do"),
        (["--append", ""], "at least one cell"),
        (["--append", "a", "--append", ""], "append[1]: a row must have at least one value"),
        (["B2=\udcff"], "half of a surrogate pair"),
        (["B2=1", "--edit-id", "\udcff"], "half of a surrogate pair"),
        (["B2=" + "x" * 32_768], "at most 32,767 characters"),
    ],
)
def test_edit_that_would_be_refused_is_not_sent(
    send: Any, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError) as caught:
        send("demo", *arguments)  # there is no topic: trying to publish would end otherwise

    assert sentence in str(caught.value)


def test_missing_topic_says_how_to_make_it(stream: Stream, send: Any) -> None:
    with pytest.raises(CommandError) as caught:
        send("demo", "B2=42")

    assert f"There is no topic {stream.route.topic_path}" in str(caught.value)
    assert "`manage.py pubsub_listener --create`" in str(caught.value)


def test_emulator_that_does_not_answer_is_named(
    stream: Stream, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")

    with pytest.raises(CommandError, match="does not answer: start it with `gcloud beta"):
        send("demo", "B2=42")


def test_missing_credentials_are_named(
    stream: Stream, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/no/such/folder")

    with pytest.raises(CommandError, match="There are no Google credentials"):
        send("demo", "B2=42")
