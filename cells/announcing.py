"""Announcing what was committed elsewhere than in a hub: by a stream, over HTTP, in the admin."""

from cells.protocol import encode_delta
from cells.services.announce import announce
from cells.services.commit import CommitResult


def announce_committed(result: CommitResult) -> None:
    """Send the hubs what was committed, encoded here once; returns at once, and never raises."""
    for sheet_id, delta in result.deltas.items():
        frame = None if delta.lacks_cells else encode_delta(delta)
        announce(sheet_id, delta, result.trace, frame=frame)
