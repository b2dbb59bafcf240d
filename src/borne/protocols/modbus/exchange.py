"""One request and its answer on a connection, in either framing."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from borne.protocols.modbus.failures import NoAnswer, WrongAnswer
from borne.protocols.modbus.framing import (
    BrokenStream,
    MbapFrame,
    MbapReader,
    RtuAnswerReader,
    mbap_frame,
    rtu_frame,
)
from borne.protocols.modbus.pdu import Request, answer_bytes, decode_answer, encode_request
from borne.protocols.modbus.transports import Link, LinkLost

GAP_CHARACTERS: Final = 3.5
FAST_BAUD: Final = 19200
FAST_GAP_S: Final = 0.00175
"""Gap between frames above 19200 baud: Modbus over Serial Line 1.02, section 2.5.1.1."""
SILENCE_S: Final = 0.1
"""A line that is silent for so long has ended its frame: adapters deliver every 16 ms."""
NETWORK_SILENCE_S: Final = 0.3
"""The same behind a gateway: a lost packet is sent again after some 0.2 s."""
MAX_DRAIN_S: Final = 1.0


class Exchange(Protocol):
    """Sends one request and awaits its answer; the state of one port, over many connections."""

    link: Link | None
    awaited_until_s: float
    """When the last request timed out, or would have."""

    def attach(self, link: Link) -> None:
        """Use a new connection."""

    async def ask(
        self, unit: int, request: Request, timeout_s: float, *, again: bool
    ) -> tuple[int, ...]:
        """The values of the answer. `again`: an earlier attempt of this request had no answer.

        Raises NoAnswer, WrongAnswer, ExceptionAnswer, LinkLost.
        """


class TcpExchange:
    """Modbus TCP: answers carry the number of their request."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.awaited_until_s = float("-inf")
        self._reader = MbapReader()
        self._transaction = 0
        self._asked: tuple[int, Request] | None = None
        self._sent: list[int] = []

    def attach(self, link: Link) -> None:
        self.link = link
        self._reader = MbapReader()
        self._asked = None

    async def ask(
        self, unit: int, request: Request, timeout_s: float, *, again: bool
    ) -> tuple[int, ...]:
        """See Exchange. The answer to an earlier attempt is an answer, too."""
        link = _attached(self.link)
        self._transaction = self._transaction % 0xFFFF + 1
        earlier = self._sent if again and self._asked == (unit, request) else ()
        self._asked = (unit, request)
        self._sent = [*earlier, self._transaction]
        link.send(mbap_frame(self._transaction, unit, encode_request(request)))
        self.awaited_until_s = asyncio.get_running_loop().time() + timeout_s
        frame = await self._answer(link, unit)
        if frame.unit != unit:
            raise WrongAnswer(f"Unit {frame.unit} answered instead of unit {unit}.")
        return decode_answer(unit, request, frame.pdu)

    async def _answer(self, link: Link, unit: int) -> MbapFrame:
        others = 0
        while data := await link.receive(self.awaited_until_s):
            for frame in self._frames(link, unit, data):
                if frame.transaction in self._sent:
                    self._check_end(link, unit)
                    return frame
                others += 1
        if self._reader.partial:
            link.close()  # the rest of this answer would be read as the beginning of the next
            raise WrongAnswer(f"A part of the answer of unit {unit} is missing.")
        if others:
            raise WrongAnswer(f"Unit {unit} answered another request than the last one.")
        raise NoAnswer(f"Unit {unit} does not answer.")

    def _check_end(self, link: Link, unit: int) -> None:
        """One request is on the wire: what follows its answer shows that its length is wrong."""
        if self._reader.partial:
            link.close()
            raise WrongAnswer(f"Unit {unit} sent more than its answer.")

    def _frames(self, link: Link, unit: int, data: bytes) -> list[MbapFrame]:
        try:
            return self._reader.feed(data)
        except BrokenStream:
            link.close()
            raise WrongAnswer(f"What unit {unit} sent is no Modbus TCP.") from None


class RtuExchange:
    """RTU: an answer is known by unit, function, length and checksum alone."""

    def __init__(self, character_s: float) -> None:
        self.link: Link | None = None
        self.awaited_until_s = float("-inf")
        self._character_s = character_s
        self._silence_s = SILENCE_S if character_s else NETWORK_SILENCE_S
        self._echoes: bool | None = None
        self._drains = 0
        """How many of the next requests wait for a silent line."""

    @classmethod
    def gap_s(cls, baud: int, character_s: float) -> float:
        """Silence that separates two frames."""
        return FAST_GAP_S if baud > FAST_BAUD else GAP_CHARACTERS * character_s

    def attach(self, link: Link) -> None:
        self.link = link
        # A request that went with the old connection may be answered on this one, beside the
        # answer to its repetition.
        self._drains = 2

    async def ask(
        self, unit: int, request: Request, timeout_s: float, *, again: bool
    ) -> tuple[int, ...]:
        """See Exchange."""
        del again
        link = _attached(self.link)
        await self._drain(link)
        frame = rtu_frame(unit, encode_request(request))
        link.send(frame)
        on_line_s = (len(frame) + answer_bytes(request) + 3) * self._character_s
        self.awaited_until_s = asyncio.get_running_loop().time() + on_line_s + timeout_s
        reader = RtuAnswerReader(unit, request, echoes=self._echoes)
        try:
            pdu = await self._answer(link, reader, self.awaited_until_s)
        except BaseException:
            self._disturb()
            raise
        if pdu is None:
            self._disturb()
            if reader.problem:
                raise WrongAnswer(f"The answer of unit {unit} is not usable: {reader.problem}.")
            raise NoAnswer(f"Unit {unit} does not answer.")
        self._echoes = reader.echo_seen
        return decode_answer(unit, request, pdu)

    async def _drain(self, link: Link) -> None:
        """Drop what came too late, until the line is silent."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + MAX_DRAIN_S
        silence_s = SILENCE_S / 2 if self._drains else 0.0
        while await link.receive(loop.time() + silence_s):
            self._disturb()
            silence_s = SILENCE_S / 2
            if loop.time() > end_s:
                raise WrongAnswer("The line is never silent.")
        self._drains = max(0, self._drains - 1)

    def _disturb(self) -> None:
        self._drains = max(1, self._drains)

    async def _answer(self, link: Link, reader: RtuAnswerReader, until_s: float) -> bytes | None:
        loop = asyncio.get_running_loop()
        wait_s = until_s
        while data := await link.receive(wait_s):
            if (pdu := reader.feed(data)) is not None:
                return pdu
            # What began as an answer and is silent since is not going to be completed.
            wait_s = min(until_s, loop.time() + self._silence_s) if reader.damaged else until_s
        return None


def _attached(link: Link | None) -> Link:
    if link is None:
        raise LinkLost
    return link
