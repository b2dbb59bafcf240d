"""What a simulated Modbus meter answers, as strict as the real ones: an exception for registers
that the meter does not have, for functions that it does not know, and for too many words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from borne.adapters.simulation import sunspec
from borne.adapters.simulation.meter_setup import number_of
from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import Profile
from borne.protocols.meter_profiles.register_types import RegisterType
from borne.protocols.modbus.failures import ExceptionCode
from borne.protocols.modbus.pdu import Read, Request

Words = Mapping[tuple[int, int], int]


def functions_of(profile: Profile) -> set[int]:
    """The read functions that the meter knows."""
    identities = (
        identity.register for identity in (profile.serial_number, profile.model_id) if identity
    )
    registers = (*profile.registers.values(), *identities)
    return {
        profile.function,
        *profile.also_functions,
        *(register.function for register in registers),
    }


class RegisterMap:
    """The registers of a type of meter."""

    def __init__(self, profile: Profile) -> None:
        self._encode: Callable[[Measurement], Words] = profile.encode
        identity = profile.serial_number
        self._numbered = identity is not None and identity.register.type is not RegisterType.TEXT
        self._functions = functions_of(profile)
        self._max_words = profile.max_words
        self._holes = profile.holes
        self._even = profile.even
        if profile.sunspec:
            self._encode = sunspec.registers

    def answer(
        self, request: Request, measure: Callable[[], Measurement]
    ) -> tuple[int, ...] | ExceptionCode:
        """The words that are read. Nothing can be written."""
        if not isinstance(request, Read) or request.function not in self._functions:
            return ExceptionCode.ILLEGAL_FUNCTION
        if request.count > self._max_words:
            return ExceptionCode.ILLEGAL_VALUE
        if self._even and (request.address % 2 or request.count % 2):
            return ExceptionCode.ILLEGAL_ADDRESS
        measured = measure()
        if self._numbered:
            measured = replace(measured, serial_number=str(number_of(measured.serial_number)))
        return self._read(request, self._encode(measured))

    def _read(self, request: Read, words: Words) -> tuple[int, ...] | ExceptionCode:
        asked = range(request.address, request.address + request.count)
        found = [words.get((request.function, address)) for address in asked]
        if None in found:
            listed = [address for function, address in words if function == request.function]
            if not self._holes or not min(listed) <= asked[0] <= asked[-1] <= max(listed):
                return ExceptionCode.ILLEGAL_ADDRESS
        return tuple(word or 0 for word in found)
