"""Uploads: a CSV or XLSX file looked at before it is imported, then imported while one watches.

All of it within requests, and nothing is kept between them: see decision 23.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Generator
from pathlib import PurePath
from typing import Any, NamedTuple

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadedfile import UploadedFile
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cells.domain.addresses import parse_address
from cells.domain.errors import (
    LimitExceeded,
    Malformed,
    SheetSyncError,
    TooManySheets,
    Unavailable,
)
from cells.forms import MAX_TITLE_CHARACTERS
from cells.models import AuthorKind, LinkRole, Role, Sheet
from cells.services.access import create_sheet, role_of
from cells.services.audit import Action, Actor, actor_of, note
from cells.services.authors import MAX_NAME_CHARACTERS, Author, import_origin
from cells.services.csv_reading import DELIMITERS
from cells.services.files import preview, read_file
from cells.services.guests import guest_name
from cells.services.import_breaks import noting_breaks
from cells.services.importing import Contents, run_import
from cells.services.people import name_of
from cells.services.work_turns import import_turn

logger = logging.getLogger(__name__)

PREVIEWED_ROWS = 20
PREVIEWED_COLUMNS = 50
PREVIEWED_CHARACTERS = 200  # of a cell
ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "shift_jis", "gb18030")

Lines = Generator[bytes, None, None]
Owner = AbstractBaseUser | None


@require_safe
@never_cache
def page(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Show where a file is chosen, for a sheet or for a new one."""
    sheet = _target(request, slug)
    if isinstance(sheet, HttpResponse):
        return sheet
    context = {
        "sheet": sheet,
        "max_bytes": settings.IMPORT_MAX_BYTES,
        "encodings": ENCODINGS,
        "delimiters": DELIMITERS,
    }
    return render(request, "cells/import.html", context)


