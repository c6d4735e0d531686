"""The HTTP interface for programs, `/api/v1`."""

from cells.api import cells, history, records, sheets, structure
from cells.api.interface import api

for part in (sheets, cells, records, structure, history):
    api.add_router("", part.router)

__all__ = ["api"]
