"""What stays of an import that is broken off, in the audit log and of a sheet that was made for it.

An import is many transactions; this is one of its own at the end.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from cells.domain.errors import SheetSyncError
from cells.models import Sheet
from cells.services.audit import Action, Actor, note
from cells.services.importing import AlreadyBegunError, Written
from cells.services.shelf import delete_sheet

logger = logging.getLogger(__name__)


@contextmanager
def noting_breaks(sheet: Sheet, by: Actor, file: str, *, is_new: bool) -> Iterator[Written]:
    """Note what of a file has been committed if its import ends early; for `run_import`'s tally.

    A new sheet is deleted then, for half of a file is no sheet. An import that had committed
    nothing leaves no entry. Whoever watches or waits may end it: GeneratorExit, KeyboardInterrupt.
    """
    written = Written()
    try:
        yield written
    except AlreadyBegunError:  # goes on at once, from where another request has come to
        raise
    except BaseException as error:
        logger.info("sheet=%s the import of %r was broken off", sheet.slug, file)
        with transaction.atomic():
            if written.operations:
                note(
                    *(Action.IMPORT_BROKEN_OFF, by, sheet),
                    file=file,
                    cells=written.cells,
                    revision=written.revision,
                    is_new=is_new,
                    reason=_reason_of(error),
                )
            if is_new:
                delete_sheet(sheet, by)
        raise


def _reason_of(error: BaseException) -> str:
    if isinstance(error, SheetSyncError):
        return error.code
    return "internal" if isinstance(error, Exception) else "cancelled"
