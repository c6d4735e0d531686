"""Sending one edit to a sheet through Pub/Sub, as any program can."""

import uuid
from typing import Any

import msgspec
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PubsubMessage

from cells.domain.errors import InvalidText
from cells.streams.clients import SETUP_SECONDS, explain
from cells.streams.messages import EDIT_ID, decode_data
from cells.streams.names import PubsubSetupError, Route


def send_edit(client: PublisherClient, route: Route, body: dict[str, Any], edit_id: str) -> str:
    """Publish the JSON object `body` once and return its message id.

    Raises a SheetSyncError for a body that the listener would refuse, before anything is sent,
    and PubsubSetupError when Pub/Sub does not take it.
    """
    try:
        data = msgspec.json.encode(body)
        sheet, _ = decode_data(data)
        message = PubsubMessage(data=data, ordering_key=sheet, attributes={EDIT_ID: edit_id})
    except UnicodeEncodeError as error:  # an argument in another encoding than the terminal's
        raise InvalidText("half of a surrogate pair cannot be sent; use UTF-8") from error
    try:
        response = client.publish(
            topic=route.topic_path,
            messages=[message],
            retry=None,
            timeout=SETUP_SECONDS,
        )
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise PubsubSetupError(explain(error, f"topic {route.topic_path}")) from error
    return response.message_ids[0]


def new_edit_id() -> str:
    return str(uuid.uuid4())
