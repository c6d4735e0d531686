"""State: sheets, their cells and their log, and the streams, with the promises as constraints."""

from cells.models.audit import AuditEntry
from cells.models.calculations import Calculation
from cells.models.history import CellChange, LogReach, NamedVersion
from cells.models.processes import ProcessBeat
from cells.models.protections import Protection, ProtectionEditor
from cells.models.sheets import (
    AuthorKind,
    Cell,
    LinkRole,
    Revision,
    Role,
    Sheet,
    SheetAccess,
    SheetGroupAccess,
    Snapshot,
    TakeBack,
    new_columns,
    new_rows,
)
from cells.models.sign_ins import SignInTries, TriesOf
from cells.models.streams import (
    DeadLetter,
    DeadLetterOutcome,
    Feed,
    FeedColumn,
    FeedPolicy,
    FeedWrite,
    Installation,
    ListenerBeat,
    Proposal,
    Publication,
)
from cells.models.tokens import ApiToken, Scope

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuthorKind",
    "Calculation",
    "Cell",
    "CellChange",
    "DeadLetter",
    "DeadLetterOutcome",
    "Feed",
    "FeedColumn",
    "FeedPolicy",
    "FeedWrite",
    "Installation",
    "LinkRole",
    "ListenerBeat",
    "LogReach",
    "NamedVersion",
    "ProcessBeat",
    "Proposal",
    "Protection",
    "ProtectionEditor",
    "Publication",
    "Revision",
    "Role",
    "Scope",
    "Sheet",
    "SheetAccess",
    "SheetGroupAccess",
    "SignInTries",
    "Snapshot",
    "TakeBack",
    "TriesOf",
    "new_columns",
    "new_rows",
]
