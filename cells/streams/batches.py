"""A batch of messages becomes edits in one transaction, and dead letters for what is none."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from cells.announcing import announce_committed
from cells.domain.errors import SheetSyncError
from cells.domain.operations import AppendRecord, AppendRows, SetAddresses, UpsertRow
from cells.models import DeadLetter
from cells.services import tracing
from cells.services.commit import CommitResult, Committed, Refused, Submission, commit
from cells.services.dead_letters import record_dead_letters
from cells.services.failures import is_outage
from cells.streams.messages import Message, decode_message
from cells.streams.origins import is_dropped

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class FeedTally:
    """What became of one feed's messages."""

    messages: int = 0
    edits: int = 0
    dead: int = 0

    def add(self, other: "FeedTally") -> None:
        self.messages += other.messages
        self.edits += other.edits
        self.dead += other.dead


@dataclass(slots=True)
class Tally:
    """What became of messages: edits are the cells that were named, for the first time.

    Those that gave way to a person's count, too. `skipped` are messages of which no feed wanted
    anything, `dropped` what another SheetSync only mirrors back, or tells of.
    """

    messages: int = 0
    edits: int = 0
    repeated: int = 0
    skipped: int = 0
    dropped: int = 0
    dead: int = 0
    by_feed: dict[int, FeedTally] = field(default_factory=dict)

    def of(self, feed_id: int) -> FeedTally:
        return self.by_feed.setdefault(feed_id, FeedTally())

    def add(self, other: "Tally") -> None:
        self.messages += other.messages
        self.edits += other.edits
        self.repeated += other.repeated
        self.skipped += other.skipped
        self.dropped += other.dropped
        self.dead += other.dead
        for feed_id, more in other.by_feed.items():
            self.of(feed_id).add(more)


def commit_batch(messages: Sequence[Message]) -> Tally:
    """Commit every message, in order, as edits or as a dead letter; then announce the edits.

    A message that breaks the whole batch is searched for by halves, and becomes a dead letter
    itself. Raises an error for which `is_outage` is true when the database takes nothing now;
    what came before the failure is committed then, and committing it again changes nothing.

    Edits and dead letters are two transactions, for neither is acknowledged before both: what a
    person waits for, who edits one of these sheets, are the locks of the first alone.
    """
    try:
        with _traced(messages):
            done = commit_messages(messages)
    except Exception as error:
        if is_outage(error):
            raise
        if len(messages) == 1:
            return _bury(messages[0], error)
        half = len(messages) // 2
        tally = commit_batch(messages[:half])
        tally.add(commit_batch(messages[half:]))
        return tally
    announce_committed(done.result)
    _log(messages, done)
    if done.refused:
        _keep([(messages[place], refusal) for place, refusal in done.refused.items()])
    return done.tally


