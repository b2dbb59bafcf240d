"""What pages show of an energy meter: values per phase, findings, guidance. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from borne.adapters.web.i18n import NARROW_SPACE, NO_BREAK, Words
from borne.adapters.web.meter_searches import MeterSearch
from borne.adapters.web.meter_tests import MeterTest
from borne.application.meters.meter_search import FoundMeter
from borne.application.meters.meter_trial import TrialResult
from borne.domain.help import meter_help
from borne.domain.meters.address import MeterAddress
from borne.domain.meters.findings import FindingCode
from borne.domain.meters.measurement import Measurement
from borne.domain.settings.catalogue.meter_profiles import PARITIES, PROFILES, USER_DEFINED
from borne.domain.settings.entry import Menu, MeterReach
from borne.domain.settings.meter_addresses import billing_meter, site_meter
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_

SECTION = "Meter"
"""The section of the settings that describes a meter, on two pages."""
PARTS = ("Config", "IP", "Port", "UnitId", "SerialPort", "BaudRate", "Parity")
"""The ends of the names of a meter's settings."""
BAUD_RATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
EXPORTS = 0.05
"""Smaller values, in A and in W, are neither import nor export."""
TODO: Mapping[FindingCode, str] = {
    FindingCode.WRONG_WORD_ORDER: N_("Compare the type with the plate of the meter."),
    FindingCode.SIGN_UNSURE: N_(
        "Check the direction of the current transformers, then test again."
    ),
    FindingCode.PHASE_ORDER: N_(
        "Check that each current transformer is on the phase whose voltage is measured beside it."
    ),
    FindingCode.IMPLAUSIBLE: N_(
        "Compare the type with the plate of the meter, and the ratio of its current transformers."
    ),
    FindingCode.NO_VOLTAGE: N_(
        "Compare the type with the plate of the meter, and check the fuses of its voltage taps."
    ),
}
"""What to do about a finding."""


@dataclass(frozen=True, slots=True)
class MeterSlot:
    """A meter of the settings: `key` is part of addresses of pages, `prefix` begins the names of
    its settings."""

    key: str
    prefix: str
    menu: Menu
    connector: int = 1

    def name(self, what: str) -> str:
        """The name of one of its settings, for example of "IP"."""
        ending = f"_{self.connector}" if self.connector > 1 else ""
        return f"{self.prefix}{what}{ending}"


SECOND = MeterSlot("second", "SecondMeter", Menu.LOAD_MANAGEMENT)


def slots(connectors: int) -> tuple[MeterSlot, ...]:
    """The meters of a station: the second one, and the OCPP meter of each socket."""
    billing = (
        MeterSlot("ocpp" if number == 1 else f"ocpp-{number}", "Meter", Menu.INSTALLATION, number)
        for number in range(1, connectors + 1)
    )
    return (SECOND, *billing)


def slot_of(key: str, connectors: int) -> MeterSlot | None:
    """The meter with that key."""
    return next((slot for slot in slots(connectors) if slot.key == key), None)


def changes_for(slot: MeterSlot, address: MeterAddress) -> dict[str, object]:
    """The values of the slot's settings for a meter at an address, by name."""
    found: dict[str, object] = {"Config": address.slug}
    match PROFILES[address.slug].reach:
        case MeterReach.LINE:
            found |= {"SerialPort": address.device, "UnitId": str(address.unit)}
            if address.device.startswith("/"):
                found |= {"BaudRate": str(address.baud), "Parity": address.parity.value}
        case MeterReach.NETWORK:
            port, unit = str(address.port), str(address.unit)
            found |= {"IP": address.host, "Port": port, "UnitId": unit}
        case _:
            found["IP"] = address.host
    return {slot.name(what): value for what, value in found.items()}


def address_of(slot: MeterSlot, settings: Settings) -> MeterAddress | None:
    """Type and place of a meter; None if there is none to ask."""
    if slot is SECOND:
        return site_meter(settings)
    return billing_meter(settings, slot.connector)


def address_text(address: MeterAddress, words: Words) -> str:
    """`192.168.1.50:502, unit id 1`."""
    unit = words("unit id {n}").format(n=address.unit)
    match _reach(address):
        case MeterReach.NETWORK:
            host = f"[{address.host}]" if ":" in address.host else address.host or "–"
            return f"{host}:{address.port}, {unit}"
        case MeterReach.LINE if "://" in address.device:
            return f"{address.device}, {unit}"
        case MeterReach.LINE:
            speed = f"{address.baud}{NARROW_SPACE}Bd"
            return f"{address.device or '–'}, {speed}, {words(PARITIES[address.parity])}, {unit}"
        case MeterReach.MULTICAST:
            return address.host or words("multicast in the network")
        case _:
            return ""


def _reach(address: MeterAddress) -> MeterReach:
    return PROFILES[address.slug].reach


def type_name(slug: str, words: Words) -> str:
    """The manual's label of a type."""
    profile = PROFILES.get(slug)
    return words(profile.label) if profile else slug


