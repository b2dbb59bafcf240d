"""What to know before a meter answers, and what to check when it does not (manual 1.4, 7.5).

Data for pages, in English and marked for translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from borne.domain.meters.address import MeterAddress
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.entry import MeterReach
from borne.foundation.messages import N_


def is_complete(address: MeterAddress) -> bool:
    """True if the address tells where the meter is."""
    match PROFILES[address.slug].reach:
        case MeterReach.NETWORK:
            return bool(address.host)
        case MeterReach.LINE:
            return bool(address.device)
        case MeterReach.MULTICAST:
            return True
        case _:
            return False


MISSING: Mapping[MeterReach, str] = MappingProxyType(
    {
        MeterReach.NETWORK: N_("Enter the IP address of the meter first."),
        MeterReach.LINE: N_("Enter the serial port of the meter first."),
    }
)
"""What a test lacks."""

CHECKS: Mapping[MeterReach, tuple[str, ...]] = MappingProxyType(
    {
        MeterReach.NETWORK: (
            N_("Is the meter's display on, and is the lamp at its Ethernet socket lit?"),
            N_("Compare the IP address with the one that the meter shows in its display or menu."),
            N_(
                "Is the station in the same network? The first three numbers of both addresses are "
                "usually the same."
            ),
            N_("Is Modbus TCP switched on in the meter? The port is usually 502."),
            N_(
                "Some meters answer one or two devices only: is an energy manager connected to it "
                "already?"
            ),
            N_("Compare unit id and type with those of the meter."),
        ),
        MeterReach.LINE: (
            N_("Is the meter's display on? Otherwise it has no supply."),
            N_("Does the serial port exist, and does no other program use it?"),
            N_("Exchange the wires A and B: this does no harm, and names differ between makers."),
            N_("Compare baud rate and parity with the menu of the meter."),
            N_(
                "Compare the unit id with that of the meter. Every device on the line needs its "
                "own."
            ),
            N_("Is the line terminated with 120 Ω at both ends, and nowhere else?"),
        ),
        MeterReach.MULTICAST: (
            N_("Is the meter's display on, and is the lamp at its Ethernet socket lit?"),
            N_("Is the station in the same network, without a router in between?"),
            N_("Do all switches and access points in between forward multicast (IGMP)?"),
        ),
    }
)
"""What to check when a meter does not answer, in this order."""

_SWITCH_ON = N_("Modbus TCP must be switched on in the web page of the meter.")
NOTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tq_em300": (_SWITCH_ON,),
        "kostal_ksem": (_SWITCH_ON,),
        "user_defined": (
            N_("Describe its registers in the file user_defined_meter.toml of the data folder."),
        ),
        "sma_speedwire": (
            N_(
                "It sends its values to everybody in the network. An address is needed only where "
                "there are several such meters."
            ),
        ),
    }
)
"""What to know about a type of meter, by its slug."""


@dataclass(frozen=True, slots=True)
class MeterSetup:
    """A guide that stands below the type."""

    title: str
    introduction: str
    steps: tuple[str, ...]


SETUPS: Mapping[str, MeterSetup] = MappingProxyType(
    {
        "phoenix_eem_mb371": MeterSetup(
            N_("How the EEM-MB371 gets an address of your network"),
            N_("It leaves the factory with the fixed address 192.168.1.2."),
            (
                N_("Connect a laptop to the meter with a network cable."),
                N_(
                    "Give the laptop the address 192.168.1.10 and the subnet mask 255.255.255.0 "
                    "for as long as this takes."
                ),
                N_("Open http://192.168.1.2 in the browser, and there “Network”, then “Settings”."),
                N_(
                    "Set the mode to “Dynamic (DHCP)”, or enter a fixed address in the network of "
                    "the charging stations. Where the master serves DHCP: 172.16.23.2 to "
                    "172.16.23.99."
                ),
                N_("Save, and switch the meter off and on again."),
                N_(
                    "Connect the meter to the network of the station, and enter its address here; "
                    "with DHCP the router or “Find meters” shows it."
                ),
            ),
        )
    }
)
"""Guides, by the slug of the type (manual 7.5)."""

LEASED = N_(
    "The master may give this address to a charging station: its DHCP server uses 172.16.23.100 to "
    "172.16.23.254. Give the meter a fixed address from 172.16.23.2 to 172.16.23.99."
)
"""Warning for an address that the master's DHCP server gives away (manual 1.4)."""
_LEASED_NETWORK, _FIRST_LEASED, _LAST_LEASED = "172.16.23.", 100, 254


def is_leased(host: str) -> bool:
    """True if the master's DHCP server gives this address to clients."""
    last = host.removeprefix(_LEASED_NETWORK)
    if last == host or not (last.isascii() and last.isdigit() and len(last) <= 3):
        return False
    return _FIRST_LEASED <= int(last) <= _LAST_LEASED
