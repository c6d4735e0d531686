"""The WebSocket addresses."""

from django.urls import path

from cells.consumers import SheetConsumer, refuse
from cells.protocol import SHEETS_PATH

websocket_urlpatterns = [
    path(f"{SHEETS_PATH}<slug:slug>/", SheetConsumer.as_asgi()),
    # An address without a route would be an error, with a traceback, in the log.
    path("<path:anything>", refuse),  # type: ignore[arg-type]
]
