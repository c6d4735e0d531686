"""The HTTP interface for programs, `/api/v1`."""

from cells.api import cells, changes, exporting, history, importing, records, sheets, structure
from cells.api.interface import api

for part in (sheets, cells, records, structure, history, changes, exporting, importing):
    api.add_router("", part.router)

__all__ = ["api"]
