"""The refusals: one root, one leaf per thing that a caller can do differently."""

from typing import ClassVar


class SheetSyncError(Exception):
    """A refusal with a stable code; the wording may change, the code may not."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False


class Malformed(SheetSyncError):
    """The request has no meaning: a wrong type, a missing field, an unknown kind."""

    code = "malformed"


class InvalidAddress(SheetSyncError):
    """Text that is not an A1 address or range within the limits."""

    code = "invalid_address"


class InvalidText(SheetSyncError):
    """Text that cannot be stored: it holds NUL or a lone surrogate."""

    code = "invalid_text"


class LimitExceeded(SheetSyncError):
    """More rows, columns, cells or characters than one sheet, operation or cell may have."""

    code = "limit_exceeded"


class TooManySheets(LimitExceeded):
    """A person owns as many sheets as one may."""


class UnknownId(SheetSyncError):
    """A row or column id that this sheet never gave out."""

    code = "unknown_id"


class Deleted(SheetSyncError):
    """A row or column id whose row or column has been deleted."""

    code = "deleted"


class UnknownHeader(SheetSyncError):
    """A header name that row 1 of the sheet does not have."""

    code = "unknown_header"


class NoSuchSheet(SheetSyncError):
    """No sheet has this slug."""

    code = "no_such_sheet"


class Forbidden(SheetSyncError):
    """The author may not do this to this sheet."""

    code = "forbidden"


class Protected(SheetSyncError):
    """A protected range, which others may edit; its sheet's owner says who."""

    code = "protected"


class ProtectedEnd(SheetSyncError):
    """The first or last row or column of a protected range cannot leave it; an owner changes it."""

    code = "protected_end"


class NotProtected(SheetSyncError):
    """The protected range that was to be changed has been removed meanwhile."""

    code = "not_protected"


class OwnerOnly(SheetSyncError):
    """An editor may not do this: it destroys what others may need. The sheet's owner may."""

    code = "owner_only"


class KeptByName(SheetSyncError):
    """A version that nothing but its name keeps: to take it away has to be meant."""

    code = "kept_by_name"


class NothingToUndo(SheetSyncError):
    """The log has no such operation of this author's, or it has been taken back already."""

    code = "nothing_to_undo"


class NothingToRedo(SheetSyncError):
    """The operation has not been taken back, so it cannot be done again."""

    code = "nothing_to_redo"


class Pruned(SheetSyncError):
    """The log does not reach back that far any more."""

    code = "pruned"


class UnreadableFile(SheetSyncError):
    """A file that is not what its name says, is damaged, or is in an encoding of its own."""

    code = "unreadable_file"


class DangerousFile(SheetSyncError):
    """A file that would unpack to far more than it seems, or has XML read other files."""

    code = "dangerous_file"


class ImportOvertaken(SheetSyncError):
    """An import cannot go on: the sheet was restored meanwhile, or its log tells too little."""

    code = "import_overtaken"


class Outdated(SheetSyncError):
    """What this was worked out from has changed meanwhile; it is to be worked out again."""

    code = "outdated"


class Unavailable(SheetSyncError):
    """The database does not answer; the same request may succeed later."""

    code = "unavailable"
    retryable = True
