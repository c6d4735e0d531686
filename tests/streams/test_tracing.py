"""A message is one trace, from its publisher to its commit to the screens that are told."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cells import protocol
from cells.live.hubs import get_hubs
from cells.models import Sheet
from cells.services import tracing
from cells.streams.batches import commit_batch
from tests.live.conftest import LiveServer, live
from tests.streams.test_batches import edit

__all__ = ["live"]

PUBLISHED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"  # of the specification


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    monkeypatch.setattr(tracing, "is_on", False)
    monkeypatch.setattr(tracing, "_tracer", None)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.turn_on(provider, "1")
    return exporter


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


@pytest.mark.django_db
def test_a_batch_links_its_messages_each_in_the_trace_of_its_publisher(
    spans: InMemorySpanExporter,
) -> None:
    Sheet.objects.create(slug="demo", title="Demo")
    commit_batch([edit("B2", 1, googclient_traceparent=PUBLISHED), edit("B3", 2)])
    first, second = named(spans, "process edits-sub")
    (commit,) = named(spans, "sheet.commit")
    assert first.parent is not None
    assert f"{first.parent.trace_id:032x}-{first.parent.span_id:016x}" in PUBLISHED
    assert second.parent is None
    assert commit.parent is not None
    assert commit.parent.span_id == first.context.span_id
    assert [link.context.span_id for link in commit.links] == [
        first.context.span_id,
        second.context.span_id,
    ]
    assert commit.attributes is not None
    assert commit.attributes["sheetsync.revisions"] == (1, 2)
    assert first.attributes is not None
    assert first.attributes["messaging.system"] == "gcp_pubsub"


async def test_fan_out_in_another_process_goes_on_where_the_hint_says_it_was_committed(
    live: LiveServer, spans: InMemorySpanExporter
) -> None:
    await live.tab()
    (hub,) = get_hubs().open_hubs()
    frame = protocol.encode_frame(protocol.PresenceChanged([], [])).decode()  # whatever is told
    hub.hear({"type": "committed", "after": 0, "through": 1, "frame": frame, "trace": PUBLISHED})
    (told,) = named(spans, "sheet.fan_out")
    assert told.parent is not None
    assert f"{told.parent.trace_id:032x}-{told.parent.span_id:016x}" in PUBLISHED
    assert told.attributes == {
        "sheetsync.sheet": "prices",
        "sheetsync.revision": 1,
        "sheetsync.sockets": 1,
    }
