"""The description of a meter by an operator, and what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.meters.measurement import Measurement
from borne.protocols.meter_profiles import (
    Profile,
    ProfileError,
    Refresh,
    SignedCurrent,
    Transport,
    load_profile,
    parse_profile,
)
from borne.protocols.meter_profiles.parsing import MAX_REGISTERS, MAX_TEXT

OWN = """\
vendor = "Acme"
model = "M1"
function = 4
unit = 7
word_order = "little"

[invalid]
i32 = [0x80000000]

[registers]
voltage_l1 = { address = 10, type = "u16", scale = 0.1 }
current_l1 = { address = 11, type = "i32", scale = 0.001 }
power_l1 = { address = 0x0010, type = "i32", scale = -1 }

[registers.energy_import]
address = 20
type = "u32"
scale = "1/3600"
"""


def test_a_description_of_ones_own() -> None:
    profile = parse_profile(OWN)
    assert (profile.slug, profile.vendor, profile.unit) == ("user_defined", "Acme", 7)
    assert profile.transport is Transport.TCP
    assert [(b.address, b.count) for b in profile.blocks(Refresh.ALL)] == [
        (10, 3),
        (16, 2),
        (20, 2),
    ]
    words = {(4, 10): 2301, (4, 11): 0x2710, (4, 12): 0}
    words |= {(4, 16): 1150, (4, 17): 0, (4, 20): 7201, (4, 21): 0}
    found = profile.measurement(words, 1.0)
    assert found.voltage_v == (230.1, None, None)
    # A negative scale: the meter counts power positive for export.
    assert found.power_w == (-1150.0, None, None)
    assert found.current_a == (-10.0, None, None)
    assert found.import_wh == 2
    # A meter of one phase: its power is all there is.
    assert found.power_total_w == -1150.0


def test_a_signed_current_is_believed_where_the_description_says_so() -> None:
    text = "current_is_signed = true\n" + OWN
    profile = parse_profile(text)
    assert profile.capabilities.signed_current is SignedCurrent.BY_METER
    words = {(4, 11): 0x2710, (4, 12): 0, (4, 16): 1150, (4, 17): 0}
    assert profile.measurement(words, 1.0).current_a == (10.0, None, None)


def test_the_registers_of_a_known_meter_with_ones_own() -> None:
    text = """
        same_registers_as = "eastron_sdm630"
        function = 4
        [registers]
        frequency = { address = 80, type = "f32" }
    """
    profile = parse_profile(text)
    assert profile.registers["frequency"].address == 80
    assert profile.registers["power"] == load_profile("eastron_sdm630").registers["power"]


def test_a_current_without_the_power_of_its_phase_has_no_sign() -> None:
    text = OWN + '[registers.current_l2]\naddress = 30\ntype = "u16"\n'
    assert parse_profile(OWN).capabilities.signed_current is SignedCurrent.BY_POWER
    assert parse_profile(text).capabilities.signed_current is SignedCurrent.UNKNOWN


GOOD = 'power = { address = 1, type = "i16" }'
MISTAKES = {
    "misspelt key": (f"vendr = 'x'\n[registers]\n{GOOD}", 1, 'Is "vendor" meant?'),
    "misspelt key of a register": (
        f'[registers]\n{GOOD}\n\nvoltage_l1 = {{ adr = 5, type = "u16" }}',
        4,
        'Is "address" meant?',
    ),
    "unknown key of a register": (
        '[registers]\npower = { address = 5, type = "u16", scal = 2 }',
        2,
        'Is "scale" meant?',
    ),
    "misspelt register": (
        '[registers]\nvoltage_L1 = { address = 5, type = "u16" }',
        2,
        "voltage_l1",
    ),
    "no such type": ('[registers]\npower = { address = 5, type = "int16" }', 2, 'Is "i16" meant?'),
    "type of another kind": ("[registers]\npower = { address = 5, type = 16 }", 2, "type must be"),
    "no type": ("[registers]\npower = { address = 5 }", 2, "type is missing."),
    "address too high": (
        '[registers]\npower = { address = 65535, type = "i32" }',
        2,
        "address must be a whole number from 0 to 65534.",
    ),
    "negative address": ('[registers]\npower = { address = -1, type = "i32" }', 2, "address must"),
    "true is no address": ('[registers]\npower = { address = true, type = "i16" }', 2, "address"),
    "scale of 0": (
        '[registers]\npower = { address = 1, type = "i16", scale = 0 }',
        2,
        "scale must",
    ),
    "scale beyond measure": (
        '[registers]\npower = { address = 1, type = "i16", scale = 1e999999999 }',
        2,
        "scale must",
    ),
    "infinite scale": (
        '[registers]\npower = { address = 1, type = "i16", scale = inf }',
        2,
        "scale",
    ),
    "ratio by 0": ('[registers]\npower = { address = 1, type = "i16", scale = "1/0" }', 2, "scale"),
    "overlap": (
        '[registers]\npower = {address = 1, type = "i32"}\nfrequency = {address = 2, type = "u16"}',
        3,
        "power and frequency overlap at address 2.",
    ),
    "the same register twice": (
        '[registers]\npower = {address = 1, type = "i32"}\npower_l1 = {address = 1, type = "i16"}',
        2,
        "power_l1 and power overlap at address 1.",
    ),
    "exponent within a value": (
        '[registers]\npower = {address = 1, type = "i32", exponent = 2}',
        2,
        "overlap at address 2.",
    ),
    "odd address": (
        'even = true\n[registers]\npower = { address = 1, type = "i32" }',
        3,
        "Only even addresses",
    ),
    "value longer than a request": (
        'max_words = 2\n[registers]\nenergy_import = { address = 1, type = "u64" }',
        3,
        "longer than max_words",
    ),
    "text as a value": (
        '[registers]\npower = { address = 1, type = "text", words = 2 }',
        2,
        "cannot be a text",
    ),
    "no register": ("vendor = 'x'", 0, "No register gives"),
    "registers that measure nothing": (
        '[registers]\npower_factor = { address = 1, type = "i16" }',
        0,
        "No register gives",
    ),
    "tariff 2 without 1": (
        f'[registers]\n{GOOD}\nenergy_import_t2 = {{ address = 5, type = "u32" }}',
        3,
        "energy_import is missing.",
    ),
    "probe without frequency": (
        f"probe_word_order = true\n[registers]\n{GOOD}",
        1,
        "no register",
    ),
    "no such transport": (
        f'transport = "udp"\n[registers]\n{GOOD}',
        1,
        '"udp" is not known. It must be one of tcp, rtu, speedwire.',
    ),
    "capital letters": ('[registers]\npower = { address = 0, type = "F32" }', 2, 'Is "f32" meant?'),
    "no such meter": ('same_registers_as = "sdm630"', 1, "There is no meter type sdm630."),
    "writing function": (f"function = 6\n[registers]\n{GOOD}", 1, "function must be one of 3, 4."),
    "invalid code too long": (
        f"[invalid]\nu16 = [0x10000]\n[registers]\n{GOOD}",
        2,
        "u16 must be a whole number",
    ),
    "invalid code of no type": (f"[invalid]\nx16 = [1]\n[registers]\n{GOOD}", 2, 'Is "u16" meant?'),
    "registers as a number": ("registers = 5", 1, "registers must be a table."),
    "register as a number": ("[registers]\npower = 5", 2, "power must be a table."),
    "no TOML": ("vendor = \n", 1, "Invalid value"),
    "number too long": ("unit = " + "9" * 5000, 0, "limit"),
    "nested too deep": ("a = " + "[" * 5000 + "]" * 5000, 0, ""),
    "too long": ("#" * (MAX_TEXT + 1), 0, "longer than"),
    "control character": (f'vendor = "a\\u0000b"\n[registers]\n{GOOD}', 1, "unprintable"),
    "OBIS number": (
        'transport = "speedwire"\n[registers]\npower = { obis = "1.5.0" }',
        3,
        "1.4.0",
    ),
}


@pytest.mark.parametrize(("text", "line", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text)
    assert caught.value.line == line
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"Line {line}: ") == bool(line)


def test_too_many_registers() -> None:
    lines = [f'r{n} = {{ address = {n}, type = "u16" }}' for n in range(MAX_REGISTERS + 1)]
    with pytest.raises(ProfileError, match="registers"):
        parse_profile("[registers]\n" + "\n".join(lines))


def outcome(text: str) -> Profile | str:
    try:
        profile = parse_profile(text)
    except ProfileError as error:
        return str(error)
    profile.blocks(Refresh.ALL)
    assert profile.measurement({}, 0.0) == Measurement(0.0)
    return profile


@given(text=st.text(max_size=200))
@settings(max_examples=60)
def test_any_text_is_a_profile_or_an_error(text: str) -> None:
    assert outcome(text)


@given(data=st.data())
@settings(max_examples=60)
def test_any_change_of_a_description_is_a_profile_or_an_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(OWN)))
    end = data.draw(st.integers(at, min(at + 5, len(OWN))))
    text = OWN[:at] + data.draw(st.text("[]{}=\"'\n0129.-_eaxlt", max_size=5)) + OWN[end:]
    assert outcome(text)
