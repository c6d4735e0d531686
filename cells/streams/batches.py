"""A batch of messages becomes edits in one transaction, and dead letters for what is none."""

import logging
from collections.abc import Iterable, Sequence
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

# Fewer cost more by the message, and people who edit these sheets wait less: with a batch of fifty
# sheets under one lock their p99 beside a listener at full speed was three times as long.
SHEETS_PER_COMMIT = 10


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message cannot become an edit, by its code, and the feed that could not read it."""

    reason: str
    detail: str
    feed_id: int | None


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message, what it wants committed, and what could not be read of it, if anything."""

    message: Message
    submissions: list[Submission]
    refusal: Refusal | None = None
    is_dropped: bool = False

    @property
    def target(self) -> str:
        """What orders it among others: its sheet, or the subscription whose feeds share it."""
        if self.message.feeds or not self.submissions:
            return self.message.subscription
        return self.submissions[0].sheet


def commit_batch(messages: Sequence[Message]) -> Tally:
    """Commit every message as edits or as a dead letter, in order on each sheet; announce them.

    A few sheets a transaction: a person who edits one of them waits for its lock no longer.
    A message that breaks all of its transaction is searched for by halves, and becomes a dead
    letter itself. Raises an error for which `is_outage` is true when the database takes nothing
    now; what came before the failure is committed then, and committing it again changes nothing.
    """
    tally = Tally()
    for part in _by_sheets(list(map(read_message, messages))):
        tally.add(_commit_part(part))
    return tally


def _by_sheets(read: Sequence[ReadMessage]) -> Iterable[list[ReadMessage]]:
    """Return the messages by SHEETS_PER_COMMIT sheets, in order for each of them."""
    parts: dict[str, list[ReadMessage]] = {}  # by target; those of one commit share a list
    several: list[list[ReadMessage]] = []
    for one in read:
        if (part := parts.get(one.target)) is None:
            if len(parts) % SHEETS_PER_COMMIT == 0:
                several.append([])
            part = parts[one.target] = several[-1]
        part.append(one)
    return several


def _commit_part(part: Sequence[ReadMessage]) -> Tally:
    """Commit the messages of some sheets.

    Edits and dead letters are two transactions, for neither is acknowledged before both: what a
    person waits for, who edits one of these sheets, are the locks of the first alone.
    """
    try:
        with _traced(part):
            done = commit_messages(part)
    except Exception as error:
        if is_outage(error):
            raise
        if len(part) == 1:
            return _bury(part[0].message, error)
        half = len(part) // 2
        tally = _commit_part(part[:half])
        tally.add(_commit_part(part[half:]))
        return tally
    announce_committed(done.result)
    _log(part, done)
    if done.refused:
        _keep([(part[place].message, refusal) for place, refusal in done.refused.items()])
    return done.tally


def _traced(part: Sequence[ReadMessage]) -> AbstractContextManager[None]:
    if not tracing.is_on:
        return nullcontext()
    messages = [one.message for one in part]
    return tracing.taking_messages(
        [(one.subscription, one.message_id, one.ordering_key, one.attributes) for one in messages]
    )


@dataclass(frozen=True, slots=True)
class CommittedMessages:
    """What a batch came to; `refused` by the place of the message in it."""

    tally: Tally
    result: CommitResult
    submissions: list[Submission]
    sources: list[int]  # of the submissions: the places of their messages
    refused: dict[int, Refusal]


def read_message(message: Message) -> ReadMessage:
    """Have a message's feeds read it; what is wrong with it is its refusal, foreseen or not."""
    if is_dropped(message):
        return ReadMessage(message, [], is_dropped=True)
    submissions: list[Submission] = []
    refusal: Refusal | None = None
    for feed in message.feeds or (None,):
        feed_id = None if feed is None else feed.feed_id
        try:
            submissions += [decode_message(message)] if feed is None else feed.map(message)
        except SheetSyncError as error:
            refusal = refusal or Refusal(error.code, str(error), feed_id)
        except Exception as error:
            if is_outage(error):
                raise
            refusal = refusal or _unforeseen(message, error, feed_id)
    return ReadMessage(message, submissions, refusal)


def commit_messages(read: Sequence[ReadMessage]) -> CommittedMessages:
    """Commit what can be committed, and say what cannot be; the caller's transaction has both.

    Of a message with several edits the others are committed; a replay finds them in the log.
    """
    tally = Tally(messages=len(read))
    sources: list[int] = []
    submissions: list[Submission] = []
    refused: dict[int, Refusal] = {}
    for place, one in enumerate(read):
        submissions += one.submissions
        sources += [place] * len(one.submissions)
        if one.refusal is not None:
            refused[place] = one.refusal
        elif one.is_dropped:
            tally.dropped += 1
        elif not one.submissions:
            tally.skipped += 1
    result = commit(submissions)
    for place, submission, outcome in zip(sources, submissions, result.outcomes, strict=True):
        feed_id = None if submission.source is None else submission.source.feed_id
        match outcome:
            case Refused(_, error) if error.retryable:
                raise error
            case Refused(_, error):
                refused.setdefault(place, Refusal(error.code, str(error), feed_id))
            case Committed(_, _, is_new=True):
                count = _count_edits(submission)
                tally.edits += count
                if feed_id is not None:
                    tally.of(feed_id).edits += count
            case Committed():
                tally.repeated += 1
    tally.dead = len(refused)
    for place, one in enumerate(read):
        for feed in one.message.feeds:
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


def _unforeseen(message: Message, error: Exception, feed_id: int | None) -> Refusal:
    logger.error("message %s cannot be committed", message.origin, exc_info=error)
    detail = (
        f"{type(error).__name__}: {error}. SheetSync did not foresee this message; "
        "please report it with its bytes."
    )
    return Refusal(SheetSyncError.code, detail, feed_id)


def _bury(message: Message, error: Exception) -> Tally:
    feed_id = message.feeds[0].feed_id if message.feeds else None
    record_dead_letters([dead_letter(message, _unforeseen(message, error, feed_id))])
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


def _log(part: Sequence[ReadMessage], done: CommittedMessages) -> None:
    if done.refused:
        place, refusal = next(iter(done.refused.items()))
        logger.warning(
            "%d dead letters, the first: message %s: %s: %s",
            len(done.refused),
            part[place].message.origin,
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
                    part[place].message.origin,
                )
