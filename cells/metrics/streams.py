"""Metrics of streams and calculations: what listeners and calculators write down as they go."""

from collections.abc import Iterator

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from cells.models import Calculation, DeadLetter, Feed, ListenerBeat, Publication
from cells.services.beats import FRESH_SECONDS


def stream_metrics() -> Iterator[Metric]:
    """Yield the metrics of what flows in and out, and of formulas. Raises django.db.Error."""
    yield from _listeners()
    yield from _feeds()
    waiting = GaugeMetricFamily(
        "sheetsync_dead_letters_waiting", "Dead letters that nobody settled.", labels=["feed"]
    )
    letters = DeadLetter.objects.filter(outcome="").values("feed__name").order_by()
    for found in letters.annotate(count=Count("pk")):
        waiting.add_metric([found["feed__name"] or ""], found["count"])
    yield waiting
    yield from _publications()
    yield from _calculations()


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


def _publications() -> Iterator[Metric]:
    labels = ["sheet", "topic"]
    behind = GaugeMetricFamily(
        "sheetsync_publication_behind", "Revisions that were not published yet.", labels=labels
    )
    trouble = GaugeMetricFamily(
        "sheetsync_publication_trouble", "1: it stands still; the admin says why.", labels=labels
    )
    enabled = Publication.objects.filter(is_enabled=True, sheet__deleted_at=None)
    for one in enabled.select_related("sheet").defer("sheet__rows", "sheet__columns"):
        names = [one.sheet.slug, one.topic]
        behind.add_metric(names, max(one.sheet.head - one.published, 0))
        trouble.add_metric(names, float(bool(one.error)))
    yield from (behind, trouble)


def _calculations() -> Iterator[Metric]:
    found = Calculation.objects.filter(sheet__deleted_at=None)
    formulas = GaugeMetricFamily("sheetsync_formulas", "Formulas in all sheets, when calculated.")
    formulas.add_metric([], found.aggregate(total=Sum("formulas"))["total"] or 0)
    late = found.exclude(revision=F("sheet__head"))
    behind = GaugeMetricFamily(
        "sheetsync_calculations_behind", "Sheets with formulas that are not calculated to the end."
    )
    behind.add_metric([], late.count())
    unheld = GaugeMetricFamily(
        "sheetsync_calculations_without_worker", "Of these, those that no calc_worker has taken."
    )
    unheld.add_metric([], late.filter(Q(held_by=None) | Q(held_until__lt=Now())).count())
    failing = GaugeMetricFamily(
        "sheetsync_calculations_failing", "Sheets that cannot be calculated; the admin says why."
    )
    failing.add_metric([], found.exclude(problem="").count())
    yield from (formulas, behind, unheld, failing)


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
