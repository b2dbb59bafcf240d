"""Builds the driver of a meter from its address."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from borne.adapters.meters.billing_meter import ALL_PHASES, BillingMeter
from borne.adapters.meters.endpoints import BadAddress, endpoint_of
from borne.adapters.meters.modbus_meter import ENERGY_EVERY, ModbusMeter
from borne.adapters.meters.speedwire import SpeedwireMeter
from borne.domain.meters.address import MeterAddress
from borne.foundation.messages import N_, Message
from borne.protocols.meter_profiles import Profile, Transport, load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Framing, TcpEndpoint
from borne.protocols.modbus.job_queue import Priority

UNKNOWN_TYPE = N_("There is no meter type {slug}.")
BAD_UNIT = N_("A serial line has no unit {unit}: unit ids are 1 to 247.")
MAX_UNIT = 247
NO_IP_ADDRESS = N_("{host} is no IP address such as 192.168.1.20, which a Speedwire meter needs.")
NO_REGISTERS = N_("The registers of {model} are not known: describe them as a user-defined meter.")

FieldMeter = ModbusMeter | SpeedwireMeter


def build_meter(
    address: MeterAddress,
    buses: Buses,
    *,
    profile: Profile | None = None,
    energy_every: int = ENERGY_EVERY,
    priority: Priority = Priority.READ,
) -> FieldMeter:
    """The meter at an address, not started yet. `profile` replaces the one of the address's type,
    for a user-defined meter; `priority` is that of its requests. Raises BadAddress."""
    profile = profile or _profile(address.slug)
    if profile.transport is Transport.SPEEDWIRE:
        return SpeedwireMeter(address.serial_number, _ip_address(address.host))
    if not (profile.registers or profile.sunspec):
        raise BadAddress(Message(NO_REGISTERS, {"model": f"{profile.vendor} {profile.model}"}))
    on_line = profile.transport is Transport.RTU
    endpoint = endpoint_of(address, on_line=on_line, stop_bits=profile.stop_bits)
    if not (isinstance(endpoint, TcpEndpoint) and endpoint.framing is Framing.TCP):
        _check_unit(address.unit)
    return ModbusMeter(
        profile, address.unit, endpoint, buses, energy_every=energy_every, priority=priority
    )


def build_billing_meter(
    address: MeterAddress,
    buses: Buses,
    *,
    phases: Sequence[int] = ALL_PHASES,
    profile: Profile | None = None,
) -> BillingMeter:
    """The billing meter at an address: each poll reads the energy. Raises BadAddress."""
    return BillingMeter(build_meter(address, buses, profile=profile, energy_every=1), phases)


def _ip_address(host: str) -> str:
    """Packets come from an address: a name would have to be looked up for each."""
    if host and not _is_ipv4(host):
        raise BadAddress(Message(NO_IP_ADDRESS, {"host": host}))
    return host


def _is_ipv4(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _check_unit(unit: int) -> None:
    """Unit 0 of a serial line is a broadcast, which nothing answers."""
    if not 1 <= unit <= MAX_UNIT:
        raise BadAddress(Message(BAD_UNIT, {"unit": unit}))


def _profile(slug: str) -> Profile:
    try:
        return load_profile(slug)
    except KeyError:
        raise BadAddress(Message(UNKNOWN_TYPE, {"slug": slug})) from None
