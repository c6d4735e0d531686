"""Where a message between SheetSyncs comes from, and which ones are none of this one's business.

The attribute `origin` names all SheetSyncs that an edit has come through, the first one first. A
listener drops what its own one has published or passed on, so that two of them, or a ring, can
mirror a sheet without an endless echo. In the log the attribute is the author's name, and so it
is kept for whoever publishes that revision further.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cells.models import AuthorKind
from cells.services.authors import MAX_NAME_CHARACTERS
from cells.services.installation import installation_name
from cells.streams.messages import ORIGIN, Message

KIND = "kind"  # of an operation that no listener carries out; only such messages have it
SEPARATOR = " > "


class _Notice(msgspec.Struct):
    operation: dict[str, Any]
    edits: Any | UnsetType = UNSET
    append: Any | UnsetType = UNSET
    upsert: Any | UnsetType = UNSET


def origin_of(author_kind: str, author_name: str, own: str) -> str:
    """Return the attribute for a revision that the SheetSync named `own` publishes."""
    if author_kind != AuthorKind.STREAM:
        return own
    names = [*author_name.split(SEPARATOR), own]
    while len(names) > 1 and len(SEPARATOR.join(names)) > MAX_NAME_CHARACTERS:
        names.pop(0)  # whoever is furthest away is the last to bring it back
    return SEPARATOR.join(names)


def is_dropped(message: Message) -> bool:
    """Whether a message is to be acknowledged without becoming anything.

    It is an echo of this SheetSync, or another one's notice of what no edits can repeat; not where
    a feed says what messages mean. Raises django.db.Error where the name of this one is needed
    and the database does not answer.
    """
    return not message.feeds and (_is_notice(message) or _is_echo(message))


def _is_echo(message: Message) -> bool:
    origin = message.attributes.get(ORIGIN, "")
    return origin != "" and installation_name() in origin.split(SEPARATOR)


def _is_notice(message: Message) -> bool:
    if not message.attributes.get(KIND):
        return False
    try:
        body = msgspec.json.decode(message.data, type=_Notice)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False  # the listener says what is wrong with it
    if body.operation.get("kind") == "set_values":
        return True  # a SheetSync calculates by itself
    return body.edits is UNSET and body.append is UNSET and body.upsert is UNSET
