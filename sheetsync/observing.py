"""Where errors and traces go: Sentry, and a collector of OpenTelemetry's.

Their libraries are optional (requirements-observe.txt), and loaded only where they are asked for.
"""

import os
import socket
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ImproperlyConfigured

from cells.services import tracing
from sheetsync.logs import fields_of

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

INSTALL = (
    "run `pip install -r requirements-observe.txt` (for the image: build it with "
    "`--build-arg OBSERVE=1`), or leave the variable out."
)
KEPT_HEADERS = ("host", "content-type", "content-length")
KEPT_FIELDS = ("sheet", "revision", "operation_id")
QUIET_LOGGERS = ("django.security.DisallowedHost",)  # anybody's typing error, or scan


def report_errors(dsn: str, version: str) -> None:
    """Send unhandled errors, and what is logged as an error, to Sentry.

    Without what people wrote or who they are: no local variables, which hold cells; no bodies,
    cookies, addresses or names; no headers or query strings. Raises ImproperlyConfigured without
    the library.
    """
    try:
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.integrations.logging import ignore_logger
    except ImportError as error:
        raise ImproperlyConfigured(
            f"SENTRY_DSN is set and sentry-sdk is not installed: {INSTALL}"
        ) from error
    for name in QUIET_LOGGERS:
        ignore_logger(name)
    sentry_sdk.init(
        dsn=dsn,
        release=os.environ.get("SENTRY_RELEASE") or f"sheetsync@{version}",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=20,
        before_send=_without_people,
        before_breadcrumb=_without_values,
        # Others, found by what is installed, would wrap Redis and HTTP clients.
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(middleware_spans=False, signals_spans=False)],
    )


def _without_people(event: "Event", hint: "Hint") -> "Event | None":
    """Keep where it happened; of a log line its template, and which edit it is about."""
    event.pop("user", None)
    request = event.get("request")
    if request is not None:
        for name in ("query_string", "cookies", "data", "env"):
            request.pop(name, None)
        headers = cast("dict[str, str]", request.get("headers", {}))
        request["headers"] = {
            name: value for name, value in headers.items() if name.lower() in KEPT_HEADERS
        }
    record = hint.get("log_record")
    if record is not None:
        event["logentry"] = {"message": str(record.msg)}
        found = fields_of(record)
        event["tags"] = {name: str(found[name]) for name in KEPT_FIELDS if name in found}
    return event


def _without_values(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    """Keep log lines as the template that they were made from, without what was filled in."""
    record = hint.get("log_record")
    if record is not None:
        crumb["message"] = str(record.msg)
    return crumb


def send_traces(version: str) -> None:
    """Send spans to where OTEL_EXPORTER_OTLP_ENDPOINT says, in batches, from a thread.

    What is sampled, under which name and with which headers, say OpenTelemetry's own variables:
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/. Raises
    ImproperlyConfigured without the library.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set and opentelemetry-exporter-otlp-proto-http is not "
            f"installed: {INSTALL}"
        ) from error
    own = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME") or "sheetsync",
        "service.version": version,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    provider = TracerProvider(resource=Resource.create(own))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracing.turn_on(provider, version)
