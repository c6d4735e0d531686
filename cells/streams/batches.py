"""A batch of messages becomes one transaction: its edits, and dead letters for what is none."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from cells.domain.errors import SheetSyncError
from cells.domain.operations import AppendRows, SetAddresses, UpsertRow
from cells.models import DeadLetter
from cells.services.announce import announce_committed
from cells.services.commit import CommitResult, Committed, Refused, Submission, commit
from cells.services.dead_letters import record_dead_letters
from cells.services.failures import is_outage
from cells.streams.messages import Message, decode_message

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What became of messages: edits are the cells that were set, for the first time."""

    messages: int = 0
    edits: int = 0
    repeated: int = 0
    dead: int = 0

    def add(self, other: "Tally") -> None:
        self.messages += other.messages
        self.edits += other.edits
        self.repeated += other.repeated
        self.dead += other.dead


def commit_batch(messages: Sequence[Message]) -> Tally:
    """Commit every message, in order, as an edit or as a dead letter; then announce the edits.

    A message that breaks the whole batch is searched for by halves, and becomes a dead letter
    itself. Raises an error for which `is_outage` is true when the database takes nothing now;
    what came before the failure is committed then, and committing it again changes nothing.
    """
    try:
        tally, result = _commit(messages)
    except Exception as error:
        if is_outage(error):
            raise
        if len(messages) == 1:
            return _bury(messages[0], error)
        half = len(messages) // 2
        tally = commit_batch(messages[:half])
        tally.add(commit_batch(messages[half:]))
        return tally
    announce_committed(result)
    return tally


def _commit(messages: Sequence[Message]) -> tuple[Tally, CommitResult]:
    tally = Tally(messages=len(messages))
    sources: list[Message] = []
    submissions: list[Submission] = []
    dead: list[DeadLetter] = []
    for message in messages:
        try:
            submissions.append(decode_message(message))
        except SheetSyncError as refusal:
            dead.append(_dead_letter(message, refusal.code, str(refusal)))
        else:
            sources.append(message)
    with transaction.atomic():
        result = commit(submissions)
        for message, submission, outcome in zip(sources, submissions, result.outcomes, strict=True):
            match outcome:
                case Refused(_, error) if error.retryable:
                    raise error
                case Refused(_, error):
                    dead.append(_dead_letter(message, error.code, str(error)))
                case Committed(_, _, is_new=True):
                    tally.edits += _count_edits(submission)
                case Committed():
                    tally.repeated += 1
        if dead:
            record_dead_letters(dead)
    tally.dead = len(dead)
    _log(sources, submissions, result, dead)
    return tally, result


def _bury(message: Message, error: Exception) -> Tally:
    logger.error("message %s cannot be committed", message.origin, exc_info=error)
    detail = (
        f"{type(error).__name__}: {error}. SheetSync did not foresee this message; "
        "please report it with its bytes."
    )
    record_dead_letters([_dead_letter(message, SheetSyncError.code, detail)])
    return Tally(messages=1, dead=1)


def _dead_letter(message: Message, reason: str, detail: str) -> DeadLetter:
    return DeadLetter(
        subscription=message.subscription,
        message_id=message.message_id,
        reason=reason,
        detail=detail,
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
        case UpsertRow(_, values):
            return len(values)
        case _:
            raise TypeError(f"no message becomes a {type(submission.operation).__name__}")


def _log(
    sources: Sequence[Message],
    submissions: Sequence[Submission],
    result: CommitResult,
    dead: Sequence[DeadLetter],
) -> None:
    if dead:
        logger.warning(
            "%d dead letters, the first: message %s/%s: %s: %s",
            len(dead),
            dead[0].subscription,
            dead[0].message_id,
            dead[0].reason,
            dead[0].detail,
        )
    if logger.isEnabledFor(logging.DEBUG):
        for message, submission, outcome in zip(sources, submissions, result.outcomes, strict=True):
            if isinstance(outcome, Committed):
                logger.debug(
                    "message sheet=%s revision=%s operation_id=%s is_new=%s origin=%s",
                    submission.sheet,
                    outcome.revision,
                    outcome.operation_id,
                    outcome.is_new,
                    message.origin,
                )
