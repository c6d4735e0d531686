"""The dead-letter inbox: a letter is replayed, with other bytes if need be, or discarded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from cells.announcing import announce_committed
from cells.domain.errors import SheetSyncError
from cells.models import DeadLetter, DeadLetterOutcome
from cells.services.audit import Action, Actor, note
from cells.services.dead_letters import safe_text
from cells.services.failures import is_outage
from cells.streams.batches import CommittedMessages, Refusal, commit_messages, read_message
from cells.streams.feeds import feeds_of, spec_of
from cells.streams.mapping import InvalidMapping, Mapping
from cells.streams.messages import EDIT_ID, Feed, Message
from cells.streams.names import Route

logger = logging.getLogger(__name__)

LETTERS_PER_COMMIT = 100


@dataclass(slots=True)
class Replayed:
    """How many letters became edits, or had before, and how many are dead still."""

    replayed: int = 0
    dead: int = 0


def replay(letters: Sequence[DeadLetter], by: Actor) -> Replayed:
    """Commit what waits of these letters, in the order of their publication, and announce it.

    A letter has the operation id that its message had: however often it is replayed, by
    however many people, and if its message came again and was committed, it is one edit. What
    is refused again keeps waiting, with the newest reason. Raises django.db.Error.
    """
    waiting = [letter for letter in letters if not letter.outcome]
    waiting.sort(key=lambda letter: (letter.published_at, letter.pk))
    total = Replayed()
    for start in range(0, len(waiting), LETTERS_PER_COMMIT):
        _replay(waiting[start : start + LETTERS_PER_COMMIT], by, total)
    return total


def discard(letters: Sequence[DeadLetter], by: Actor) -> int:
    """Settle what waits of these letters without an edit; they stay in the table."""
    discarded = 0
    for letter in letters:
        with transaction.atomic():
            if DeadLetter.objects.filter(pk=letter.pk, outcome="").update(
                outcome=DeadLetterOutcome.DISCARDED,
                settled_at=timezone.now(),
                settled_by=by.user_id,
            ):
                _note(Action.LETTER_DISCARDED, letter, by)
                discarded += 1
    return discarded


def message_of(letter: DeadLetter) -> Message:
    """Return the message of a letter as a person left it, under the identity that it came with."""
    data = letter.data if letter.edited_data is None else letter.edited_data
    attributes = dict(letter.attributes)
    if letter.edited_attributes is not None:
        attributes = dict(letter.edited_attributes)
        attributes.pop(EDIT_ID, None)
        if EDIT_ID in letter.attributes:
            attributes[EDIT_ID] = letter.attributes[EDIT_ID]
    return Message(
        topic=letter.topic or Route.from_settings().topic_path,
        subscription=letter.subscription,
        message_id=letter.message_id,
        published_at=letter.published_at,
        data=bytes(data),
        attributes=attributes,
        ordering_key=letter.ordering_key,
        feeds=_feeds_for(letter),
    )


def _feeds_for(letter: DeadLetter) -> tuple[Feed, ...]:
    """Return the feeds of the letter's subscription, and its own even if that is off by now."""
    feeds: dict[int, Feed] = {feed.feed_id: feed for feed in feeds_of(letter.subscription) or ()}
    if letter.feed is not None and letter.feed.pk not in feeds:
        try:
            feeds[letter.feed.pk] = Mapping(spec_of(letter.feed))
        except InvalidMapping:
            logger.warning("the feed %s of dead letter %s cannot be used", letter.feed, letter.pk)
    return tuple(feeds.values())


def _replay(letters: list[DeadLetter], by: Actor, total: Replayed) -> None:
    try:
        with transaction.atomic():
            done = commit_messages([read_message(message_of(letter)) for letter in letters])
            _settle(letters, done, by)
    except Exception as error:
        if is_outage(error):
            raise
        if len(letters) > 1:  # one of them breaks the others
            for letter in letters:
                _replay([letter], by, total)
            return
        logger.error("dead letter %s cannot be replayed", letters[0].pk, exc_info=error)
        _refuse(letters[0], Refusal(SheetSyncError.code, f"{type(error).__name__}: {error}", None))
        letters[0].save(update_fields=("reason", "detail"))
        total.dead += 1
        return
    announce_committed(done.result)
    total.dead += len(done.refused)
    total.replayed += len(letters) - len(done.refused)


def _settle(letters: list[DeadLetter], done: CommittedMessages, by: Actor) -> None:
    now = timezone.now()
    for place, letter in enumerate(letters):
        if (refusal := done.refused.get(place)) is not None:
            _refuse(letter, refusal)
        else:
            letter.outcome = DeadLetterOutcome.REPLAYED
            letter.settled_at = now
            letter.settled_by_id = by.user_id
            _note(Action.LETTER_REPLAYED, letter, by)
    fields = ("reason", "detail", "outcome", "settled_at", "settled_by")
    DeadLetter.objects.bulk_update(letters, fields)


def _note(action: Action, letter: DeadLetter, by: Actor) -> None:
    sheet = None if letter.feed is None else letter.feed.sheet
    told = {"letter": letter.pk, "message_id": letter.message_id, "reason": letter.reason}
    note(action, by, sheet, **told, is_edited=letter.edited_data is not None)


def _refuse(letter: DeadLetter, refusal: Refusal) -> None:
    letter.reason, letter.detail = refusal.reason, safe_text(refusal.detail)
