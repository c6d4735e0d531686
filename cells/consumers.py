"""The edge of the live path: one WebSocket on one sheet."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError

from cells import protocol
from cells.domain.errors import Forbidden, Malformed, NoSuchSheet, SheetSyncError
from cells.domain.operations import Intended, parse_operation, set_cells
from cells.live.admissions import Pass
from cells.live.client import Client
from cells.live.direct import DirectSocket
from cells.live.door import Crowded
from cells.live.frames import Frame
from cells.live.hub import Hub
from cells.live.hubs import get_hubs
from cells.live.limits import (
    OPENING_COST,
    PRESENCE_COST,
    REFUSAL_COST,
    ROWS_COST,
    TRIFLE_COST,
    Allowance,
)
from cells.live.outbox import Outbox
from cells.models import AuthorKind, Role, Sheet
from cells.protocol import (
    CloseCode,
    OperationSubmit,
    PresenceUpdate,
    RowsLoad,
    SetCellsFields,
    SheetOpen,
    StyledCellsFields,
)
from cells.services.access import Admission
from cells.services.authors import Author
from cells.services.figures import figures
from cells.services.guests import color_of, guest_name
from cells.services.protections import Seen
from cells.services.quotas import believed_address
from cells.services.standing import Ended, Standing
from cells.services.visitors import Visitor, receive

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_SECONDS = 10.0  # of the wire contract
MAX_MALFORMED_FRAMES = 10  # of the wire contract: the tenth closes the socket


class SheetConsumer(AsyncWebsocketConsumer):
    """Decodes what a browser sends, hands it to the sheet's hub, and owns its outbox.

    It has no channel of its own: the hub is in the sheet's group for all sockets of the process.
    """

    outbox: Outbox
    allowance: Allowance
    visitor: Visitor
    admission: Admission | None = None
    admitted: Pass | None = None
    give_place_back: Callable[[], None] | None = None
    hub: Hub | None = None
    client: Client | None = None
    malformed_frames = 0
    open_timer: asyncio.TimerHandle | None = None
    answering: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket without what costs per message: no channel layer, no thread hop."""
        self.scope, self.base_send = scope, send
        self.outbox = Outbox(send)
        self.allowance = Allowance(asyncio.get_running_loop().time())
        figures.sockets += 1
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            figures.sockets -= 1
            await self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.receive":
                waiting = self.take(message.get("text"))
                if waiting is not None:
                    await waiting
            case "websocket.connect":
                await self.connect()
            case "websocket.disconnect":
                raise StopConsumer

    async def connect(self) -> None:
        """Accept, so that a refusal can say its code, and let in who may look."""
        await self.accept()
        direct = DirectSocket.under(self.base_send)
        if direct is not None:
            self.outbox.go_direct(direct)
        if get_hubs().is_draining:
            self._send_elsewhere()
        else:
            await self._admit()
        if direct is not None:
            direct.listen(self.take, self._bear_trifle)

    async def _admit(self) -> None:
        slug = self.scope["url_route"]["kwargs"]["slug"]
        try:
            self.visitor, answer = await get_hubs().door.run(receive, slug, self._cookies())
        except Crowded as refusal:
            self.outbox.close(CloseCode.TRY_AGAIN_LATER, str(refusal))
            return
        except DatabaseError as error:
            self._pause(error)
            return
        match answer:
            case NoSuchSheet():
                self.outbox.close(CloseCode.NO_SUCH_SHEET, str(answer))
            case Forbidden() if self.visitor.is_guest:
                self.outbox.close(CloseCode.NOT_SIGNED_IN, "sign in to open this sheet")
            case Forbidden():
                self.outbox.close(CloseCode.FORBIDDEN, str(answer))
            case Admission():
                self.give_place_back = get_hubs().places.take(self.visitor, self._address())
                if self.give_place_back is None:
                    self.outbox.close(
                        CloseCode.TOO_MANY,
                        "too many sheets are open here; close some windows and try again",
                    )
                    return
                self.admission = answer
                self.admitted = Pass(
                    *(answer.sheet_id, self.visitor.credentials, answer.role),
                    *(self._readmit, self._see_protections),
                )
                get_hubs().admissions.add(self.admitted)
                self.open_timer = asyncio.get_running_loop().call_later(
                    OPEN_TIMEOUT_SECONDS,
                    self.outbox.close,
                    CloseCode.MALFORMED,
                    "no sheet.open within 10 s",
                )

    def _readmit(self, standing: Standing) -> None:
        """Take in what has become of the admission; also before the sheet was opened."""
        match standing:
            case Ended.SIGNED_OUT:
                self.outbox.close(CloseCode.NOT_SIGNED_IN, "sign in to open this sheet")
            case Ended.NOT_SHARED:
                self.outbox.close(CloseCode.FORBIDDEN, "this sheet is no longer shared with you")
            case Ended.NO_SHEET:
                self._is_gone()
            case Role() if self.admission is not None:
                self.admission = replace(self.admission, role=standing)
                if self.client is not None:
                    self.client.readmit(standing)

    def _see_protections(self, seen: Seen) -> None:
        """Say what is protected where that is not as the socket was told; once it is open."""
        if self.client is not None and self.client.is_live and seen != self.client.protections:
            self.client.tell_protections(seen)

    def _cookies(self) -> str:
        return "; ".join(self._header(b"cookie"))

    def _address(self) -> str:
        told = ",".join(self._header(b"x-forwarded-for"))
        return believed_address(told, (self.scope.get("client") or ("",))[0])

    def _header(self, wanted: bytes) -> list[str]:
        headers = self.scope["headers"]
        return [value.decode("latin-1") for name, value in headers if name == wanted]

    def take(self, text: str | bytes | None) -> Awaitable[None] | None:
        """Take in one frame; what this returns has to be awaited before the next one."""
        if self.admission is None or self.outbox.is_closed:
            return None
        try:
            match protocol.decode_frame(text):
                case OperationSubmit() as frame:
                    return self._submit(frame, text)
                case PresenceUpdate() as frame:
                    if self._may_spend(PRESENCE_COST, text):
                        self._update_presence(frame)
                case SheetOpen() as frame:
                    if self._may_spend(OPENING_COST, text) and self._is_same_person(frame):
                        return self._open(self.admission, self._checked(frame))
                case RowsLoad(rows):
                    if self._may_spend(ROWS_COST, text):
                        return self._load_rows(rows)
        except SheetSyncError as error:
            self._refuse_frame(error)
        return None

    def _checked(self, frame: SheetOpen) -> SheetOpen:
        if frame.protocol != protocol.PROTOCOL:
            raise Malformed(f"this server speaks protocol {protocol.PROTOCOL}; reload the page")
        return frame

    def _is_same_person(self, frame: SheetOpen) -> bool:
        """Say whether the page's person is the socket's; if not, close it.

        A page that comes back after a cut brings along what was typed into it, and its browser
        may be signed out by then, or be somebody else's.
        """
        if frame.user is None or frame.user == str(self.visitor.user.pk):
            return True
        self.outbox.close(CloseCode.NOT_SIGNED_IN, "you are not signed in as on this page")
        return False

    async def _open(self, admission: Admission, frame: SheetOpen) -> None:
        if self.open_timer is not None:
            self.open_timer.cancel()
        if self.answering is not None:
            await asyncio.wait([self.answering])
        try:
            if self.hub is None:
                self.hub = await get_hubs().join(admission.sheet_id, admission.slug)
        except DatabaseError as error:
            self._pause(error)
            return
        except Sheet.DoesNotExist:
            self._is_gone()
            return
        if get_hubs().is_draining:
            self._send_elsewhere()
            return
        if self.client is None:
            # The role may be another one by now than when the frame came.
            self.client = self._introduce(self.hub, self.admission or admission, frame)
        self.answering = asyncio.create_task(self._answer(self.hub, self.client, frame))
        # Who says what is in view may ask for other rows while the whole is on its way.
        if frame.view is None:
            await self.answering

    async def _answer(self, hub: Hub, client: Client, frame: SheetOpen) -> None:
        try:
            await hub.open(
                client,
                frame.revision or 0,
                takes_packed=frame.packed == protocol.Packing.GZIP,
                view=frame.view,
                held_ms=frame.held_ms,
            )
        except DatabaseError as error:
            self._pause(error)
        except Sheet.DoesNotExist:
            self._is_gone()
        except Exception:
            # Nobody may be awaiting this; the client comes back and asks again.
            self.outbox.close(CloseCode.TRY_AGAIN_LATER, "the sheet cannot be opened")
            raise

    def _load_rows(self, runs: list[tuple[int, int]]) -> Awaitable[None]:
        if self.hub is None or self.client is None:
            raise Malformed("send sheet.open first")
        return self._send_rows(self.hub, self.client, runs)

    async def _send_rows(self, hub: Hub, client: Client, runs: list[tuple[int, int]]) -> None:
        try:
            await hub.load_rows(client, runs)
        except DatabaseError as error:
            self._pause(error)

    def _submit(self, frame: OperationSubmit, text: str | bytes | None) -> Awaitable[None] | None:
        if self.hub is None or self.client is None:
            raise Malformed("send sheet.open first")
        operation_id, raw = frame.operation_id, frame.operation
        try:
            operation: Intended
            match raw:
                case SetCellsFields(cells):
                    operation = set_cells(cells)
                case StyledCellsFields():
                    operation = set_cells(raw.inputs(), raw.styles())
                case _:
                    operation = parse_operation(raw)
        except SheetSyncError as error:
            figures.refusals.note(error.code)
            if self._may_spend(REFUSAL_COST, text):
                self.client.send(protocol.encode_rejected(operation_id, error))
            return None
        if self.client.role == Role.VIEWER and not self._may_spend(REFUSAL_COST, text):
            return None
        return self.hub.submit(self.client, operation_id, operation, frame.expected)

    def _may_spend(self, cost: float, text: str | bytes | None) -> bool:
        """Pay for a frame that no commit holds back; close the socket that cannot."""
        now = asyncio.get_running_loop().time()
        if self.allowance.spend(cost, len(text or ""), now):
            return True
        self.outbox.close(CloseCode.TOO_MANY, "too many messages; send fewer")
        return False

    def _bear_trifle(self) -> bool:
        return self._may_spend(TRIFLE_COST, None)

    def _update_presence(self, frame: PresenceUpdate) -> None:
        if self.hub is None or self.client is None:
            raise Malformed("send sheet.open first")
        presence = self.client.presence(frame.cell, frame.range, editing=frame.editing)
        self.hub.update_presence(self.client, presence)

    def _introduce(self, hub: Hub, admission: Admission, frame: SheetOpen) -> Client:
        """Make the client that this socket is, from its user or its guest's session."""
        visitor, user = self.visitor, self.visitor.user
        if visitor.is_guest:
            key = visitor.session_key or str(frame.client_id)
            name = visitor.name or guest_name(key)
            person, kind = f"guest {key}", AuthorKind.GUEST
        else:
            name = visitor.name or user.get_username()
            person, kind = f"user {user.pk}", AuthorKind.USER
        client_id = hub.claim_client_id(str(frame.client_id), person, str(uuid.uuid4()))
        author = Author(kind, name[:150], user.pk, client_id)
        return Client(
            client_id, person, name, color_of(person), admission.role, author, self.outbox
        )

    def _refuse_frame(self, error: SheetSyncError) -> None:
        figures.refusals.note(error.code)
        self.outbox.put(Frame(protocol.encode_error(error)))
        self.malformed_frames += 1
        if self.malformed_frames >= MAX_MALFORMED_FRAMES:
            self.outbox.close(CloseCode.MALFORMED, "too many malformed frames")

    def _pause(self, error: DatabaseError) -> None:
        logger.warning("a sheet cannot be opened: %s", error)
        self.outbox.close(CloseCode.TRY_AGAIN_LATER, "the database does not answer; try again soon")

    def _is_gone(self) -> None:
        self.outbox.close(CloseCode.NO_SUCH_SHEET, "the sheet was deleted")

    def _send_elsewhere(self) -> None:
        self.outbox.close(CloseCode.DRAINING, "this process ends; reconnect")

    async def _leave(self) -> None:
        if self.open_timer is not None:
            self.open_timer.cancel()
        if self.admitted is not None:
            get_hubs().admissions.discard(self.admitted)
        if self.give_place_back is not None:
            self.give_place_back()
        await self.outbox.stop()
        if self.answering is not None:
            self.answering.cancel()
            await asyncio.wait([self.answering])
        if self.hub is not None:
            await get_hubs().leave(self.hub, self.client)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a socket at an address that is no sheet's."""
    await receive()
    await send({"type": "websocket.close", "code": CloseCode.NO_SUCH_SHEET})
