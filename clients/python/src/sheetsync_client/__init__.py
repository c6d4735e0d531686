"""A client of SheetSync: sheets read, written, imported, exported and followed live."""

from sheetsync_client.answers import (
    Cell,
    CellError,
    CellRange,
    Change,
    ChangedCell,
    Imported,
    LogLine,
    Record,
    Records,
    SheetInfo,
    Value,
    Written,
)
from sheetsync_client.client import Client
from sheetsync_client.errors import (
    Conflict,
    InvalidRequest,
    NoSuchSheet,
    NotAllowed,
    Outdated,
    SheetSyncError,
    TooManyRequests,
    Unavailable,
)
from sheetsync_client.inputs import Input
from sheetsync_client.sheet import Sheet
from sheetsync_client.watching import Watch

__all__ = [
    "Cell",
    "CellError",
    "CellRange",
    "Change",
    "ChangedCell",
    "Client",
    "Conflict",
    "Imported",
    "Input",
    "InvalidRequest",
    "LogLine",
    "NoSuchSheet",
    "NotAllowed",
    "Outdated",
    "Record",
    "Records",
    "Sheet",
    "SheetInfo",
    "SheetSyncError",
    "TooManyRequests",
    "Unavailable",
    "Value",
    "Watch",
    "Written",
]
