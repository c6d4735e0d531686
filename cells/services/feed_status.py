"""What a sheet's page shows of streams: how feeds are, which cells they wrote, their proposals."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from cells.models import Cell, Feed, FeedPolicy, Proposal
from cells.services import sql_past

MAX_PROPOSALS = 200  # more would be a list of its own; as some are closed, others come into view
MAX_OWNED = 20_000  # cells: more than any screen shows


class FeedStatus(NamedTuple):
    """How a feed is: `seconds` since its last message, None if none ever came."""

    name: str
    columns: list[str]
    is_stale: bool
    seconds: int | None
    has_trouble: bool
    policy: FeedPolicy


class OpenProposal(NamedTuple):
    """What a stream would write into a cell, by ids, that a person has edited."""

    row: int
    column: int
    input: str
    feed: str


def read_feeds(sheet_id: int) -> list[FeedStatus]:
    """Return the sheet's enabled feeds by name. Two statements."""
    now = timezone.now()
    feeds = Feed.objects.filter(sheet_id=sheet_id, is_enabled=True).prefetch_related("columns")
    return [
        FeedStatus(
            feed.name,
            [column.target for column in feed.columns.all()],
            feed.is_stale,
            None
            if feed.last_message_at is None
            else int((now - feed.last_message_at).total_seconds()),
            bool(feed.trouble),
            FeedPolicy(feed.policy),
        )
        for feed in feeds
    ]


def read_proposals(sheet_id: int) -> list[OpenProposal]:
    """Return what enabled feeds propose and nobody has answered, MAX_PROPOSALS at the most."""
    answers = Cell.objects.filter(
        sheet_id=OuterRef("sheet_id"),
        row=OuterRef("row"),
        column=OuterRef("column"),
        revision__gte=OuterRef("revision"),
    )
    found = Proposal.objects.filter(~Exists(answers), sheet_id=sheet_id, feed__is_enabled=True)
    # In the order of their index: reading ends with the last one that is shown.
    named = found.annotate(feed_name=F("feed__name")).order_by("row", "column")
    return [
        OpenProposal(one.row, one.column, one.input, one.feed_name) for one in named[:MAX_PROPOSALS]
    ]


def read_owned(
    sheet_id: int, rows: Iterable[int], columns: tuple[int, int]
) -> list[tuple[int, int, str]]:
    """Return (row id, column id, stream's name) of the cells that a stream wrote last.

    Of those in `rows` and in the columns from the first to the last of `columns`, all by id;
    MAX_OWNED at the most. One statement.
    """
    with connection.cursor() as cursor:
        return sql_past.find_written_by_streams(cursor, sheet_id, rows, columns, MAX_OWNED)


def dismiss_proposal(sheet_id: int, row: int, column: int, text: str) -> bool:
    """Take back a proposal, unless it is another one by now; say whether there was one to take."""
    found = Proposal.objects.filter(sheet_id=sheet_id, row=row, column=column, input=text)
    return found.delete()[0] > 0
