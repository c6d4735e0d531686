"""Dead letters: stream messages that could not become edits, kept whole for a person to look at."""

from collections.abc import Sequence

from cells.models import DeadLetter

_ONCE = ("subscription", "message_id", "published_at")
_NEWEST_WINS = (
    "feed",
    "topic",
    "reason",
    "detail",
    "data",
    "attributes",
    "ordering_key",
    "delivery_attempt",
    "received_at",
)


def record_dead_letters(letters: Sequence[DeadLetter]) -> None:
    """Keep these unsaved dead letters, each message once, in one statement (SQLite: per 50).

    A message that is there already is overwritten by its redelivery. Text that no database holds
    is made harmless first; the bytes stay as they came.
    """
    by_message = {tuple(getattr(letter, name) for name in _ONCE): letter for letter in letters}
    for letter in by_message.values():
        _make_safe(letter)
    DeadLetter.objects.bulk_create(
        by_message.values(),
        update_conflicts=True,
        unique_fields=_ONCE,
        update_fields=_NEWEST_WINS,
    )


def _make_safe(letter: DeadLetter) -> None:
    for field in ("topic", "subscription", "message_id", "reason", "detail", "ordering_key"):
        text = safe_text(getattr(letter, field))
        limit = getattr(DeadLetter._meta.get_field(field), "max_length", None)
        # The end is what tells a long resource name or id from its neighbours.
        setattr(letter, field, text if limit is None else text[-limit:])
    letter.attributes = {
        safe_text(str(name)): safe_text(str(value)) for name, value in letter.attributes.items()
    }


def safe_text(text: str) -> str:
    r"""Return `text` with NUL and lone surrogates as Python would write them: `\x00`, `\ud800`."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()
