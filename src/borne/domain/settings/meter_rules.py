"""Rules between the settings of the meters (manual 7.4.2, 7.5)."""

from __future__ import annotations

from collections.abc import Iterator

from borne.domain.meters.address import MeterAddress
from borne.domain.settings.addressing import full_name
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.catalogue.meter_profiles import METERS, PARITIES, PROFILES
from borne.domain.settings.choices import OffOn
from borne.domain.settings.entry import MeterReach
from borne.domain.settings.meter_addresses import billing_meter, site_meter
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message

Findings = Iterator[tuple[str, Message]]


def meter_address_missing(settings: Settings) -> Findings:
    """A meter outside the station needs an address. Without one, the second meter is the one that
    comes with the plant."""
    for connector, meter in _billing_meters(settings):
        yield from _missing(meter, "", connector)
    second = site_meter(settings)
    if second is not None and PROFILES[second.slug].reach is MeterReach.LINE:
        yield from _missing(second, "Second", 1)


def _missing(meter: MeterAddress, prefix: str, connector: int) -> Findings:
    reach = PROFILES[meter.slug].reach
    if reach is MeterReach.NETWORK and not meter.host:
        text = N_("Enter the IP address of the meter, as its display or manual shows it.")
        yield _name(f"{prefix}MeterIP", connector), Message(text)
    elif reach is MeterReach.LINE and not meter.device:
        text = N_("Enter the serial port that the meter is wired to.")
        yield _name(f"{prefix}MeterSerialPort", connector), Message(text)


def meter_named_twice(settings: Settings) -> Findings:
    """Two sockets on one meter would both bill the energy of both."""
    seen: list[tuple[int, MeterAddress]] = []
    for connector, meter in _billing_meters(settings):
        number = next((number for number, other in seen if _is_same(meter, other)), None)
        if number is not None:
            multicast = PROFILES[meter.slug].reach is MeterReach.MULTICAST
            text = N_("This is the meter of socket {number}: both would bill the same energy.")
            key = "MeterIP" if multicast else "MeterUnitId"
            yield _name(key, connector), Message(text, {"number": number})
        seen.append((connector, meter))


def _is_same(one: MeterAddress, other: MeterAddress) -> bool:
    """Whether two addresses may be those of one meter."""
    if MeterReach.MULTICAST in {PROFILES[one.slug].reach, PROFILES[other.slug].reach}:
        # Without an address, the first Speedwire meter that sends is used.
        return one.slug == other.slug and (one.host == other.host or not (one.host and other.host))
    return _port_of(one) == _port_of(other) != "" and one.unit == other.unit


def _port_of(meter: MeterAddress) -> str:
    """A gateway is one port, in whatever way it is named; "" where none is set."""
    if meter.host:
        return f"[{meter.host}]:{meter.port}" if ":" in meter.host else f"{meter.host}:{meter.port}"
    kind, separator, place = meter.device.partition("://")
    return place.lower() if separator else kind


def line_with_two_speeds(settings: Settings) -> Findings:
    """All devices of a serial line have one baud rate and parity."""
    meters = [("", connector, meter) for connector, meter in _billing_meters(settings)]
    second = site_meter(settings)
    if second is not None:
        meters.append(("Second", 1, second))
    lines: dict[str, MeterAddress] = {}
    for prefix, connector, meter in meters:
        if not meter.device.startswith("/dev/"):
            continue
        first = lines.setdefault(meter.device, meter)
        parity = Message(PARITIES[first.parity])
        values = {"port": meter.device, "baud": first.baud, "parity": parity}
        if first.baud != meter.baud:
            text = N_("Another meter uses {port} at {baud} Bd: a bus has one speed.")
            yield _name(f"{prefix}MeterBaudRate", connector), Message(text, values)
        if first.parity is not meter.parity:
            text = N_("Another meter uses {port} with parity {parity}: a bus has one parity.")
            yield _name(f"{prefix}MeterParity", connector), Message(text, values)


def site_meter_without_phases(settings: Settings) -> Findings:
    """A sum does not guard the fuses of three phases."""
    second = site_meter(settings)
    if second is not None and not PROFILES[second.slug].per_phase:
        text = N_(
            "This meter tells no currents per phase, so it cannot guard the fuses of the building."
        )
        yield "SecondMeterConfig", Message(text)


def site_meter_without_input(settings: Settings) -> Findings:
    """Only some meters have a digital input that can be read (manual 7.4.2)."""
    second = site_meter(settings)
    used = settings.choice("DLMMeterDigitalInputConfig", OffOn) is OffOn.ON
    if second is not None and used and not PROFILES[second.slug].digital_input:
        known = [Message(one.label) for one in METERS if one.digital_input]
        text = N_("The digital input of this meter cannot be read; it can with: {first}; {second}.")
        values = {"first": known[0], "second": known[1]}
        yield "DLMMeterDigitalInputConfig", Message(text, values)


def _billing_meters(settings: Settings) -> Iterator[tuple[int, MeterAddress]]:
    for connector in range(1, settings.facts.connectors + 1):
        meter = billing_meter(settings, connector)
        if meter is not None:
            yield connector, meter


def _name(key: str, connector: int) -> str:
    return full_name(CATALOGUE.settings[key], connector)
