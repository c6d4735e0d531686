"""Failures of the database: which of them pass by themselves."""

from django.db import DataError, IntegrityError, OperationalError
from django.db import Error as DatabaseError

from cells.domain.errors import SheetSyncError

# "Program limit exceeded": the one operational failure that is a statement's own fault.
# https://www.postgresql.org/docs/15/errcodes-appendix.html
_PROGRAM_LIMIT_EXCEEDED = "54"


def is_outage(error: BaseException) -> bool:
    """Whether the same batch may be committed later, unchanged.

    So it is with whatever the database says but that the data is wrong: not only when it is away,
    but also when its tables are not migrated yet.
    """
    if isinstance(error, SheetSyncError):
        return error.retryable
    if isinstance(error, OperationalError):
        state = getattr(error.__cause__, "sqlstate", None) or ""
        return not state.startswith(_PROGRAM_LIMIT_EXCEEDED)
    return isinstance(error, DatabaseError) and not isinstance(error, DataError | IntegrityError)


def reason_of(error: BaseException) -> str:
    """Return what an error says as one line: drivers say it in several."""
    return " ".join(str(error).split())
