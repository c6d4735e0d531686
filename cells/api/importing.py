"""Import: a CSV or XLSX file, the body of a request, into a sheet or a new one."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath
from typing import IO, Annotated, Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.params.functions import Query
from pydantic import Field
from pydantic.config import JsonDict

from cells.api.callers import Caller, actor_of_call, caller_of
from cells.api.cells import A1_PATTERN
from cells.api.found import find_sheet
from cells.api.problems import WRITE_PROBLEMS, UnsupportedMediaType, answers
from cells.api.sheets import MAX_TITLE_CHARACTERS, NewSheetKey
from cells.api.writing import (
    IdempotencyKey,
    author_of,
    find_logged,
    fingerprint_of,
    operation_id_of,
    slug_of,
)
from cells.attachments import CSV, XLSX
from cells.domain.addresses import parse_address, parse_columns
from cells.domain.errors import LimitExceeded, NoSuchSheet
from cells.domain.operations import check_text
from cells.models import Role, Sheet
from cells.services.access import create_sheet, create_sheet_once, require_room_for_a_sheet
from cells.services.audit import Action, Actor, note
from cells.services.authors import Author, file_of, import_origin
from cells.services.files import read_file
from cells.services.import_breaks import noting_breaks
from cells.services.import_marks import ImportKey, Mark, check_not_restored, mark_of
from cells.services.importing import AlreadyBegunError, Contents, run_import
from cells.services.ranges import read_head
from cells.services.shelf import bring_back
from cells.services.work_turns import import_turn

logger = logging.getLogger(__name__)

router = Router(tags=["Files"])

BYTES_PER_CHUNK = 256 * 1024
BYTES_IN_MEMORY = 1024 * 1024  # of a file; a larger one waits on the disk
MAX_NAME_CHARACTERS = 150  # of the file's name, in the log
SUFFIXES = {
    CSV: ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    XLSX: ".xlsx",
    "application/vnd.ms-excel.sheet.macroenabled.12": ".xlsm",
}
PROBLEMS = (*(status for status in WRITE_PROBLEMS if status != 412), 415)
# Told, not checked: the refusal is clearer.
ADDRESS: JsonDict = {"pattern": f"^{A1_PATTERN}$"}
COLUMNS: JsonDict = {"pattern": "^([A-Za-z]{1,3}(,[A-Za-z]{1,3})*)?$"}


class ImportOptions(Schema):
    """How a file is to be read."""

    encoding: str | None = Field(
        None, max_length=40, description="Of CSV, by Python's names; without it, it is found out."
    )
    delimiter: str | None = Field(
        None, max_length=3, description="Of CSV; `tab` is one. Without it, it is found out."
    )
    text_only: str = Field(
        "",
        max_length=2_000,
        description="The file's columns whose formulas stay texts: `A,C`.",
        json_schema_extra=COLUMNS,
    )
    texts: str = Field(
        "",
        max_length=2_000,
        description="The file's columns that are texts though they read as numbers or dates.",
        json_schema_extra=COLUMNS,
    )
    name: str = Field("", max_length=MAX_NAME_CHARACTERS, description="The file's, for the log.")


class PlacedOptions(ImportOptions):
    """How a file is to be read, and where it goes."""

    at: str = Field(
        "A1",
        max_length=20,
        description="Where the file's first cell goes.",
        json_schema_extra=ADDRESS,
    )


class NewSheetOptions(ImportOptions):
    """How a file is to be read, and what the new sheet is called."""

    title: str = Field("", max_length=MAX_TITLE_CHARACTERS, description="Or the file's name.")


class Imported(Schema):
    """All of the file is in the sheet."""

    slug: str
    before: int = Field(description="The sheet's newest revision ahead of the import.")
    revision: int = Field(description="The newest one of the import's.")
    rows: int = Field(description="Of the file.")
    cells: int = Field(description="That were written; those that are empty in the file are not.")
    left_out: int = Field(
        description="Cells that were not: somebody deleted their rows or columns meanwhile."
    )


FILE_DESCRIBED = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in SUFFIXES
        },
    }
}


@router.post(
    "/sheets/{slug}/import",
    response=answers(200, Imported, PROBLEMS),
    summary="Import a file into a sheet",
    openapi_extra=FILE_DESCRIBED,
)
def import_into(
    request: HttpRequest,
    slug: str,
    options: Annotated[PlacedOptions, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Lay a file over a sheet; what is empty in the file stays as it is.

    The file is read to its end first, so that one that is refused has changed nothing. Then it is
    committed by portions, while others edit; the answer comes when all is there. A request that
    was broken off goes on where it was when it is sent again, under the same key, or is refused as
    `import_overtaken`. What somebody deletes meanwhile goes without its cells.
    """
    caller = caller_of(request)
    sheet = find_sheet(caller, slug, at_least=Role.EDITOR).sheet
    place = parse_address(options.at)
    with _read(request, options, options.at) as incoming:
        return _import(request, caller, sheet, incoming, place, idempotency_key)


@router.post(
    "/imports",
    response=answers(201, Imported, PROBLEMS),
    summary="Import a file as a new sheet",
    openapi_extra=FILE_DESCRIBED,
)
def import_new(
    request: HttpRequest,
    options: Annotated[NewSheetOptions, Query()],
    idempotency_key: NewSheetKey = None,
) -> Any:
    """Make a sheet of a file, your own; without a title it is called as the file."""
    caller = caller_of(request)
    title = options.title or PurePath(options.name).stem or "Untitled sheet"
    check_text(title)
    with _read(request, options, title) as incoming:
        if idempotency_key is None:
            sheet = create_sheet(caller.user, title)
        else:
            sheet = create_sheet_once(caller.user, title, slug_of(caller, idempotency_key))
            if sheet.owner_id != caller.user.pk:
                raise NoSuchSheet("the sheet that this key has made is somebody else's by now")
        return Status(
            201, _import(request, caller, sheet, incoming, (0, 0), idempotency_key, is_new=True)
        )


