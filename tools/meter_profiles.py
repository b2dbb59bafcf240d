"""Checks every description of a meter and writes docs/meters.md from them and tools/meter_page.md.

python -m tools.meter_profiles           writes the page
python -m tools.meter_profiles --check   fails if a description is wrong or the page out of date
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

from borne.domain.meters.address import Parity
from borne.domain.settings.catalogue.meter_profiles import METERS, USER_DEFINED
from borne.protocols.meter_profiles import (
    Profile,
    ProfileError,
    Refresh,
    SignedCurrent,
    Transport,
    load_profile,
    parse_profile,
    slugs,
)
from borne.protocols.meter_profiles.loading import profile_files
from borne.protocols.meter_profiles.quantities import UNITS
from borne.protocols.meter_profiles.register_types import WORDS, WordOrder
from borne.protocols.meter_profiles.registers import Identity, Register

TEMPLATE = Path(__file__).resolve().parent / "meter_page.md"
PAGE = TEMPLATE.parent.parent / "docs" / "meters.md"
EXAMPLE = """\
vendor = "Acme"
model = "Meter 3"
function = 4
word_order = "little"

[invalid]
i32 = [0x7FFFFFFF]

[registers]
voltage_l1 = { address = 0, type = "i32", scale = 0.1 }
current_l1 = { address = 12, type = "i32", scale = 0.001 }
power_l1 = { address = 18, type = "i32", scale = 0.1 }
energy_import = { address = 0x0034, type = "i32", scale = 100 }
"""


_TRANSPORTS = {
    Transport.TCP: "network",
    Transport.RTU: "RS485",
    Transport.SPEEDWIRE: "multicast",
}
_PARITIES = {Parity.NONE: "N", Parity.EVEN: "E", Parity.ODD: "O"}


def page() -> str:
    """The whole page. Raises ProfileError if a description is wrong."""
    text = TEMPLATE.read_text(encoding="utf-8")
    for mark, made in {
        "overview": _overview(),
        "example": EXAMPLE,
        "names": ", ".join(_names()),
        "meters": "\n".join(_section(slug) for slug in slugs()).rstrip(),
    }.items():
        text = text.replace(f"<!-- {mark} -->", made)
    return text


def _names() -> list[str]:
    """Each quantity with its unit, those of the phases by L1 alone."""
    found = []
    for name, unit in UNITS.items():
        if name[-3:] in ("_l2", "_l3"):
            continue
        text = f"`{name}` to `_l3`" if name.endswith("_l1") else f"`{name}`"
        found.append(f"{text} ({unit})" if unit else text)
    return found


def _label(slug: str) -> str:
    return next(meter.label for meter in METERS if meter.slug == slug)


def _anchor(slug: str) -> str:
    return f"[{_label(slug)}](#{slug})"


def _overview() -> str:
    lines = ["| Meter | Connected by | Gives | Usual settings | Sure |", "|---|---|---|---|---|"]
    for slug in slugs():
        profile = load_profile(slug)
        cells = (
            _anchor(slug),
            _TRANSPORTS[profile.transport],
            _gives(profile),
            _usual_settings(profile),
            profile.confidence.value,
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("| Modbus, user-defined (TCP) | as you describe it | | | |")
    return "\n".join(lines)


def _gives(profile: Profile) -> str:
    if profile.sunspec:
        return "V I± P ΣP E+ E- f No., as far as the meter has them"
    known = profile.capabilities
    signed = known.signed_current is not SignedCurrent.UNKNOWN
    words = {
        "V": known.has_phase_voltages,
        "I±": known.has_phase_currents and signed,
        "I": known.has_phase_currents and not signed,
        "P": known.has_phase_power,
        "ΣP": known.has_power,
        "E+": known.has_energy,
        "E-": known.has_export_energy,
        "f": known.has_frequency,
        "No.": known.has_serial_number,
    }
    return " ".join(word for word, given in words.items() if given)


def _usual_settings(profile: Profile) -> str:
    if profile.transport is Transport.SPEEDWIRE:
        return f"port {profile.port}"
    if profile.transport is Transport.TCP:
        return f"port {profile.port}, unit {profile.unit}"
    return f"{profile.baud} 8{_PARITIES[profile.parity]}{profile.stop_bits}, unit {profile.unit}"


def _section(slug: str) -> str:
    profile = load_profile(slug)
    lines = [
        f"## {_label(slug)} {{#{slug}}}",
        "",
        f"{profile.vendor} {profile.model}; short name `{slug}`",
        "",
    ]
    lines += [f"- {text}" for text in (*profile.set_up, *profile.notes)]
    lines += [f"- {text}" for text in _asking(profile)]
    lines += [f"- Sources: {'; '.join(profile.sources)}.", ""]
    twin = _same_as(profile)
    if twin:
        lines += [f"Registers as those of {_anchor(twin)}.", ""]
        lines += _identities(profile)
    elif profile.registers:
        lines += [
            "| Register | Function | Address | Type | Unit | Factor |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(profile, register) for register in profile.registers.values()]
        lines += _identities(profile)
    return "\n".join([*lines, ""])


def _asking(profile: Profile) -> list[str]:
    if profile.transport is Transport.SPEEDWIRE or profile.sunspec:
        return []
    fast, everything = (len(profile.blocks(what)) for what in (Refresh.FAST, Refresh.ALL))
    of_words = "low word first" if profile.word_order is WordOrder.LITTLE else "high word first"
    text = f"{fast} requests a second, {everything} with energy and frequency; {of_words}"
    found = [text.replace("1 requests", "1 request") + "."]
    for kind, codes in profile.invalid.items():
        digits = 4 * WORDS[kind]
        shown = ", ".join(f"0x{code:0{digits}X}" for code in sorted(codes))
        found.append(f"No value: {shown} ({kind.value}).")
    return found


def _same_as(profile: Profile) -> str:
    """An earlier meter with the very same registers."""
    for slug in slugs():
        if slug == profile.slug:
            return ""
        if profile.registers and load_profile(slug).registers == profile.registers:
            return slug
    return ""


def _row(profile: Profile, register: Register) -> str:
    if profile.transport is Transport.SPEEDWIRE:
        obis = ".".join(str(register.address >> shift & 0xFF) for shift in (16, 8, 0))
        where = ("", f"OBIS {obis}")
    else:
        where = (str(register.function), f"{register.address} (0x{register.address:04X})")
    factor = _factor(register.scale)
    if register.exponent is not None:
        factor += f", times 10 to the i16 at {register.exponent}"
    cells = (f"`{register.name}`", *where, register.type.value, UNITS[register.name], factor)
    return "| " + " | ".join(cells) + " |"


def _factor(scale: Fraction) -> str:
    if scale.denominator in (1, 10, 100, 1000, 10000):
        return f"{float(scale):g}" if scale.denominator > 1 else str(scale.numerator)
    return f"{scale.numerator}/{scale.denominator}"


def _identities(profile: Profile) -> list[str]:
    known = {"Serial number": profile.serial_number, "Model": profile.model_id}
    lines = [_identity(name, identity) for name, identity in known.items() if identity]
    return ["", *lines] if lines else []


def _identity(name: str, identity: Identity) -> str:
    register = identity.register
    models = ", ".join(str(model) for model in identity.models)
    return (
        f"- {name}: function {register.function}, {register.address} (0x{register.address:04X}), "
        f"{register.type.value} of {register.count} word{'s' * (register.count > 1)}"
        + (f": {models}" if models else "")
        + "."
    )


def mistakes() -> list[str]:
    """What is wrong with the descriptions, a sentence each."""
    found = []
    described, offered = {*profile_files(), USER_DEFINED}, {meter.slug for meter in METERS}
    found += [f"{slug}.toml: the settings do not offer it." for slug in sorted(described - offered)]
    found += [f"{slug} has no description in data/." for slug in sorted(offered - described)]
    for slug in slugs():
        try:
            profile = load_profile(slug)
        except (ProfileError, OSError) as error:
            found.append(f"{slug}.toml: {error}")
            continue
        if not profile.sources:
            found.append(f"{slug}.toml: no source.")
        texts = (*profile.notes, *profile.set_up)
        found += [f"{slug}.toml: no full stop: {text}" for text in texts if text[-1] != "."]
    parse_profile(EXAMPLE)
    return found


def main(arguments: list[str]) -> int:
    """Write the page, or check it; returns 1 if something is wrong."""
    wrong = mistakes()
    for sentence in wrong:
        print(sentence)
    if wrong:
        return 1
    wanted = page()
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
            print("docs/meters.md is out of date: run python -m tools.meter_profiles")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
