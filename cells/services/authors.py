"""Authors: who makes an edit, as the log keeps it and as other clients see it."""

import re
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cells.domain.errors import Malformed
from cells.domain.operations import check_text
from cells.models import AuthorKind, FeedPolicy

MAX_NAME_CHARACTERS = 150  # Revision.author_name's column
MAX_ORIGIN_CHARACTERS = 300  # Revision.origin's column
IMPORT_PREFIX = "import: "  # of an import's origin; no tab's client id begins like that
# What a program's import says behind the file's name: see import_marks.
_BEHIND_FILE = re.compile(
    r", (token|user) \d+( after \d+( laid \d+ without \d+)? [0-9a-f]+)?$", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who edits: a kind, a name to show, the user if there is one, and where from.

    `origin` is a browser tab's client id, or a subscription and message id. Raises Malformed or
    InvalidText where the log could not hold it: one bad name must not sink a whole batch.
    """

    kind: AuthorKind
    name: str
    user_id: int | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME_CHARACTERS or len(self.origin) > MAX_ORIGIN_CHARACTERS:
            raise Malformed("the author's name or origin is too long for the log; shorten it")
        check_text(self.name)
        check_text(self.origin)

    @property
    def label(self) -> str:
        return label_of(self.kind, self.origin)


def import_origin(name: str) -> str:
    """Return the origin of what comes from a file: its name, made fit for the log."""
    printable = "".join(letter for letter in name if letter.isprintable())
    return f"{IMPORT_PREFIX}{printable.encode(errors='replace').decode()}"[:MAX_ORIGIN_CHARACTERS]


def file_of(origin: str) -> str:
    """Return the name of the file that an import's origin tells of."""
    return _BEHIND_FILE.sub("", origin.removeprefix(IMPORT_PREFIX))


def source_of(kind: str, origin: str) -> str:
    """Return where an edit came from: its author's kind, or "import" for a file's."""
    return "import" if origin.startswith(IMPORT_PREFIX) else kind


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where a stream's edit came from: when it was published and happened, and by which feed."""

    published_at: datetime
    event_at: datetime | None = None
    feed_id: int | None = None
    policy: FeedPolicy = FeedPolicy.STREAM

    @property
    def moment(self) -> datetime:
        """When it happened, as far as is known."""
        return self.event_at or self.published_at


def label_of(kind: str, origin: str) -> str:
    """Return how a delta names an author: a person's client id, else the kind of program."""
    if kind in (AuthorKind.USER, AuthorKind.GUEST) and origin:
        return origin
    return str(kind)