@dataclass(frozen=True, slots=True)
class _Incoming:
    contents: Contents
    origin: str
    fingerprint: str


@contextmanager
def _read(request: HttpRequest, options: ImportOptions, *said: str) -> Iterator[_Incoming]:
    """Read the file of a request to its end, and hold a turn for its import.

    Raises UnsupportedMediaType, LimitExceeded, Unavailable, and what is wrong with the file.
    """
    media_type = (request.content_type or "").lower()
    suffix = SUFFIXES.get(media_type)
    if suffix is None:
        raise UnsupportedMediaType(f"send a file as one of these types: {', '.join(SUFFIXES)}")
    text_only, texts = parse_columns(options.text_only), parse_columns(options.texts)
    delimiter = "\t" if options.delimiter == "tab" else options.delimiter or None
    encoding = options.encoding or (request.content_params or {}).get("charset")
    check_text(options.name)
    with (
        import_turn(),
        tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY) as file,
        Contents() as contents,
    ):
        digest = _take(request, file)
        reading = read_file(
            *(file, f"file{suffix}", contents),
            encoding=encoding,
            delimiter=delimiter,
            text_only=text_only,
            texts=texts,
        )
        for _ in reading:
            pass
        wishes = [options.encoding, options.delimiter, options.text_only]
        if options.texts:  # a key of an older process is still known without
            wishes.append(options.texts)
        fingerprint = fingerprint_of(request, media_type, encoding, *wishes, *said, digest)
        origin = import_origin(options.name or f"file{suffix}")
        yield _Incoming(contents, origin, fingerprint)


def _take(request: HttpRequest, file: IO[bytes]) -> str:
    """Copy a request's body into a file; return its hash. Raises LimitExceeded."""
    most = settings.IMPORT_MAX_BYTES
    refusal = LimitExceeded(
        f"the file has more than {most:,} bytes; split it, or have it imported by "
        "manage.py import_sheet"
    )
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise refusal
    digest, size = sha256(), 0
    while chunk := request.read(BYTES_PER_CHUNK):
        size += len(chunk)
        if size > most:
            raise refusal
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest()


def _import(
    request: HttpRequest,
    caller: Caller,
    sheet: Sheet,
    incoming: _Incoming,
    at: tuple[int, int],
    key: str | None,
    *,
    is_new: bool = False,
) -> Imported:
    """Commit a file, or what of it an earlier request with the same key has not."""
    by = actor_of_call(request)
    author = replace(author_of(caller), origin=f"{incoming.origin}, {caller.identity}")
    if key is None:
        return _answer(sheet, incoming, *_run(sheet, incoming, author, by, at, is_new=is_new))
    last_id = operation_id_of(caller, key)
    named = ImportKey(sheet, last_id, author.origin, incoming.fingerprint)
    done = find_logged(sheet, last_id, incoming.fingerprint)
    if sheet.deleted_at is not None:
        if done is not None:
            raise NoSuchSheet("the sheet that this Idempotency-Key has made has been deleted")
        with transaction.atomic():
            require_room_for_a_sheet(sheet.owner_id)
            bring_back(Sheet.objects.filter(pk=sheet.pk), by)
    while done is None:
        begun = find_logged(sheet, named.operation_id(0), incoming.fingerprint)
        mark = None if begun is None else mark_of(begun[1])
        try:
            came_to = _run(sheet, incoming, author, by, at, named, mark, is_new=is_new)
            return _answer(sheet, incoming, *came_to)
        except AlreadyBegunError:  # by the same request, sent twice at once
            done = find_logged(sheet, last_id, incoming.fingerprint)
    revision, ended = done[0], mark_of(done[1])
    if ended.laid is not None:
        check_not_restored(sheet, ended, ended.laid, revision, author)
    return _answer(sheet, incoming, revision, ended)


def _run(
    sheet: Sheet,
    incoming: _Incoming,
    author: Author,
    by: Actor,
    at: tuple[int, int],
    key: ImportKey | None = None,
    begun: Mark | None = None,
    *,
    is_new: bool,
) -> tuple[int, Mark]:
    """Import a file; return the newest revision of it, and how much was left out."""
    before = read_head(sheet.pk) if begun is None else begun.before
    revision, left_out = before, 0
    file = file_of(author.origin)
    # A new sheet that is deleted for it is brought back when the file is sent again.
    with noting_breaks(sheet, by, file, is_new=is_new) as written:
        for progress in run_import(
            *(sheet, incoming.contents, author),
            at=at,
            key=key,
            begun=begun,
            before=before,
            written=written,
        ):
            revision, left_out = progress.revision, progress.left_out
    cells = incoming.contents.cells - left_out
    note(Action.IMPORTED, by, sheet, file=file, cells=cells, is_new=is_new)
    logger.info("sheet=%s imported %d cells", sheet.slug, cells)
    return revision, Mark(before, None, left_out)


def _answer(sheet: Sheet, incoming: _Incoming, revision: int, mark: Mark) -> Imported:
    return Imported(
        slug=sheet.slug,
        before=mark.before,
        revision=revision,
        rows=incoming.contents.rows,
        cells=incoming.contents.cells - mark.left_out,
        left_out=mark.left_out,
    )
