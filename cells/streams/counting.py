"""What listeners write down of feeds, now and then: counts, the newest message, what is wrong."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from cells.models import Feed
from cells.streams.batches import FeedTally


class FeedCounts:
    """Counts of one listener that are not in the database yet; several threads add to them.

    They are written apart from the edits: a row that every batch counted in would be one that all
    listeners wait for. A listener that is killed loses those of its last seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[int, FeedTally] = {}
        self._last: dict[int, datetime] = {}

    def add(self, by_feed: Mapping[int, FeedTally]) -> None:
        if not by_feed:
            return
        now = timezone.now()
        with self._lock:
            for feed_id, more in by_feed.items():
                self._counts.setdefault(feed_id, FeedTally()).add(more)
                self._last[feed_id] = now

    def flush(self) -> None:
        """Write what has come since the last time. Raises django.db.Error, and keeps it then."""
        with self._lock:
            counts, last = self._counts, self._last
            self._counts, self._last = {}, {}
        written = set()
        try:
            for feed_id, count in counts.items():
                Feed.objects.filter(pk=feed_id).update(
                    messages=F("messages") + count.messages,
                    edits=F("edits") + count.edits,
                    dead=F("dead") + count.dead,
                    last_message_at=last[feed_id],
                )
                written.add(feed_id)
        finally:
            self._keep({id_: count for id_, count in counts.items() if id_ not in written}, last)

    def _keep(self, counts: Mapping[int, FeedTally], last: Mapping[int, datetime]) -> None:
        with self._lock:
            for feed_id, count in counts.items():
                self._counts.setdefault(feed_id, FeedTally()).add(count)
                self._last.setdefault(feed_id, last[feed_id])


def count_at_once(by_feed: Mapping[int, FeedTally]) -> None:
    """Write what came of a message that no listener counts. Raises django.db.Error."""
    if by_feed:
        counts = FeedCounts()
        counts.add(by_feed)
        counts.flush()


def write_trouble(feed_ids: Sequence[int], reason: str) -> None:
    """Say at feeds why nothing can be pulled for them; empty: it can. Raises django.db.Error."""
    Feed.objects.filter(pk__in=feed_ids).update(trouble=reason)
