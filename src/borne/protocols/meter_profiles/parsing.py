"""Reads the description of a meter: TOML, ours or an operator's.

Each mistake is an error with its line and, for a misspelt word, the nearest right one. Size, number
of registers and of digits are bounded: the text may come from anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from borne.domain.meters.address import Parity
from borne.foundation.messages import N_, Message
from borne.protocols.meter_profiles.description import Confidence, Transport
from borne.protocols.meter_profiles.entries import Entries, Mistake, nearest
from borne.protocols.meter_profiles.profile import Profile
from borne.protocols.meter_profiles.quantities import MEASURED, UNITS
from borne.protocols.meter_profiles.register_types import WORDS, RegisterType, WordOrder
from borne.protocols.meter_profiles.registers import Identity, Register, areas

MAX_TEXT = 32 * 1024
"""Characters."""
MAX_REGISTERS = 150
MAX_WORDS = 125
"""Of one answer (Modbus application protocol 1.1b3, 6.3)."""
READ_FUNCTIONS = (3, 4)

Lookup = Callable[[str], Profile]


class ProfileError(Mistake):
    """The description of a meter is wrong; `line` counts from 1, 0 if it is the whole."""


def parse(text: str, slug: str, other: Lookup) -> Profile:
    """The profile that `text` describes; `other` finds the one that `same_registers_as` names.

    Raises ProfileError.
    """
    try:
        return _profile(Entries(_table(text)), slug, other)
    except ProfileError:
        raise
    except Mistake as mistake:
        raise ProfileError(mistake.reason, mistake.path, line_of(text, mistake.path)) from None


def _table(text: str) -> dict[str, Any]:
    if len(text) > MAX_TEXT:
        raise ProfileError(
            Message(N_("The description is longer than {limit} characters."), {"limit": MAX_TEXT})
        )
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        found = re.search(r"\(at line (\d+)", str(error))
        reason = str(error).partition(" (at ")[0] or N_("The values are nested too deep.")
        raise ProfileError(
            Message("{text}", {"text": reason}), line=int(found[1]) if found else 0
        ) from None


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line that opens the entry at `path`, or the nearest table around it; 0 if none does."""
    best = line_of_best = 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+([^\[\]#]+)\]", line)
        entry = re.match(r"\s*([\w\".-]+)\s*=", line)
        if header:
            table = keys = _keys(header[1])
        elif entry:
            keys = table + _keys(entry[1])
        else:
            continue
        if keys == path[: len(keys)] and len(keys) > best:
            best, line_of_best = len(keys), number
    return line_of_best


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip().strip('"') for key in dotted.split("."))


def _profile(entries: Entries, slug: str, other: Lookup) -> Profile:
    function = entries.integer("function", 3, among=READ_FUNCTIONS)
    transport = entries.choice("transport", Transport, Transport.TCP)
    if transport is Transport.SPEEDWIRE:
        function = 0
    profile = Profile(
        slug=slug,
        vendor=entries.text("vendor", "any"),
        model=entries.text("model", "user-defined"),
        transport=transport,
        registers={},
        function=function,
        also_functions=tuple(entries.integers("also_functions", among=READ_FUNCTIONS)),
        unit=entries.integer("unit", 1, 0, 255),
        port=entries.integer("port", 502, 1, 65535),
        baud=entries.integer("baud", 9600, 300, 921600),
        parity=entries.choice("parity", Parity, Parity.NONE),
        stop_bits=entries.integer("stop_bits", 1, among=(1, 2)),
        word_order=entries.choice("word_order", WordOrder, WordOrder.BIG),
        probe_word_order=entries.flag("probe_word_order"),
        sunspec=entries.flag("sunspec"),
        invalid=_invalid(entries),
        max_words=entries.integer("max_words", 120, 2, MAX_WORDS),
        holes=entries.flag("holes"),
        even=entries.flag("even"),
        pause_s=float(entries.number("pause_s", Fraction(0), Fraction(0), Fraction(5))),
        max_connections=entries.integer("max_connections", 0, 0, 100),
        current_is_signed=entries.flag("current_is_signed"),
        confidence=entries.choice("confidence", Confidence, Confidence.LOW),
        sources=entries.texts("sources"),
        notes=entries.texts("notes"),
        set_up=entries.texts("set_up"),
    )
    profile = replace(
        profile,
        serial_number=_identity(entries, "serial_number", profile),
        model_id=_identity(entries, "model_id", profile),
        registers=_registers(entries, profile, other),
    )
    entries.finish()
    _check(profile)
    return profile


def _invalid(entries: Entries) -> dict[RegisterType, frozenset[int]]:
    table = entries.table("invalid")
    found = {}
    for kind, count in WORDS.items():
        codes = table.integers(kind.value, 0, (1 << 16 * count) - 1)
        if codes:
            found[kind] = frozenset(codes)
    table.finish()
    return found


def _registers(entries: Entries, profile: Profile, other: Lookup) -> dict[str, Register]:
    found: dict[str, Register] = {}
    same = entries.text("same_registers_as", "")
    if same:
        try:
            base = other(same)
        except KeyError:
            raise Mistake(
                Message(N_("There is no meter type {name}."), {"name": same}),
                ("same_registers_as",),
            ) from None
        found = {
            name: replace(register, function=profile.function)
            if register.function == base.function
            else register
            for name, register in base.registers.items()
        }
    table = entries.table("registers")
    if len(table.names) > MAX_REGISTERS:
        raise table.mistake(
            Message(N_("More than {limit} registers."), {"limit": MAX_REGISTERS}), ""
        )
    for name in table.names:
        if name not in UNITS:
            raise table.mistake(nearest(name, UNITS), name)
        found[name] = _register(table.table(name), name, profile)
    return found


def _register(entries: Entries, name: str, profile: Profile) -> Register:
    if profile.transport is Transport.SPEEDWIRE:
        register = Register(
            name,
            _obis(entries),
            entries.choice("type", RegisterType, RegisterType.U32),
            0,
            0,
            entries.ratio("scale"),
        )
    else:
        register = _modbus_register(entries, name, profile)
        if register.type is RegisterType.TEXT:
            raise entries.mistake(Message(N_("A value cannot be a text.")), "type")
    entries.finish()
    return register


def _modbus_register(entries: Entries, name: str, profile: Profile) -> Register:
    kind = entries.choice("type", RegisterType, None)
    count = WORDS.get(kind) or entries.integer("words", None, 1, 40)
    address = entries.integer("address", None, 0, 0x10000 - count)
    exponent = entries.integer("exponent", -1, 0, 0xFFFF)
    register = Register(
        name=name,
        address=address,
        type=kind,
        count=count,
        function=entries.integer("function", profile.function, among=READ_FUNCTIONS),
        scale=entries.ratio("scale"),
        exponent=None if exponent < 0 else exponent,
    )
    if profile.even and (address % 2 or count % 2):
        raise entries.mistake(
            Message(N_("Only even addresses and lengths may be read.")), "address"
        )
    if count > profile.max_words:
        raise entries.mistake(Message(N_("The value is longer than max_words.")), "address")
    return register


def _obis(entries: Entries) -> int:
    """Channel, kind and tariff of an OBIS number such as 1.4.0, as one number of three bytes."""
    text = entries.text("obis", "")
    match = re.fullmatch(r"(\d{1,3})\.(4|8)\.(\d)", text)
    if not match or int(match[1]) > 255:
        raise entries.mistake(Message(N_("An OBIS number looks like 1.4.0.")), "obis")
    return int(match[1]) << 16 | int(match[2]) << 8 | int(match[3])


def _identity(entries: Entries, name: str, profile: Profile) -> Identity | None:
    if name not in entries.names:
        return None
    table = entries.table(name)
    models = table.values("models")
    register = _modbus_register(table, name, profile)
    table.finish()
    return Identity(register, models)


def _check(profile: Profile) -> None:
    """What one register alone does not show."""
    if not profile.sunspec and not MEASURED.intersection(profile.registers):
        raise Mistake(Message(N_("No register gives voltage, current, power or energy.")), ())
    if profile.probe_word_order and "frequency" not in profile.registers:
        raise Mistake(
            Message(N_("The word order is found by the frequency, which has no register.")),
            ("probe_word_order",),
        )
    for name in ("energy_import", "energy_export"):
        if f"{name}_t2" in profile.registers and name not in profile.registers:
            raise Mistake(
                Message(N_("{name} is missing."), {"name": name}), ("registers", f"{name}_t2")
            )
    _check_overlaps(profile)


def _check_overlaps(profile: Profile) -> None:
    if profile.transport is Transport.SPEEDWIRE:
        return
    # Several values may share an exponent.
    spans = sorted(
        {
            (function, address, address + count): register.name
            for register in profile.registers.values()
            for function, address, count in areas(register)
        }.items()
    )
    for ((function, _, end), first), ((other, start, _), second) in pairwise(spans):
        if function == other and start < end:
            raise Mistake(
                Message(
                    N_("{first} and {second} overlap at address {address}."),
                    {"first": first, "second": second, "address": start},
                ),
                ("registers", second),
            )