# Values -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """The values of one phase."""

    name: str
    voltage: str
    current: str
    power: str
    direction: str


@dataclass(frozen=True, slots=True)
class MeterValues:
    """A measurement, formatted."""

    rows: tuple[PhaseRow, ...]
    facts: tuple[tuple[str, str], ...]


def direction_of(value: float | None, words: Words) -> str:
    """The sign of a power or current, in words; empty for nothing."""
    if value is None or abs(value) < EXPORTS:
        return ""
    return words("imports") if value > 0 else words("exports")


def values_of(measurement: Measurement, age_s: float | None, words: Words) -> MeterValues:
    """All values of a measurement."""
    rows = [
        PhaseRow(
            f"L{number}",
            _volts(volts, words),
            words.amps(_plain(amps, 1)),
            words.power(_plain(watts)),
            direction_of(watts if watts is not None else amps, words),
        )
        for number, volts, amps, watts in zip(
            (1, 2, 3),
            measurement.voltage_v,
            measurement.current_a,
            measurement.power_w,
            strict=True,
        )
    ]
    total = words.power(_plain(measurement.power_total_w))
    direction = direction_of(measurement.power_total_w, words)
    facts = [
        (words("Total power"), f"{total} · {direction}" if direction else total),
        (words("Imported energy"), words.energy(measurement.import_wh)),
        (words("Exported energy"), words.energy(measurement.export_wh)),
        (words("Frequency"), _hertz(measurement.frequency_hz, words)),
        (words("Age of the values"), age_text(age_s, words)),
        (words("Serial number"), measurement.serial_number or words("not given by the meter")),
    ]
    return MeterValues(tuple(rows), tuple(facts))


def _plain(value: float | None, digits: int = 0) -> float | None:
    """Rounded, and never a negative zero."""
    return None if value is None else round(value, digits) + 0.0


def _volts(value: float | None, words: Words) -> str:
    return "–" if value is None else f"{words.number(value, 1)}{NARROW_SPACE}V"


def _hertz(value: float | None, words: Words) -> str:
    return "–" if value is None else f"{words.number(value, 2)}{NARROW_SPACE}Hz"


def age_text(age_s: float | None, words: Words) -> str:
    """`3 s`, or in minutes and longer from a minute on."""
    if age_s is None:
        return "–"
    if age_s < 60:
        return f"{words.number(max(0.0, age_s))}{NARROW_SPACE}s"
    return words.duration(age_s)


def currents_text(current_a: Sequence[float | None], words: Words) -> str:
    """`12.3 A, 8.1 A, -3.0 A (exports)`."""
    return ", ".join(signed_text(value, words) for value in current_a)


def signed_text(value: float | None, words: Words) -> str:
    """`-3.0 A (exports)`."""
    text = words.amps(_plain(value, 1))
    exports = value is not None and value <= -EXPORTS
    return f"{text}{NO_BREAK}({words('exports')})" if exports else text


