"""Snapshots: a sheet's filled cells at a revision, packed once so that many can open it cheaply.

A cache beside the log: commits never touch it, and without it everything works, only slower.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from django.db import connection
from django.db.models.functions import Length
from django.utils import timezone

from cells.domain.deltas import Delta
from cells.models import Snapshot
from cells.services.read import one_state, read_deltas_at
from cells.services.transactions import writing

# gzip of lines, each the `cells.changed` frame of a delta; 1 knew no styles. Beside this release
# one that knows no deaths packs what is stored of them as 2, which no client should read.
FORMAT = 3
LEVEL = 4  # level 6 takes three times as long for 5 % less
_GZIP = 16 + zlib.MAX_WBITS  # a gzip header and trailer: https://zlib.net/manual.html

# A database restored table by table may hold the snapshot of a log that is no more. Revisions are
# numbered without a gap, so that this also says that the snapshot is not beyond the head.
_IS_OF_THIS_LOG = (
    "EXISTS (SELECT 1 FROM cells_revision AS log WHERE log.sheet_id = cells_snapshot.sheet_id "
    "AND log.number = cells_snapshot.revision "
    "AND log.operation_id = cells_snapshot.operation_id)"
)


@dataclass(frozen=True, slots=True)
class PackedSheet:
    """The first load of a sheet at `revision`: `data` is as FORMAT says."""

    revision: int
    cells: int
    data: bytes


def load(sheet_id: int) -> PackedSheet | None:
    """Return the stored snapshot of a sheet; None if there is none that can be used."""
    statement = (
        "SELECT revision, cells, data FROM cells_snapshot "  # noqa: S608 - text of this module
        f"WHERE sheet_id = %s AND format = %s AND {_IS_OF_THIS_LOG}"
    )
    found = _fetch_binary(statement, (sheet_id, FORMAT))
    return None if found is None else PackedSheet(*found)


def pack(
    sheet_id: int, encode: Callable[[Delta], bytes], *, is_wanted: Callable[[], bool]
) -> PackedSheet | None:
    """Pack a sheet as it is now, each delta as `encode` puts it, and store that if it is newer.

    Holds one portion and what is packed in memory, whatever the sheet's size. Returns None, and
    stores nothing, for a sheet that is gone or has no log, and when `is_wanted` says no, which it
    is asked between portions.
    """
    with one_state() as cursor:
        cursor.execute(
            "SELECT log.operation_id FROM cells_sheet AS sheet JOIN cells_revision AS log "
            "ON log.sheet_id = sheet.id AND log.number = sheet.head WHERE sheet.id = %s",
            [sheet_id],
        )
        found = cursor.fetchone()
        if found is None:
            return None
        (operation_id,) = found
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
        parts: list[bytes] = []
        revision = cells = 0
        for delta in read_deltas_at(cursor, sheet_id, 0, is_first_load=True):
            if not is_wanted():
                return None
            parts.append(packer.compress(encode(delta) + b"\n"))
            revision = delta.through
            cells += sum(len(states) for _, states in delta.changes)
    packed = PackedSheet(revision, cells, b"".join([*parts, packer.flush()]))
    _store(sheet_id, packed, operation_id)
    return packed


def unpack(packed: PackedSheet) -> list[bytes] | None:
    """Return the encoded deltas of a snapshot, in order; None if its bytes are damaged."""
    try:
        return zlib.decompress(packed.data, _GZIP).splitlines()
    except zlib.error:
        return None


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """What is known of a stored snapshot without reading it."""

    revision: int
    cells: int
    bytes: int
    packed_at: datetime


def find(sheet_id: int) -> StoredSnapshot | None:
    """Return what is stored of a sheet, whether it can be used or not."""
    found = Snapshot.objects.filter(sheet_id=sheet_id).annotate(size=Length("data"))
    row = found.values_list("revision", "cells", "size", "packed_at").first()
    return None if row is None else StoredSnapshot(*row)


def drop(sheet_id: int) -> None:
    """Throw a sheet's snapshot away."""
    Snapshot.objects.filter(sheet_id=sheet_id).delete()


def _store(sheet_id: int, packed: PackedSheet, operation_id: UUID | str) -> None:
    """Store a snapshot, unless another process has stored a newer one that can be used."""
    with writing() as cursor:  # the driver's: in Django's hands the bytes are copied as text
        cursor.execute(
            "INSERT INTO cells_snapshot "  # noqa: S608 - text of this module
            "(sheet_id, revision, operation_id, format, cells, data, packed_at) "
            "SELECT id, %s, %s, %s, %s, %s, %s FROM cells_sheet WHERE id = %s "
            "ON CONFLICT (sheet_id) DO UPDATE SET revision = excluded.revision, "
            "operation_id = excluded.operation_id, format = excluded.format, "
            "cells = excluded.cells, data = excluded.data, packed_at = excluded.packed_at "
            "WHERE cells_snapshot.revision < excluded.revision "
            f"OR cells_snapshot.format <> excluded.format OR NOT {_IS_OF_THIS_LOG}",
            [
                packed.revision,
                operation_id,
                FORMAT,
                packed.cells,
                packed.data,
                connection.ops.adapt_datetimefield_value(timezone.now()),
                sheet_id,
            ],
        )


def _fetch_binary(statement: str, params: tuple[int, ...]) -> tuple[int, int, bytes] | None:
    """Fetch one row; on PostgreSQL with its bytes as they are.

    Django's cursors get bytes as hexadecimal text there: five times the time, for megabytes.
    """
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        with (
            connection.wrap_database_errors,
            psycopg.Cursor[tuple[int, int, bytes]](connection.connection) as binary,
        ):
            return binary.execute(statement, params, binary=True).fetchone()
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found: tuple[int, int, bytes] | None = cursor.fetchone()
        return found
