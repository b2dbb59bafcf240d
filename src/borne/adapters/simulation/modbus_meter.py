"""A simulated Modbus meter on a port or a serial line of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from borne.adapters.simulation.meter_setup import CannotServe, MeterFault, MeterFraming, MeterSetup
from borne.adapters.simulation.register_map import RegisterMap
from borne.domain.meters.measurement import Measurement
from borne.foundation.listener import CannotListen, bind
from borne.foundation.messages import N_, Message, verbatim
from borne.protocols.meter_profiles import Profile, load_profile
from borne.protocols.modbus.endpoint import Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import ExceptionCode, ModbusFailure
from borne.protocols.modbus.framing import rtu_frame
from borne.protocols.modbus.pdu import Request
from borne.protocols.modbus.server import ModbusServer, Reply

SLOW_S = 3.0
"""Longer than any master waits."""
ANY_UNIT = (0, 255)
"""Units by which the device itself is addressed in a network (Modbus on TCP/IP, 4.4.2.1)."""
MBAP_UNIT = 6
"""Place of the unit in a frame of Modbus TCP."""


def profile_of(slug: str) -> Profile:
    """The profile of a type of meter. Raises CannotServe."""
    try:
        return load_profile(slug)
    except KeyError:
        message = N_("There is no meter type {type}.")
        raise CannotServe(Message(message, {"type": slug})) from None


class ModbusMeterServer:
    """Answers with what `measure` gives at the time of a request."""

    def __init__(
        self, setup: MeterSetup, profile: Profile, measure: Callable[[], Measurement]
    ) -> None:
        self.address = ""
        self.port = 0
        self.unit = setup.unit or profile.unit
        self.requests = 0
        self.last_client = ""
        self.fault = setup.fault
        self._setup = setup
        self._profile = profile
        self._measure = measure
        self._map = RegisterMap(profile)
        self._server: ModbusServer | None = None

    async def start(self) -> None:
        """Raises CannotServe."""
        try:
            self._server = self._line() if self._setup.serial else self._network()
            self.port = await self._server.start()
        except (CannotListen, ModbusFailure, OSError) as error:
            raise CannotServe(verbatim(str(error))) from None
        at = f"[{self._setup.host}]" if ":" in self._setup.host else self._setup.host
        self.address = self._server.device if self._setup.serial else f"{at}:{self.port}"

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()

    def _line(self) -> ModbusServer:
        return ModbusServer(
            SerialEndpoint("", self._profile.baud, self._profile.parity, self._profile.stop_bits),
            self._answer,
            units=(self.unit,),
            spoil=self._spoil,
            pty=True,
        )

    def _network(self) -> ModbusServer:
        setup = self._setup
        bound = bind(setup.host, setup.port, f"the simulated meter {setup.type}", fallback=False)
        in_frames = setup.framing is MeterFraming.RTU
        return ModbusServer(
            TcpEndpoint(setup.host, bound.port, Framing(setup.framing.value)),
            self._answer,
            units=(self.unit,) if in_frames else (self.unit, *ANY_UNIT),
            spoil=self._spoil,
            listening=bound.socket,
        )

    async def _answer(self, unit: int, request: Request, client: str) -> Reply:
        del unit
        self.requests += 1
        self.last_client = client
        match self.fault:
            case MeterFault.SILENT:
                return None
            case MeterFault.EXCEPTION:
                return ExceptionCode.DEVICE_FAILURE
            case MeterFault.SLOW:
                await asyncio.sleep(SLOW_S)
        return self._map.answer(request, self._measure)

    def _spoil(self, frame: bytes) -> bytes:
        """A frame as the fault of this meter sends it."""
        if self.fault is MeterFault.GARBAGE:
            return bytes(byte ^ 0xA5 for byte in frame)
        if self.fault is not MeterFault.WRONG_UNIT:
            return frame
        other = self.unit % 247 + 1
        if self._setup.serial or self._setup.framing is MeterFraming.RTU:
            return rtu_frame(other, frame[1:-2])
        return frame[:MBAP_UNIT] + bytes((other,)) + frame[MBAP_UNIT + 1 :]