def _traced(messages: Sequence[Message]) -> AbstractContextManager[None]:
    if not tracing.is_on:
        return nullcontext()
    return tracing.taking_messages(
        [(one.subscription, one.message_id, one.ordering_key, one.attributes) for one in messages]
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message cannot become an edit, by its code, and the feed that could not read it."""

    reason: str
    detail: str
    feed_id: int | None


@dataclass(frozen=True, slots=True)
class CommittedMessages:
    """What a batch came to; `refused` by the place of the message in it."""

    tally: Tally
    result: CommitResult
    submissions: list[Submission]
    sources: list[int]  # of the submissions: the places of their messages
    refused: dict[int, Refusal]


def commit_messages(messages: Sequence[Message]) -> CommittedMessages:
    """Commit what can be committed, and say what cannot be; the caller's transaction has both.

    Of a message with several edits the others are committed; a replay finds them in the log.
    """
    tally = Tally(messages=len(messages))
    sources: list[int] = []
    submissions: list[Submission] = []
    refused: dict[int, Refusal] = {}

    def refuse(place: int, error: SheetSyncError, feed_id: int | None) -> None:
        refused.setdefault(place, Refusal(error.code, str(error), feed_id))

    for place, message in enumerate(messages):
        if is_dropped(message):
            tally.dropped += 1
            continue
        before = len(submissions)
        for feed in message.feeds or (None,):
            try:
                edits = [decode_message(message)] if feed is None else feed.map(message)
            except SheetSyncError as refusal:
                refuse(place, refusal, None if feed is None else feed.feed_id)
            else:
                submissions += edits
                sources += [place] * len(edits)
        if len(submissions) == before and place not in refused:
            tally.skipped += 1
    result = commit(submissions)
    for place, submission, outcome in zip(sources, submissions, result.outcomes, strict=True):
        feed_id = None if submission.source is None else submission.source.feed_id
        match outcome:
            case Refused(_, error) if error.retryable:
                raise error
            case Refused(_, error):
                refuse(place, error, feed_id)
            case Committed(_, _, is_new=True):
                count = _count_edits(submission)
                tally.edits += count
                if feed_id is not None:
                    tally.of(feed_id).edits += count
            case Committed():
                tally.repeated += 1
    tally.dead = len(refused)
    for place, message in enumerate(messages):
        for feed in message.feeds:
            tally.of(feed.feed_id).messages += 1
        if place in refused and (feed_id := refused[place].feed_id) is not None:
            tally.of(feed_id).dead += 1
    return CommittedMessages(tally, result, submissions, sources, refused)


def _keep(refused: Sequence[tuple[Message, Refusal]]) -> None:
    try:
        record_dead_letters([dead_letter(message, refusal) for message, refusal in refused])
    except Exception as error:
        if is_outage(error):
            raise
        for message, _ in refused:
            _bury(message, error)


def _bury(message: Message, error: Exception) -> Tally:
    logger.error("message %s cannot be committed", message.origin, exc_info=error)
    detail = (
        f"{type(error).__name__}: {error}. SheetSync did not foresee this message; "
        "please report it with its bytes."
    )
    feed_id = message.feeds[0].feed_id if message.feeds else None
    record_dead_letters([dead_letter(message, Refusal(SheetSyncError.code, detail, feed_id))])
    tally = Tally(messages=1, dead=1)
    if feed_id is not None:
        tally.by_feed[feed_id] = FeedTally(messages=1, dead=1)
    return tally


def dead_letter(message: Message, refusal: Refusal) -> DeadLetter:
    """Return the dead letter of a message, not yet saved."""
    return DeadLetter(
        feed_id=refusal.feed_id,
        topic=message.topic,
        subscription=message.subscription,
        message_id=message.message_id,
        reason=refusal.reason,
        detail=refusal.detail,
        data=message.data,
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
        delivery_attempt=message.delivery_attempt or None,
        published_at=message.published_at,
    )


def _count_edits(submission: Submission) -> int:
    match submission.operation:
        case SetAddresses(edits):
            return len(edits)
        case AppendRows(rows):
            return sum(map(len, rows))
        case UpsertRow(_, values) | AppendRecord(values):
            return len(values)
        case _:
            raise TypeError(f"no message becomes a {type(submission.operation).__name__}")


def _log(messages: Sequence[Message], done: CommittedMessages) -> None:
    if done.refused:
        place, refusal = next(iter(done.refused.items()))
        logger.warning(
            "%d dead letters, the first: message %s: %s: %s",
            len(done.refused),
            messages[place].origin,
            refusal.reason,
            refusal.detail,
        )
    if logger.isEnabledFor(logging.DEBUG):
        lines = zip(done.sources, done.submissions, done.result.outcomes, strict=True)
        for place, submission, outcome in lines:
            if isinstance(outcome, Committed):
                logger.debug(
                    "message sheet=%s revision=%s operation_id=%s is_new=%s origin=%s",
                    submission.sheet,
                    outcome.revision,
                    outcome.operation_id,
                    outcome.is_new,
                    messages[place].origin,
                )