@require_POST
def look(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Answer with a file's first rows; of a CSV file the beginning is enough."""
    target = _target(request, slug)
    if isinstance(target, HttpResponse):
        return target
    try:
        wish = _wish(request)
        found = preview(
            *(wish.file, wish.name, PREVIEWED_ROWS),
            encoding=wish.encoding,
            delimiter=wish.delimiter,
        )
    except SheetSyncError as error:
        return JsonResponse(_refusal(error), status=400)
    rows: list[dict[str, Any]] = [
        {
            "row": row.position + 1,
            "cells": [
                (cell.column, cell.text[:PREVIEWED_CHARACTERS])
                for cell in row.cells
                if cell.text and cell.column < PREVIEWED_COLUMNS
            ],
        }
        for row in found.rows
    ]
    form = found.form
    return JsonResponse(
        {
            "rows": rows,
            "encoding": form.encoding if form else "",
            "delimiter": form.delimiter if form else "",
        }
    )


@require_POST
def run(request: HttpRequest, slug: str | None = None) -> HttpResponseBase:
    """Import a file; answer with lines of JSON that say how far it has come.

    Whoever ends the request ends the import, too.
    """
    target = _target(request, slug)
    if isinstance(target, HttpResponse):
        return target
    try:
        author = _author(request)
        by = actor_of(request, name=author.name)
        lines = _lines(_wish(request), target, _owner(request), author, by)
    except SheetSyncError as error:
        return JsonResponse(_refusal(error), status=400)
    sent = _one_by_one(lines) if isinstance(request, ASGIRequest) else lines
    response = StreamingHttpResponse(sent, content_type="application/x-ndjson")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep the lines until the end
    response.headers["Cache-Control"] = "no-store"
    return response


class _Wish(NamedTuple):
    file: Any
    name: str
    title: str
    encoding: str | None
    delimiter: str | None
    at: tuple[int, int]
    text_only: frozenset[int]
    texts: frozenset[int]


def _target(request: HttpRequest, slug: str | None) -> Sheet | HttpResponse | None:
    """Return the sheet that is to be filled, None for a new one, or the page that says why not."""
    if slug is None:
        if request.user.is_anonymous and not settings.DEBUG:
            return redirect_to_login(reverse("cells:import_new"))
        return None
    sheet = Sheet.objects.select_related("owner").filter(slug=slug, deleted_at=None).first()
    role = None if sheet is None else role_of(request.user, sheet)
    if sheet is None or role is None:
        return render(request, "cells/no_such_sheet.html", status=404)
    if role == Role.VIEWER:
        if request.user.is_anonymous:
            return redirect_to_login(reverse("cells:import", args=[slug]))
        return render(request, "cells/closed.html", {"sheet": sheet, "to_edit": True}, status=403)
    return sheet


def _wish(request: HttpRequest) -> _Wish:
    """Read what the form says. Raises Malformed, LimitExceeded or InvalidAddress."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Malformed("there is no file; choose one")
    size, most = file.size or 0, settings.IMPORT_MAX_BYTES
    if size > most:
        raise LimitExceeded(
            f"the file has {filesizeformat(size)}, and {filesizeformat(most)} are allowed; "
            "split it, or have it imported by manage.py import_sheet"
        )
    name = PurePath(file.name or "").name
    return _Wish(
        file.file,
        name,
        (request.POST.get("title", "").strip() or PurePath(name).stem)[:MAX_TITLE_CHARACTERS],
        request.POST.get("encoding") or None,
        request.POST.get("delimiter") or None,
        parse_address(request.POST.get("at", "").strip() or "A1"),
        _columns(request, "text_only"),
        _columns(request, "texts"),
    )


def _columns(request: HttpRequest, field: str) -> frozenset[int]:
    columns = [text for text in request.POST.get(field, "").split(",") if text]
    if any(not text.isdecimal() or len(text) > 5 for text in columns):
        raise Malformed(f"{field} must be columns by number, 0 for the first: 0,2")
    return frozenset(map(int, columns))


def _lines(wish: _Wish, sheet: Sheet | None, owner: Owner, author: Author, by: Actor) -> Lines:
    """Yield what is to be told, and import in between."""
    try:
        with import_turn():
            yield from _import(wish, sheet, owner, author, by)
    except SheetSyncError as error:
        logger.info("import of %r refused code=%s: %s", wish.name, error.code, error)
        yield _line(state="refused", **_refusal(error))
    except DatabaseError:
        logger.exception("import of %r was broken off", wish.name)
        yield _line(state="refused", **_refusal(Unavailable("the database does not answer")))


def _import(wish: _Wish, sheet: Sheet | None, owner: Owner, author: Author, by: Actor) -> Lines:
    origin = import_origin(wish.name)
    author = Author(author.kind, author.name, author.user_id, origin)
    with Contents() as contents:
        yield _line(state="reading", rows=0)
        reading = read_file(
            *(wish.file, wish.name, contents),
            encoding=wish.encoding,
            delimiter=wish.delimiter,
            text_only=wish.text_only,
            texts=wish.texts,
        )
        for rows in reading:
            yield _line(state="reading", rows=rows)
        into = sheet or create_sheet(
            owner,
            wish.title or _("Untitled sheet"),
            link_role=LinkRole.NONE if owner else LinkRole.EDITOR,
        )
        left_out = 0
        with noting_breaks(into, by, wish.name, is_new=sheet is None) as so_far:
            for progress in run_import(into, contents, author, at=wish.at, written=so_far):
                left_out = progress.left_out
                # A guest is known by a tab's socket, which has not made these.
                ids = progress.operation_ids if author.kind == AuthorKind.USER else []
                yield _line(
                    state="writing", rows=progress.rows, of=progress.of_rows, operations=ids
                )
        written = contents.cells - left_out
        note(Action.IMPORTED, by, into, file=wish.name, cells=written, is_new=sheet is None)
        logger.info("sheet=%s imported %d cells of %r", into.slug, written, wish.name)
        yield _line(
            state="done",
            cells=written,
            left_out=left_out,
            rows=contents.rows,
            address=reverse("cells:sheet", args=[into.slug]),
        )


async def _one_by_one(lines: Lines) -> AsyncIterator[bytes]:
    """Have each line made in the request's thread; end the import when nobody listens any more."""
    try:
        while (line := await sync_to_async(_next)(lines)) is not None:
            yield line
    finally:
        await sync_to_async(lines.close)()  # in the same thread, and so behind what it is doing


def _next(lines: Lines) -> bytes | None:
    return next(lines, None)


def _line(**told: Any) -> bytes:
    return msgspec.json.encode(told) + b"\n"


def _refusal(error: SheetSyncError) -> dict[str, str]:
    """Return a refusal with its code, a sentence in the reader's language, and the reason."""
    sentences = {
        "limit_exceeded": _("The file is too large."),
        "unreadable_file": _("The file cannot be read."),
        "dangerous_file": _("The file is refused: it could do harm."),
        "invalid_text": _("The file has a text that no cell can hold."),
        "invalid_address": _("The address is no cell's. Write one such as A1."),
        "malformed": _("Something is missing or cannot be understood."),
        "forbidden": _("You may look at this sheet but not change it."),
        "protected": _("The file would change what is protected in this sheet."),
        "no_such_sheet": _("The sheet is gone."),
        "import_overtaken": _(
            "The sheet was restored to an earlier version while the file came in. "
            "Some of the file may be missing: import it again."
        ),
        "unavailable": _("This cannot be done at the moment. Try again in a minute."),
    }
    if isinstance(error, TooManySheets):
        sentences[error.code] = _(
            "You own as many sheets as one person may. Delete some that you do not need."
        )
    sentence = sentences.get(error.code, _("The sheet was changed in the meantime. Try again."))
    return {"code": error.code, "sentence": sentence, "reason": str(error)}


def _owner(request: HttpRequest) -> Owner:
    return request.user if request.user.is_authenticated else None


def _author(request: HttpRequest) -> Author:
    if request.user.is_authenticated:
        name = name_of(request.user)[:MAX_NAME_CHARACTERS]
        return Author(AuthorKind.USER, name, request.user.pk)
    name = request.session.get("guest_name") or guest_name(secrets.token_hex())
    return Author(AuthorKind.GUEST, name)
