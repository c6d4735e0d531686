"""The consumer that the Channels tutorial leads one to write: every socket is in a group.

https://channels.readthedocs.io/en/stable/tutorial/part_3.html
It speaks the relay's JSON, and keeps each edit in the database before it is shown to the others.
"""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from bench.peers.naive_channels.models import Cell


class SheetConsumer(AsyncJsonWebsocketConsumer):
    """One socket on one sheet."""

    async def connect(self) -> None:
        self.sheet: str = self.scope["url_route"]["kwargs"]["slug"]
        self.group = f"sheet_{self.sheet}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        cells = await database_sync_to_async(self.read_cells)()
        await self.send_json({"type": "state", "cells": cells})

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        if content["type"] == "edit":
            row, column = content["cell"]
            await database_sync_to_async(self.save_cell)(row, column, content["value"])
            await self.channel_layer.group_send(
                self.group,
                {"type": "sheet.edit", "sender": self.channel_name, "edit": content},
            )

    async def sheet_edit(self, event: dict[str, Any]) -> None:
        if event["sender"] != self.channel_name:
            await self.send_json(event["edit"])

    def read_cells(self) -> dict[str, str]:
        cells = Cell.objects.filter(sheet=self.sheet).values_list("row", "column", "value")
        return {f"{row}:{column}": value for row, column, value in cells}

    def save_cell(self, row: int, column: int, value: str) -> None:
        Cell.objects.update_or_create(
            sheet=self.sheet, row=row, column=column, defaults={"value": value}
        )
