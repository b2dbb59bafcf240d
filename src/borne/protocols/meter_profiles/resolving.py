"""What the meter at hand tells about itself, asked once when the connection is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from borne.foundation.messages import N_, Explained, Message
from borne.protocols.meter_profiles import decoding, sunspec
from borne.protocols.meter_profiles.profile import Profile
from borne.protocols.meter_profiles.register_types import WordOrder
from borne.protocols.meter_profiles.registers import Block, Words
from borne.protocols.meter_profiles.sunspec import Read
from borne.protocols.modbus.failures import ExceptionAnswer, NoAnswer

FREQUENCIES_HZ = (45.0, 65.0)
"""Of a grid; with the words in the wrong order a float is never within."""


class Unresolved(Explained):
    """The meter is not what its profile needs; none of its values may be used."""


async def resolve(profile: Profile, read: Read) -> Profile:
    """The profile of the meter at hand: with its SunSpec registers, order of words, serial number.

    Raises Unresolved, and what `read` raises; a missing serial number is no error.
    """
    if profile.sunspec:
        profile = await _walk(profile, read)
    if profile.probe_word_order:
        profile = await _with_word_order(profile, read)
    return await _with_serial_number(profile, read)


async def _walk(profile: Profile, read: Read) -> Profile:
    for base in sunspec.BASES:
        try:
            found = await sunspec.models(profile, read, base)
        except ExceptionAnswer:
            continue
        for model in (*sunspec.FLOAT_MODELS, *sunspec.INTEGER_MODELS):
            if model in found:
                return sunspec.with_model(profile, model, found[model], found.get(sunspec.COMMON))
    raise Unresolved(N_("The device shows no SunSpec meter."))


async def _with_word_order(profile: Profile, read: Read) -> Profile:
    words = await _words(profile.blocks_of(frozenset({"frequency"})), read)
    frequency = profile.registers["frequency"]
    for candidate in (profile, replace(profile, word_order=_other(profile.word_order))):
        value = decoding.exact(candidate, frequency, words)
        if value is not None and FREQUENCIES_HZ[0] <= value <= FREQUENCIES_HZ[1]:
            return replace(candidate, probe_word_order=False)
    low, high = FREQUENCIES_HZ
    raise Unresolved(
        Message(
            N_("The meter shows a frequency from {low} to {high} Hz in neither word order."),
            {"low": round(low), "high": round(high)},
        )
    )


def _other(order: WordOrder) -> WordOrder:
    return WordOrder.BIG if order is WordOrder.LITTLE else WordOrder.LITTLE


async def _with_serial_number(profile: Profile, read: Read) -> Profile:
    if profile.serial_number is None:
        return profile
    register = profile.serial_number.register
    block = Block(register.function, register.address, register.count)
    try:
        words = await _words([block], read)
    except (ExceptionAnswer, NoAnswer):
        # Older meters of a type refuse the register, or do not answer at all.
        return profile
    return replace(profile, meter_serial=profile.read_serial_number(words))


async def _words(blocks: Iterable[Block], read: Read) -> Words:
    found: dict[tuple[int, int], int] = {}
    for block in blocks:
        answer = await read(block.function, block.address, block.count)
        for place, word in enumerate(answer):
            found[block.function, block.address + place] = word
    return found
