"""Refusals as exceptions: one for each thing that a program can do differently."""

from typing import ClassVar


class SheetSyncError(Exception):
    """The server refused. `code` is stable, the wording is not; `status` is HTTP's, 0 for none.

    `retryable`: the same may succeed later. The client has made so many `attempts` by then.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, code: str, status: int = 0) -> None:
        super().__init__(f"{detail} ({code})")
        self.detail = detail
        self.code = code
        self.status = status
        self.attempts = 1
        self.retry_after_seconds = 0.0  # what the server asks to wait for


class InvalidRequest(SheetSyncError):
    """The request has no meaning, is too large, or is of a file that cannot be read."""


class NotAllowed(SheetSyncError):
    """The token is good for nothing, may not write, or its person may not do this."""


class NoSuchSheet(SheetSyncError):
    """There is no such sheet, or it is not shared with the token's person."""


class Conflict(SheetSyncError):
    """The sheet is not as the request takes it to be: a header, a row or a column is missing."""


class Outdated(SheetSyncError):
    """The sheet has changed since `expected_revision`: read again, and decide again."""


class TooManyRequests(SheetSyncError):
    """The token has made more requests than it may in a minute."""

    retryable = True


class Unavailable(SheetSyncError):
    """The server, or its database, does not answer."""

    retryable = True


_BY_CODE: dict[str, type[SheetSyncError]] = {"no_such_sheet": NoSuchSheet, "outdated": Outdated}
_BY_STATUS: dict[int, type[SheetSyncError]] = {
    401: NotAllowed,
    403: NotAllowed,
    409: Conflict,
    412: Outdated,
    429: TooManyRequests,
    502: Unavailable,  # of a proxy, whose server does not answer
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int, code: str, detail: str) -> SheetSyncError:
    """Return the exception for a refusal."""
    other = InvalidRequest if status < 500 else SheetSyncError
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or other
    return kind(detail, code=code, status=status)


def gone(code: str) -> SheetSyncError:
    """Return the exception for a sheet that cannot be followed any more."""
    kind = NoSuchSheet if code == "no_such_sheet" else NotAllowed
    return kind("the sheet cannot be read any more", code=code)
