"""A feed of a test's own sheet; its messages are committed beside the server, as by a listener."""

from tests.e2e.conftest import OwnServer
from tests.e2e.grid_page import GridPage

_FEED = """
from cells.models import Feed, FeedColumn, Sheet
feed = Feed.objects.create(
    sheet=Sheet.objects.get(slug={slug!r}), name={name!r}, subscription={slug!r},
    policy={policy!r}, stale_after_seconds=3600,
)
FeedColumn.objects.create(feed=feed, target="Symbol", source="$.sym", is_key=True)
FeedColumn.objects.create(feed=feed, target="Bid", source="$.bid")
"""

_TICK = """
import json, uuid
from datetime import UTC, datetime
from cells.models import Feed
from cells.streams.batches import commit_batch
from cells.streams.feeds import feeds_of
from cells.streams.messages import Message
from cells.streams.names import subscription_path
path = subscription_path({slug!r})
sent = [
    Message("projects/demo/topics/ticks", path, str(uuid.uuid4()), datetime.now(UTC),
            json.dumps({{"sym": sym, "bid": bid}}).encode(), feeds=feeds_of(path))
    for sym, bid in {ticks!r}
]
assert commit_batch(sent).dead == 0
Feed.objects.filter(subscription={slug!r}).update(last_message_at=datetime.now(UTC))
"""

_LATER = """
from datetime import UTC, datetime, timedelta
from cells.models import Feed
Feed.objects.filter(subscription={slug!r}).update(
    last_message_at=datetime.now(UTC) - timedelta(seconds={seconds}), trouble={trouble!r}
)
"""


class Ticks:
    """A feed of a test's own sheet, and what happens to it."""

    def __init__(self, server: OwnServer, slug: str) -> None:
        self.server = server
        self.slug = slug
        self.name = f"Ticks of {slug}"

    def make(self, policy: str = "stream") -> None:
        self.server.shell(_FEED.format(slug=self.slug, name=self.name, policy=policy))

    def send(self, *ticks: tuple[str, str]) -> None:
        self.server.shell(_TICK.format(slug=self.slug, ticks=ticks))

    def is_silent(self, seconds: int, trouble: str = "") -> None:
        self.server.shell(_LATER.format(slug=self.slug, seconds=seconds, trouble=trouble))


def with_headers(grid: GridPage) -> GridPage:
    grid.copy_from_elsewhere("Symbol\tBid\nEUR\t1\n")
    grid.press("Control+v")
    grid.expect_saved()
    return grid
