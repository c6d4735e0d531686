"""Announcing what was committed elsewhere than in a hub: by a stream, over HTTP, in the admin."""

from functools import partial

from django.db import transaction

from cells.protocol import encode_delta
from cells.services.announce import announce
from cells.services.commit import CommitResult


def announce_committed(result: CommitResult) -> None:
    """Send the hubs what was committed, encoded here once; returns at once, and never raises.

    Within a transaction of the caller's (a project with ATOMIC_REQUESTS) it is sent at its end: a
    hub takes a frame for what the log has.
    """
    for sheet_id, delta in result.deltas.items():
        frame = None if delta.lacks_cells else encode_delta(delta)
        send = partial(announce, sheet_id, delta, result.trace, frame=frame)
        transaction.on_commit(send)
