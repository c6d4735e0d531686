"""Metrics of the streams, read from the database when they are asked for.

Listeners are other processes: what they write down every two seconds is what any web process
can tell of them.
"""

from collections.abc import Iterator

from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cells.models import DeadLetter, Feed, ListenerBeat
from cells.services.beats import FRESH_SECONDS

METRICS_TYPE = CONTENT_TYPE_LATEST


def render_metrics() -> bytes:
    """Return all metrics as text. Raises django.db.Error."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Streams())
    return generate_latest(registry)


class _Streams(Collector):
    def describe(self) -> list[Metric]:
        return []  # else it would be collected when it is registered

    def collect(self) -> Iterator[Metric]:
        yield from _listeners()
        yield from _feeds()
        waiting = GaugeMetricFamily(
            "sheetsync_dead_letters_waiting", "Dead letters that nobody settled.", labels=["feed"]
        )
        letters = DeadLetter.objects.filter(outcome="").values("feed__name").order_by()
        for found in letters.annotate(count=Count("pk")):
            waiting.add_metric([found["feed__name"] or ""], found["count"])
        yield waiting


def _listeners() -> Iterator[Metric]:
    now = timezone.now()
    labels = ["listener"]
    up = GaugeMetricFamily("sheetsync_listener_up", "1: it hears; 0: not.", labels=labels)
    lag = GaugeMetricFamily(
        "sheetsync_listener_lag_seconds",
        "Age of the oldest message that was committed in the last seconds, or waits.",
        labels=labels,
    )
    beats = list(ListenerBeat.objects.all())
    for beat in beats:
        is_fresh = (now - beat.beat_at).total_seconds() < FRESH_SECONDS
        up.add_metric([beat.name], float(is_fresh and not beat.trouble))
        lag.add_metric([beat.name], beat.lag_seconds)
    yield from (up, lag)
    for name, text in (
        ("messages", "Messages that were settled."),
        ("edits", "Cells that were set."),
        ("repeated", "Messages that the log had already."),
        ("skipped", "Messages of which no feed wanted anything."),
        ("dead", "Messages that became dead letters."),
    ):
        counter = CounterMetricFamily(f"sheetsync_listener_{name}", text, labels=labels)
        for beat in beats:
            counter.add_metric([beat.name], getattr(beat, name))
        yield counter


def _feeds() -> Iterator[Metric]:
    feeds = list(Feed.objects.filter(is_enabled=True))
    for name, text in (
        ("messages", "Messages that came for the feed."),
        ("edits", "Cells that it set."),
        ("dead", "Its messages that became dead letters."),
    ):
        counter = CounterMetricFamily(f"sheetsync_feed_{name}", text, labels=["feed"])
        for feed in feeds:
            counter.add_metric([feed.name], getattr(feed, name))
        yield counter
    age = GaugeMetricFamily(
        "sheetsync_feed_last_message_age_seconds", "How long nothing came.", labels=["feed"]
    )
    stale = GaugeMetricFamily(
        "sheetsync_feed_stale", "1: nothing came for the feed's own limit.", labels=["feed"]
    )
    trouble = GaugeMetricFamily(
        "sheetsync_feed_trouble", "1: nothing can be pulled for it.", labels=["feed"]
    )
    for feed in feeds:
        if feed.last_message_at is not None:
            age.add_metric([feed.name], (timezone.now() - feed.last_message_at).total_seconds())
        stale.add_metric([feed.name], float(feed.is_stale))
        trouble.add_metric([feed.name], float(bool(feed.trouble)))
    yield from (age, stale, trouble)
