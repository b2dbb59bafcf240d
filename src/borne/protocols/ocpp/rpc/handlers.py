"""Maps actions to handlers: unknown actions give NotImplemented, known ones without handler
NotSupported.

A handler gets the request model and returns the response model, or a `Reply` if something must be
done after the answer was sent (a reset, a triggered message, a reconnection).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from borne.protocols.ocpp.messages import Action, Message, action_of
from borne.protocols.ocpp.rpc.errors import ErrorCode, RpcError

Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)
FollowUp = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply(Generic[Res]):
    """An answer, and what to do after it was written to the connection."""

    response: Res
    then: FollowUp | None = None


CallHandler = Callable[[Action, Message], Awaitable[Message | Reply[Any]]]
"""Called for each CALL. May raise RpcError (CALLERROR) or NoAnswer (no answer)."""

Handler = Callable[[Req], Awaitable[Message | Reply[Any]]]


class Handlers:
    """A table of handlers; itself a `CallHandler`."""

    def __init__(self) -> None:
        self._handlers: dict[Action, Callable[[Any], Awaitable[Message | Reply[Any]]]] = {}

    def register(self, request: type[Req], handler: Handler[Req]) -> None:
        """Use `handler` for requests of this model; registering a second one is an error."""
        action = action_of(request)
        if action in self._handlers:
            raise ValueError(f"{action} has a handler already")
        self._handlers[action] = handler

    def actions(self) -> frozenset[Action]:
        return frozenset(self._handlers)

    async def __call__(self, action: Action, request: Message) -> Message | Reply[Any]:
        handler = self._handlers.get(action)
        if handler is None:
            raise RpcError(ErrorCode.NOT_SUPPORTED, f"{action} is not offered")
        return await handler(request)
