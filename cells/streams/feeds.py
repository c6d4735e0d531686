"""The feeds as the database has them, ready to be used, and looked at again every few seconds."""

import logging
import threading
import time

from cells.models import Feed
from cells.streams.mapping import Column, FeedSpec, InvalidMapping, Mapping
from cells.streams.names import subscription_path

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0  # how soon a change in the admin counts


def spec_of(feed: Feed) -> FeedSpec:
    """Return a saved feed with its columns, as a mapping takes it."""
    columns = tuple(
        Column(column.target, column.source, column.is_key) for column in feed.columns.all()
    )
    return FeedSpec(
        feed.pk,
        feed.name,
        feed.sheet.slug,
        columns,
        feed.write,
        feed.records,
        feed.filter,
        feed.event_time,
        feed.policy,
    )


class FeedBook:
    """The enabled feeds by the full name of their subscription; of deleted sheets none.

    What such a feed's subscription holds waits at Pub/Sub, in case the sheet is brought back.
    """

    def __init__(self) -> None:
        self._mappings: dict[FeedSpec, Mapping] = {}
        self._by_subscription: dict[str, tuple[Mapping, ...]] = {}
        self._at_rest: frozenset[str] = frozenset()

    @property
    def subscriptions(self) -> frozenset[str]:
        return frozenset(self._by_subscription)

    def feeds_of(self, subscription: str) -> tuple[Mapping, ...]:
        return self._by_subscription.get(subscription, ())

    def is_at_rest(self, subscription: str) -> bool:
        """Whether only feeds that are off read a subscription: its messages are for them."""
        return subscription in self._at_rest

    def refresh(self) -> None:
        """Read the feeds again. Raises django.db.Error, and is as it was then."""
        feeds = Feed.objects.select_related("sheet").prefetch_related("columns").order_by("pk")
        mappings: dict[FeedSpec, Mapping] = {}
        by_subscription: dict[str, tuple[Mapping, ...]] = {}
        known: set[str] = set()
        for feed in feeds:
            known.add(subscription_path(feed.subscription))
            if not feed.is_enabled or feed.sheet.deleted_at is not None:
                continue
            spec = spec_of(feed)
            mapping = self._mappings.get(spec)
            if mapping is None:
                try:
                    mapping = Mapping(spec)
                except InvalidMapping as error:
                    # The admin lets none through; written by other means, it must not stop others.
                    logger.error("feed %s cannot be used: %s: %s", feed, error.field, error)
                    continue
            mappings[spec] = mapping
            path = subscription_path(feed.subscription)
            by_subscription[path] = (*by_subscription.get(path, ()), mapping)
        self._mappings, self._by_subscription = mappings, by_subscription
        self._at_rest = frozenset(known - by_subscription.keys())


class _Shelf:
    """One book for all that ask now and then, in whichever thread."""

    def __init__(self) -> None:
        self._book = FeedBook()
        self._lock = threading.Lock()
        self._read_at = float("-inf")

    def feeds_of(self, subscription: str) -> tuple[Mapping, ...] | None:
        with self._lock:
            if time.monotonic() - self._read_at >= REFRESH_SECONDS:
                self._book.refresh()
                self._read_at = time.monotonic()
            at_rest = self._book.is_at_rest(subscription)
            return None if at_rest else self._book.feeds_of(subscription)

    def forget(self) -> None:
        self._read_at = float("-inf")


_shelf = _Shelf()


def feeds_of(subscription: str) -> tuple[Mapping, ...] | None:
    """Return the feeds of a subscription, by its full name, as they were a moment ago.

    None if all of them are off: then its messages are for nobody now. For what comes message by
    message. Raises django.db.Error.
    """
    return _shelf.feeds_of(subscription)


def forget_feeds() -> None:
    """Have the next feeds_of read the database: a person of this process has changed a feed."""
    _shelf.forget()
