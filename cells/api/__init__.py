"""The HTTP interface for programs, `/api/v1`."""

from cells.api import cells, changes, history, records, sheets, structure
from cells.api.interface import api

for part in (sheets, cells, records, structure, history, changes):
    api.add_router("", part.router)

__all__ = ["api"]
