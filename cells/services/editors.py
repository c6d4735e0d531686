"""Whether the authors of a batch may edit, asked under the locks of its sheets."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cells.domain.errors import Forbidden
from cells.models import AuthorKind, LinkRole, Role
from cells.services import sql
from cells.services.authors import Author
from cells.services.host_roles import NOTHING, Word, words_on
from cells.services.transactions import Cursor

_PEOPLE = (AuthorKind.USER, AuthorKind.API)  # who have a role, where they have a user


@dataclass(frozen=True, slots=True)
class Editors:
    """Who of a batch may edit by what was given to them; words by None for guests."""

    granted: set[tuple[int, int]]
    words: dict[tuple[int, int | None], Word]
    _known: set[tuple[int, int]] = field(default_factory=set)  # sheet id, and whose id() may edit

    def require(self, sheet: sql.SheetRow, author: Author) -> None:
        """Raise Forbidden unless a person, or a program in a person's name, may edit.

        An author is asked about once: a batch holds each of them, so that their id() is theirs.
        """
        key = (sheet.id, id(author))
        if key not in self._known:
            self._require(sheet, author)
            self._known.add(key)

    def _require(self, sheet: sql.SheetRow, author: Author) -> None:
        if not _has_role(author):
            return  # other programs are checked where they come in
        word = self.words.get((sheet.id, author.user_id), NOTHING)
        if not word.is_refused:
            if sheet.link_role == LinkRole.EDITOR or word.role in (Role.EDITOR, Role.OWNER):
                return
            is_known = author.user_id is not None and author.kind in _PEOPLE
            if is_known and author.user_id == sheet.owner_id:
                return
            if is_known and (sheet.id, author.user_id) in self.granted:
                return
        raise Forbidden(
            "you may look at this sheet but not change it; ask its owner for edit access"
        )


def find_editors(cursor: Cursor, asked: Iterable[tuple[sql.SheetRow, Author]]) -> Editors:
    """Return what is given to each (sheet, author): one statement, a few with CELLS_ROLE."""
    asked = [(sheet, author) for sheet, author in asked if _has_role(author)]
    pairs = {
        (sheet.id, author.user_id)
        for sheet, author in asked
        if author.kind in _PEOPLE and author.user_id is not None
    }
    has_groups = any(sheet.has_groups for sheet, _ in asked)
    return Editors(
        sql.find_editors(cursor, pairs, with_groups=has_groups) if pairs else set(),
        words_on((sheet.id, author.user_id) for sheet, author in asked),
    )


def _has_role(author: Author) -> bool:
    is_person = author.kind in _PEOPLE and author.user_id is not None
    return is_person or author.kind in (AuthorKind.USER, AuthorKind.GUEST)
