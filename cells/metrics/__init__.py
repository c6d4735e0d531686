"""Metrics: all that /metrics tells, read from the database when it is asked for.

Whichever web process is asked tells of all: of itself and the others what each has written down
within the last seconds (services.process_beats), of the streams what they have.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cells.metrics.processes import process_metrics
from cells.metrics.streams import stream_metrics

METRICS_TYPE = CONTENT_TYPE_LATEST


def render_metrics() -> bytes:
    """Return all metrics as text. Raises django.db.Error."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_All())
    return generate_latest(registry)


class _All(Collector):
    def describe(self) -> list[Metric]:
        return []  # else it would be collected when it is registered

    def collect(self) -> Iterator[Metric]:
        yield from process_metrics()
        yield from stream_metrics()
