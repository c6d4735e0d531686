"""Tracing: one edit's way from socket frame or message to commit to fan-out, as spans.

Off unless `turn_on` was called; then `is_on` is all that is asked on the way, and OpenTelemetry is
not even loaded. Spans are handed on as W3C trace parents, which travel between threads and, in
hints, between processes. https://www.w3.org/TR/trace-context/#traceparent-header
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from cells.services.commit import Outcome, Submission

MAX_NAMED = 100  # operation ids of a batch; a collector cuts long lists, or refuses them

Parent: TypeAlias = str
"""A W3C traceparent, "" where nothing is traced."""

is_on = False
_tracer: "Tracer | None" = None
_handed_in: ContextVar[Sequence["Span"]] = ContextVar("handed_in", default=())


def turn_on(provider: "TracerProvider", version: str) -> None:
    """Trace from now on, with spans of this provider."""
    global is_on, _tracer
    _tracer = provider.get_tracer("sheetsync", version)
    is_on = True


def begin_edit(sheet: str, operation_id: UUID) -> "Span":
    """Begin the span of an edit that came over a socket; `end_edit` ends it."""
    from opentelemetry.trace import SpanKind

    return _get_tracer().start_span(
        "operation.submit",
        kind=SpanKind.SERVER,
        attributes={"sheetsync.sheet": sheet, "sheetsync.operation_id": str(operation_id)},
    )


def end_edit(span: "Span", outcome: "Outcome") -> None:
    """End an edit's span with its revision, or why it was refused."""
    refusal = getattr(outcome, "error", None)
    if refusal is not None:
        span.set_attribute("sheetsync.refusal", refusal.code)
    else:
        span.set_attribute("sheetsync.revision", getattr(outcome, "revision", 0))
    span.end()


@contextmanager
def taking_messages(
    messages: Sequence[tuple[str, str, str, Mapping[str, str]]],
) -> Iterator[None]:
    """Trace messages of Pub/Sub that are committed meanwhile.

    Of each its subscription, id, ordering key and attributes.

    A publisher's trace goes on where it sent one, under Google's clients' name for it or W3C's own.
    https://opentelemetry.io/docs/specs/semconv/messaging/gcp-pubsub/
    """
    from opentelemetry.trace import SpanKind, StatusCode

    spans = [
        _get_tracer().start_span(
            f"process {name.rpartition('/')[2]}",
            context=_context(
                attributes.get("googclient_traceparent") or attributes.get("traceparent") or ""
            ),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "gcp_pubsub",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.subscription.name": name.rpartition("/")[2],
                "messaging.message.id": message_id,
                "messaging.gcp_pubsub.message.ordering_key": ordering_key,
            },
        )
        for name, message_id, ordering_key, attributes in messages
    ]
    try:
        with handing_in(spans):
            yield
    except Exception as error:
        for span in spans:
            span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()


@contextmanager
def handing_in(spans: Sequence["Span"]) -> Iterator[None]:
    """Let a commit in this thread go on from these spans: the first one's trace, links to all."""
    token = _handed_in.set(spans)
    try:
        yield
    finally:
        _handed_in.reset(token)


@contextmanager
def committing(submissions: Sequence["Submission"]) -> Iterator["Span"]:
    """Trace a commit."""
    from opentelemetry.trace import Link, set_span_in_context

    spans = _handed_in.get()
    with _get_tracer().start_as_current_span(
        "sheet.commit",
        context=set_span_in_context(spans[0]) if spans else None,
        links=[Link(span.get_span_context()) for span in spans],
    ) as span:
        if span.is_recording():
            sheets = sorted({one.sheet for one in submissions})
            ids = [str(one.operation_id) for one in submissions[:MAX_NAMED]]
            span.set_attribute("sheetsync.sheets", sheets[:MAX_NAMED])
            span.set_attribute("sheetsync.submissions", len(submissions))
            span.set_attribute("sheetsync.operation_ids", ids)
        yield span


def note_outcomes(span: "Span", outcomes: Sequence["Outcome"]) -> Parent:
    """Say in a commit's span what became of it; return what its fan-out is to go on from."""
    if span.is_recording():
        revisions = [found for one in outcomes if (found := getattr(one, "revision", None))]
        span.set_attribute("sheetsync.revisions", revisions[:MAX_NAMED])
        span.set_attribute("sheetsync.refused", len(outcomes) - len(revisions))
    context = span.get_span_context()
    flags = int(context.trace_flags)
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"


@contextmanager
def fanning_out(parent: Parent, sheet: str, through: int, sockets: int) -> Iterator[None]:
    """Trace that a process's sockets are told of a step of the log."""
    with _get_tracer().start_as_current_span(
        "sheet.fan_out",
        context=_context(parent),
        attributes={
            "sheetsync.sheet": sheet,
            "sheetsync.revision": through,
            "sheetsync.sockets": sockets,
        },
    ):
        yield


def _context(parent: Parent) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, Any] = {"traceparent": parent}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _get_tracer() -> "Tracer":
    if _tracer is None:
        raise RuntimeError("tracing is not turned on")
    return _tracer
