"""The HTTP interface for programs, `/api/v1`."""

from cells.api.cells import router as cells
from cells.api.interface import api
from cells.api.sheets import router as sheets

api.add_router("", sheets)
api.add_router("", cells)

__all__ = ["api"]
