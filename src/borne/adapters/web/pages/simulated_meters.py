"""The card "Meters" of the simulator page: energy meters that other programs read."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from borne.adapters.web.i18n import Words
from borne.application.ports.simulator import MeterValues, ServedMeterView, WorldView
from borne.domain.meters.address import MeterAddress
from borne.domain.settings.catalogue.meter_profiles import METERS, PROFILES, USER_DEFINED
from borne.domain.settings.entry import MeterReach
from borne.foundation.messages import N_

FAULTS: dict[str, str] = {
    "silent": N_("silent"),
    "slow": N_("slow"),
    "exception": N_("refuses every request"),
    "wrong-unit": N_("answers for another unit"),
    "garbage": N_("sends garbage"),
    "frozen": N_("values stand still"),
}
STATES: dict[str, tuple[str, str]] = {
    "starting": ("", N_("starts")),
    "serving": ("ok", N_("in operation")),
    "failed": ("fault", N_("not available")),
}
"""Tone and word of a state."""


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter of the list."""

    id: str
    label: str
    source: str
    address: str
    tone: str
    state: str
    note: str
    fault: str
    facts: tuple[tuple[str, str], ...]
    usage: str
    readable: bool
    """The station itself can use it as its second meter."""


def meter_rows(view: WorldView, words: Words) -> list[MeterRow]:
    """The served meters with their present values."""
    return [_row(meter, words) for meter in view["meters"]]


def source_names(view: WorldView, words: Words) -> dict[str, str]:
    """What a meter can measure, by its name in the API."""
    numbers = [socket["id"] for socket in view["sockets"]]
    return {
        name: source_name(name, words)
        for name in ("site", "building", *(f"socket-{number}" for number in numbers))
    }


def source_name(source: str, words: Words) -> str:
    """What a meter measures, for users."""
    if source == "site":
        return words("Grid connection (with the sockets)")
    if source == "building":
        return words("Building (without the sockets)")
    return words("Socket {n}").format(n=source.rpartition("-")[2])


def meter_types() -> list[tuple[str, str]]:
    """Slug and label of each type that can be added."""
    return [(meter.slug, meter.label) for meter in METERS if meter.slug != USER_DEFINED]


def address_of(meter: ServedMeterView) -> MeterAddress:
    """Where a station on this machine reads the meter."""
    slug, unit = meter["type"], meter["unit"]
    host = "127.0.0.1" if _is_everywhere(meter["host"]) else meter["host"]
    match PROFILES[slug].reach:
        case MeterReach.LINE if meter["serial"]:
            return MeterAddress(slug, device=meter["address"], unit=unit)
        case MeterReach.LINE:
            device = f"{meter['framing']}://{host}:{meter['port']}"
            return MeterAddress(slug, device=device, unit=unit)
        case MeterReach.NETWORK:
            return MeterAddress(slug, host=host, port=meter["port"], unit=unit)
        case _:
            return MeterAddress(slug)


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def is_readable(meter: ServedMeterView) -> bool:
    """Whether the settings can name it: a type with "(TCP)" is read by plain Modbus TCP."""
    if meter["state"] != "serving":
        return False
    plain = meter["framing"] == "tcp" and not meter["serial"]
    return plain or PROFILES[meter["type"]].reach is not MeterReach.NETWORK


def _row(meter: ServedMeterView, words: Words) -> MeterRow:
    tone, state = STATES[meter["state"]]
    values, label, fault = meter["values"], meter["label"], meter["fault"]
    return MeterRow(
        id=meter["id"],
        label=words(label),
        source=source_name(meter["source"], words),
        address=_address(meter, words),
        tone="fault" if fault else tone,
        state=words(FAULTS[fault]) if fault else words(state),
        note=meter["note"],
        fault=fault or "",
        facts=_facts(values, words) if values else (),
        usage=_usage(meter, words),
        readable=is_readable(meter),
    )


def _has_unit(meter: ServedMeterView) -> bool:
    return meter["type"] != "sma_speedwire"


def _address(meter: ServedMeterView, words: Words) -> str:
    parts = [meter["address"]] if meter["address"] else []
    if parts and _has_unit(meter):
        parts.append(words("unit {n}").format(n=meter["unit"]))
        if meter["framing"] == "rtu" and not meter["serial"]:
            parts.append(words("RTU frames"))
    return ", ".join(parts)


def _usage(meter: ServedMeterView, words: Words) -> str:
    number, client = meter["requests"], meter["last_client"]
    if not _has_unit(meter):
        return words.plural("{n} packet sent", "{n} packets sent", number)
    asked = words.plural("{n} request", "{n} requests", number)
    return (
        f"{asked}, {words(N_('last from {address}')).format(address=client)}" if client else asked
    )


def _facts(values: MeterValues, words: Words) -> tuple[tuple[str, str], ...]:
    return (
        (words("Current"), f"{_phases(values['current_a'], words, 1)} A"),
        (words("Voltage"), f"{_phases(values['voltage_v'], words, 0)} V"),
        (words("Power"), words.power(values["power_total_w"])),
        (words("Import"), words.energy(values["import_wh"])),
        (words("Export"), words.energy(values["export_wh"])),
    )


def _phases(values: Sequence[float | None], words: Words, digits: int) -> str:
    return " / ".join("–" if value is None else words.number(value, digits) for value in values)
