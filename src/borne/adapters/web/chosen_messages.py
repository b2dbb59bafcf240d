"""Selects messages of the backend link for page, API and export."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from borne.adapters.web.guard import station
from borne.application.backend.message_filter import Asked, MessageFilter
from borne.domain.frames import FrameRecord
from borne.protocols.frame_json import frame_json

IN_MEMORY: Final = 500
KEPT: Final = 5000
PIECE: Final = 50


class ChosenMessages(BaseModel):
    """Query parameters; a message must match all that are given."""

    model_config = ConfigDict(extra="ignore")

    limit: Annotated[int, Field(ge=1, le=KEPT)] = 100
    action: Annotated[str, Field(max_length=60)] = ""
    direction: Annotated[str, Field(pattern="^(sent|received)?$")] = ""
    """Of the call: `sent` by the station, or `received`."""
    errors: bool = False
    connector: Annotated[int | None, Field(ge=0, le=100)] = None
    text: Annotated[str, Field(max_length=100)] = ""

    @field_validator("errors", "connector", mode="before")
    @classmethod
    def _nothing(cls, value: object, info: ValidationInfo) -> object:
        """Forms send empty fields."""
        if value != "":
            return value
        return None if info.field_name == "connector" else False

    @property
    def filter(self) -> MessageFilter:
        """The corresponding filter of the application."""
        asked_by = Asked(self.direction) if self.direction else None
        return MessageFilter(self.action, asked_by, self.errors, self.connector, self.text)


async def chosen_messages(request: Request, chosen: ChosenMessages) -> Sequence[FrameRecord]:
    """Matching messages, newest last; from memory if it holds enough of them, else from disk."""
    port = station(request).backend
    if port is None:
        return ()
    wanted = chosen.filter
    if not wanted.chooses and chosen.limit <= IN_MEMORY:
        return port.message_log()
    # Thousands of texts are searched: not in the event loop.
    return await asyncio.to_thread(wanted.choose, await port.message_history())


def pieces(messages: Sequence[FrameRecord]) -> Iterator[list[str]]:
    """The messages as JSON, in portions, so that thousands of them do not block the event loop."""
    for first in range(0, len(messages), PIECE):
        yield [
            json.dumps(frame_json(message), ensure_ascii=False)
            for message in messages[first : first + PIECE]
        ]
