"""What the admin is asked about, and how: a sheet that a stream edits, and dead letters."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.test.utils import CaptureQueriesContext

from cells.domain.addresses import parse_address
from cells.domain.operations import SetAddresses
from cells.models import AuthorKind, DeadLetter, Sheet
from cells.services.commit import Author, Committed, Submission, commit

NO_GROUPS = {"group_access-TOTAL_FORMS": "0", "group_access-INITIAL_FORMS": "0"}


def write(*cells: str) -> None:
    """Commit to the sheet `budget` as a stream: `write("A1", "Rent", "B1", "1200")`."""
    pairs = zip(cells[::2], cells[1::2], strict=True)
    edits = tuple((*parse_address(address), text) for address, text in pairs)
    author = Author(AuthorKind.STREAM, "prices", origin="projects/demo/subscriptions/edits 17")
    result = commit([Submission("budget", uuid4(), SetAddresses(edits), author)])
    assert isinstance(result.outcomes[0], Committed)


def dead_letter(data: bytes, **fields: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "subscription": "projects/demo/subscriptions/sheetsync-edits-sub",
        "message_id": str(uuid4()),
        "reason": "malformed",
        "detail": "The message is not JSON.",
        "data": data,
        "published_at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    return DeadLetter.objects.create(**{**values, **fields})


def page_of(sheet: Sheet, query: str = "") -> str:
    return f"/admin/cells/sheet/{sheet.pk}/change/{query}"


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured.captured_queries]
