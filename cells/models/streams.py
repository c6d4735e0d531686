"""Streams in and out: feeds and what they propose, listeners, dead letters, publications."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from cells.models.sheets import Sheet


class DeadLetterOutcome(models.TextChoices):
    """What a person did with a dead letter."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"


class FeedWrite(models.TextChoices):
    """How a feed writes what a message says into its sheet."""

    UPSERT = "upsert", "Set cells of the row with the same key, or append one"
    APPEND = "append", "Append a row below the last used one"
    CELLS = "cells", "Set fixed cells"


class FeedPolicy(models.TextChoices):
    """Whose text stays in a cell that a person has edited since the stream wrote it."""

    STREAM = "stream", "The stream wins"
    PERSON = "person", "The person wins"
    NEWEST = "newest", "The newest event time wins"
    PROPOSE = "propose", "The stream only proposes"


class Feed(models.Model):
    """Binds a subscription, whose messages know nothing of sheets, to a sheet."""

    name = models.CharField(
        max_length=100, unique=True, help_text="What the log and the grid call this stream."
    )
    is_enabled = models.BooleanField("enabled", default=True)
    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="feeds")
    subscription = models.CharField(
        max_length=255,
        help_text="Its name in PUBSUB_PROJECT, or projects/…/subscriptions/… in full. Several "
        "feeds may share one.",
    )
    write = models.CharField(max_length=6, choices=FeedWrite, default=FeedWrite.UPSERT)
    records = models.CharField(
        max_length=300,
        blank=True,
        help_text="JSONPath of the records in a message, such as $.orders[*]; empty: the whole "
        "message is one.",
    )
    filter = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Which records count, as a JSONPath filter (RFC 9535): @ is the record, "
        "$.attributes the message's: @.price > 0 && $.attributes.type == 'trade'. Empty: all.",
    )
    event_time = models.CharField(
        max_length=300,
        blank=True,
        help_text="Where a record says when it happened: a JSONPath or attribute:NAME. ISO 8601, "
        "or seconds or milliseconds since 1970. Empty: the time it was published.",
    )
    policy = models.CharField(
        "when a person has edited the cell since",
        max_length=7,
        choices=FeedPolicy,
        default=FeedPolicy.STREAM,
    )
    stale_after_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="The grid says that it is late when nothing came for so long. Empty: never.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What listeners count, now and then; they write nothing else here.
    messages = models.BigIntegerField(default=0, editable=False)
    edits = models.BigIntegerField(default=0, editable=False)
    dead = models.BigIntegerField(default=0, editable=False)
    last_message_at = models.DateTimeField(null=True, editable=False)
    trouble = models.TextField(
        blank=True, editable=False, help_text="Why nothing can be pulled now."
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(write__in=FeedWrite.values), name="feed_write_known"
            ),
            models.CheckConstraint(
                condition=Q(policy__in=FeedPolicy.values), name="feed_policy_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_stale(self) -> bool:
        """Whether nothing came for longer than the feed's own limit."""
        if self.stale_after_seconds is None:
            return False
        since = self.last_message_at or self.created_at
        return (timezone.now() - since).total_seconds() > self.stale_after_seconds


class FeedColumn(models.Model):
    """One line of a feed's mapping: what of a record goes where."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="columns")
    target = models.CharField(
        max_length=200, help_text="A header of row 1; for fixed cells an address, such as B2."
    )
    source = models.CharField(
        max_length=300,
        help_text="A JSONPath from the record on, such as $.price; or attribute:NAME, "
        "message:id, message:publish_time, message:ordering_key.",
    )
    is_key = models.BooleanField("key", default=False)

    class Meta:
        ordering = ("id",)
        verbose_name = "column"
        constraints = (models.UniqueConstraint(fields=("feed", "target"), name="feed_column_once"),)

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Publication(models.Model):
    """Has every revision of a sheet published to a topic; `published` is how far that has come."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="publications")
    topic = models.CharField(
        max_length=255, blank=True, help_text="Its name in PUBSUB_PROJECT; empty: PUBSUB_TOPIC."
    )
    is_enabled = models.BooleanField(
        "enabled", default=True, help_text="Turned on again it goes on where it was."
    )
    published = models.BigIntegerField(
        default=0, editable=False, help_text="The newest revision that Pub/Sub has taken."
    )
    published_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(
        blank=True, editable=False, help_text="Why it stands still; it is tried again."
    )
    # The publisher that has the sheet now: two at a time would mix up the order.
    held_by = models.UUIDField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("sheet", "topic"), name="publication_once"),
            models.CheckConstraint(
                condition=Q(published__gte=0), name="publication_cursor_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sheet} to {self.topic or 'the usual topic'}"


class Installation(models.Model):
    """This SheetSync, under the name by which others know it: one row, made when it is needed."""

    name = models.CharField(max_length=64)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="installation_only_one"),)

    def __str__(self) -> str:
        return self.name