# The live test ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding in words, and what to do."""

    text: str
    todo: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel of a live test."""

    lease: str
    """Empty: the test is over."""
    icon: str
    tone: str
    heading: str
    tried: str
    error: str
    values: MeterValues | None
    findings: tuple[FindingLine, ...]
    checks: tuple[str, ...]


_STATES: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("refresh-cw", "checking", N_("Reading the meter …")),
    "good": ("circle-check", "available", N_("The meter answers.")),
    "doubt": ("triangle-alert", "warn", N_("The meter answers, but something is in doubt.")),
    "silent": ("circle-x", "fault", N_("The meter does not answer.")),
    "other-type": ("circle-x", "fault", N_("The meter answers, but not as this type.")),
    "broken": ("circle-x", "fault", N_("The test could not be carried out.")),
    "ended": ("circle-minus", "off", N_("The test has ended without an answer.")),
}


def panel_of(test: MeterTest, now_s: float, words: Words) -> Panel:
    """The panel of a test as it is now."""
    state = _state_of(test)
    icon, tone, heading = _STATES[state]
    result, address = test.result, test.address
    tried = f"{type_name(address.slug, words)} · {address_text(address, words)}"
    return Panel(
        "" if test.is_over else test.lease,
        icon,
        tone,
        words(heading),
        tried,
        result.error.render(words) if result is not None and result.error else "",
        _values(result, now_s - test.result_at_s, words),
        _findings(result, words),
        tuple(map(words, meter_help.CHECKS.get(_reach(address), ()))) if state == "silent" else (),
    )


def _state_of(test: MeterTest) -> str:
    if test.failed:
        return "broken"
    if test.result is None:
        return "ended" if test.is_over else "waiting"
    if not test.result.was_asked:
        return "broken"
    if not test.result.measurements:
        return "other-type" if test.result.is_other_type else "silent"
    return "good" if test.result.good else "doubt"


def _values(result: TrialResult | None, since_s: float, words: Words) -> MeterValues | None:
    if result is None or not result.measurements:
        return None
    age_s = None if result.age_s is None else result.age_s + since_s
    return values_of(result.measurements[-1], age_s, words)


def _findings(result: TrialResult | None, words: Words) -> tuple[FindingLine, ...]:
    if result is None:
        return ()
    return tuple(
        FindingLine(finding.text.render(words), words(TODO[finding.code]))
        for finding in result.findings
    )


# On the pages of the settings ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeterCard:
    """What stands below the settings of a meter."""

    key: str
    button: str
    notes: tuple[str, ...]
    guide_title: str
    guide: tuple[str, ...]
    missing: str
    """What a test lacks; empty: it can begin."""
    panel: Panel | None


def card_of(
    slot: MeterSlot, settings: Settings, panel: Panel | None, words: Words
) -> MeterCard | None:
    """Guidance for the chosen type, and the test; None if there is no meter to ask."""
    address = address_of(slot, settings)
    if address is None:
        return None
    setup = meter_help.SETUPS.get(address.slug)
    button = words("Test this meter")
    if slot is not SECOND and settings.facts.connectors > 1:
        button = words("Test the meter of socket {n}").format(n=slot.connector)
    missing = "" if meter_help.is_complete(address) else meter_help.MISSING[_reach(address)]
    notes = map(words, meter_help.NOTES.get(address.slug, ()))
    return MeterCard(
        slot.key,
        button,
        tuple(filter(None, (*notes, _usual(address, words)))),
        words(setup.title) if setup else "",
        tuple(map(words, (setup.introduction, *setup.steps))) if setup else (),
        words(missing),
        panel,
    )


def _usual(address: MeterAddress, words: Words) -> str:
    """What is usual for the type, where the settings have something else; else empty."""
    reach = _reach(address)
    if address.slug == USER_DEFINED or reach not in {MeterReach.NETWORK, MeterReach.LINE}:
        return ""
    from borne.protocols.meter_profiles import load_profile

    profile = load_profile(address.slug)
    expected: list[tuple[object, object, str]] = [
        (address.unit, profile.unit, words("unit id {n}").format(n=profile.unit))
    ]
    if reach is MeterReach.LINE and "://" not in address.device:
        speed = f"{profile.baud}{NARROW_SPACE}Bd"
        expected.insert(0, (address.parity, profile.parity, words(PARITIES[profile.parity])))
        expected.insert(0, (address.baud, profile.baud, speed))
    if all(typed == usual for typed, usual, _ in expected):
        return ""
    text = words("Usual for this type: {settings}. What is set at the meter counts.")
    return text.format(settings=", ".join(name for _, _, name in expected))


def address_warnings(settings: Settings, words: Words) -> dict[str, str]:
    """Warnings beside settings, by their names."""
    return {
        slot.name("IP"): words(meter_help.LEASED)
        for slot in slots(settings.facts.connectors)
        if meter_help.is_leased(settings.text(f"{slot.prefix}IP", slot.connector))
    }


# The search ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A meter that was found, and the buttons that choose it: label and address of the page."""

    name: str
    place: str
    values: str
    doubt: str
    buttons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SearchView:
    """A search for meters as the page shows it."""

    lease: str
    """Empty: it is over."""
    state: str
    done: int
    total: int
    rows: tuple[FoundRow, ...]
    problem: str


def search_view(search: MeterSearch, chosen: Sequence[MeterSlot], words: Words) -> SearchView:
    """Progress and results; `chosen` are the meters of the page."""
    progress = search.progress
    done, total = (progress.done, progress.total) if progress else (0, 1)
    return SearchView(
        "" if search.is_over else search.lease,
        _search_state(search, words),
        done,
        max(1, total),
        tuple(
            _found_row(number, found, chosen, words) for number, found in enumerate(search.found)
        ),
        search.problem.render(words) if search.problem else "",
    )


def _search_state(search: MeterSearch, words: Words) -> str:
    progress = search.progress
    if not search.is_over:
        if progress is None:
            return words("Searching …")
        text = words("{done} of {total} places asked, now {where}")
        return text.format(done=progress.done, total=progress.total, where=progress.where)
    number = len(search.found)
    found = words.plural("{n} meter found.", "{n} meters found.", number)
    if search.complete:
        return found
    return f"{words('The search was ended early.')} {found}"


def _found_row(
    number: int, found: FoundMeter, chosen: Sequence[MeterSlot], words: Words
) -> FoundRow:
    others = ", ".join(type_name(slug, words) for slug in found.others)
    doubt = "" if found.sure else words("Compare with the plate of the meter.")
    if others:
        doubt = " ".join(
            filter(None, (words("Could also be: {types}.").format(types=others), doubt))
        )
    label = words("Use") if len(chosen) == 1 else words("Use for socket {n}")
    serial_number = found.measurement.serial_number
    return FoundRow(
        type_name(found.address.slug, words),
        " · ".join(filter(None, (address_text(found.address, words), serial_number))),
        currents_text(found.measurement.current_a, words),
        doubt,
        tuple(
            (label.format(n=slot.connector), f"/meters/{slot.key}/use/{number}") for slot in chosen
        ),
    )
