"""What stands for Sentry and a collector of traces: an HTTP server that keeps what it is sent."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """Answers every POST with 200, and keeps it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[tuple[str, bytes]] = []

    @property
    def sentry_dsn(self) -> str:
        return f"http://a-key@127.0.0.1:{self.port}/42"

    @property
    def otlp_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def events(self) -> list[dict[str, Any]]:
        """Return the errors that Sentry was told of.

        https://develop.sentry.dev/sdk/data-model/envelopes/: a header, then for each item a
        header and a payload, each on a line.
        """
        found = []
        for path, body in list(self.requests):
            if path == "/api/42/envelope/":
                _, *lines = body.splitlines()
                items = zip(lines[::2], lines[1::2], strict=False)
                found += [
                    json.loads(item)
                    for header, item in items
                    if json.loads(header)["type"] == "event"
                ]
        return found

    def spans(self) -> list["Traced"]:
        """Return the spans that the collector was sent."""
        return [
            Traced(span, {one.key: one.value for one in found.resource.attributes})
            for path, body in list(self.requests)
            if path == "/v1/traces"
            for found in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in found.scope_spans
            for span in scope.spans
        ]


class Traced(NamedTuple):
    span: Span
    resource: dict[str, Any]

    def attribute(self, name: str) -> Any:
        (value,) = [one.value for one in self.span.attributes if one.key == name]
        kind = value.WhichOneof("value")
        if kind == "array_value":
            return [getattr(one, one.WhichOneof("value")) for one in value.array_value.values]
        return getattr(value, kind)


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            receiver.requests.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