class Proposal(models.Model):
    """What a stream would have written where a person had edited.

    It is open while nobody has written the cell after `revision`; the newest one of a cell counts.
    """

    sheet = models.ForeignKey(
        Sheet, on_delete=models.CASCADE, related_name="proposals", db_index=False
    )
    row = models.IntegerField(help_text="A row id, not a position.")
    column = models.IntegerField(help_text="A column id, not a position.")
    input = models.TextField(blank=True)
    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="proposals")
    revision = models.BigIntegerField(help_text="The stream's revision that proposes it.")
    proposed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("sheet", "row", "column"), name="proposal_once"),
        )

    def __str__(self) -> str:
        return f"{self.sheet_id}:{self.row},{self.column}"


class ListenerBeat(models.Model):
    """A listener that said a moment ago how it is; it takes its row away when it ends."""

    name = models.CharField(max_length=255, unique=True, help_text="Its host and process id.")
    subscription = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    lag_seconds = models.FloatField(help_text="Age of the oldest message committed since the last.")
    messages = models.BigIntegerField(default=0)
    edits = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    dead = models.BigIntegerField(default=0)
    trouble = models.TextField(blank=True, help_text="Why it hears nothing now.")

    class Meta:
        ordering = ("name",)
        verbose_name = "listener"

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """A stream message that could not become an edit, kept whole with its reason.

    A person replays it, with other bytes if need be, or discards it: `settled_at` is then.
    """

    feed = models.ForeignKey(
        Feed, on_delete=models.SET_NULL, null=True, related_name="dead_letters"
    )
    topic = models.CharField(max_length=255, blank=True)
    subscription = models.CharField(max_length=255)
    message_id = models.CharField(max_length=255)
    reason = models.CharField(max_length=40, help_text="The refusal's stable code.")
    detail = models.TextField(help_text="What was wrong, and what to do.")
    data = models.BinaryField(help_text="The message's bytes as they came.")
    attributes = models.JSONField(default=dict)
    ordering_key = models.CharField(max_length=1024, blank=True)
    delivery_attempt = models.PositiveIntegerField(null=True)
    published_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    forwarded_at = models.DateTimeField(
        null=True, help_text="When it was published to the dead-letter topic."
    )
    edited_data = models.BinaryField(null=True, help_text="What a person made of the bytes.")
    edited_attributes = models.JSONField(null=True)
    outcome = models.CharField(
        max_length=9,
        choices=DeadLetterOutcome,
        blank=True,
        help_text="What a person did with it; empty: it waits.",
    )
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ("-id",)
        # The inbox, by feed: what waits, the newest first.
        indexes = (
            models.Index(fields=("outcome", "feed", "-id"), name="dead_letter_inbox"),
            models.Index(
                fields=("id",), condition=Q(forwarded_at=None), name="dead_letter_to_forward"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                # Google's emulator counts message ids from 1 again when it is restarted.
                fields=("subscription", "message_id", "published_at"),
                name="dead_letter_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subscription} {self.message_id}: {self.reason}"
