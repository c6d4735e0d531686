"""Sending: a temporary file becomes an answer, a chunk at a time."""

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

BYTES_PER_CHUNK = 256 * 1024
BYTES_IN_MEMORY = 1024 * 1024  # of a file; a larger one waits on the disk


def send_file(
    request: HttpRequest, file: IO[bytes], type_: str, name: str | None = None
) -> HttpResponseBase:
    """Answer with a file that has been written to its end, and close it; with a name to keep it."""
    size = file.tell()
    file.seek(0)
    if not isinstance(request, ASGIRequest):
        kept = name is not None
        return FileResponse(file, as_attachment=kept, filename=name or "", content_type=type_)
    # Not a FileResponse: under ASGI Django would read all of it into memory.
    response = StreamingHttpResponse(_chunks(file), content_type=type_)
    response.headers["Content-Length"] = str(size)
    if name is not None:
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await sync_to_async(file.read)(BYTES_PER_CHUNK):
            yield chunk
    finally:
        file.close()
