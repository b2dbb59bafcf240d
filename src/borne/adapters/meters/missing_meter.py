"""In the place of a meter whose settings do not say enough to reach it: it never answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from borne.adapters.meters.failures import NoMeasurement
from borne.foundation.events import Unsubscribe
from borne.foundation.messages import Message


class MissingMeter:
    """The meter of a socket or of the site; `reason` is what its silence is explained by."""

    polls_itself = False
    billing = True
    model = ""
    serial_number = ""

    def __init__(self, reason: Message) -> None:
        self._reason = reason

    async def start(self) -> None:
        """Nothing to watch."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def read(self) -> NoReturn:
        """Raises NoMeasurement."""
        raise NoMeasurement(self._reason)

    def subscribe(self, listener: Callable[[NoMeasurement], None]) -> Unsubscribe:
        """Call `listener` once."""
        listener(NoMeasurement(self._reason))
        return lambda: None
