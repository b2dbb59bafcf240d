"""Meter types that the settings offer: slug, label, and how the meter is reached.

The register maps belong to `borne.protocols.meter_profiles`; the slugs are what both agree on.
"""

from __future__ import annotations

from typing import NamedTuple

from borne.domain.meters.address import Parity
from borne.domain.settings.entry import Choice, MeterReach
from borne.foundation.messages import N_


class MeterProfile(NamedTuple):
    """A type of meter."""

    slug: str
    label: str
    reach: MeterReach
    per_phase: bool = True
    """It tells the current of each phase, as the meter of the site must."""
    digital_input: bool = False
    """The state of its digital input can be read."""


USER_DEFINED = "user_defined"
"""Its registers are described in a file of the operator."""
NO_METER = MeterProfile("no_meter", N_("No meter"), MeterReach.NONE)
INTERNAL_METER = MeterProfile("internal_meter", N_("Internal meter"), MeterReach.NONE)


def _tcp(
    slug: str, name: str, *, per_phase: bool = True, digital_input: bool = False
) -> MeterProfile:
    return MeterProfile(slug, f"{name} (TCP)", MeterReach.NETWORK, per_phase, digital_input)


def _rtu(slug: str, name: str, *, per_phase: bool = True) -> MeterProfile:
    return MeterProfile(slug, f"{name} (RTU)", MeterReach.LINE, per_phase)


METERS = (
    _tcp("siemens_7km2200", "Modbus Siemens 7KM2200", digital_input=True),
    _tcp("tq_em300", "Modbus B-Control EM300-LR"),
    _tcp("phoenix_eem_mb371", "Phoenix Contact EEM-MB371 / EEM-MB370"),
    _tcp("kostal_ksem", "Modbus TQ EM300-LR / KOSTAL KSEM"),
    _tcp("tq_em420", "Modbus TQ EM410 / EM420"),
    _tcp("janitza_umg", "Modbus Janitza UMG"),
    MeterProfile(
        "janitza_umg604_alt", N_("Modbus Janitza UMG 604 (own map) (TCP)"), MeterReach.NETWORK
    ),
    _tcp("cg_em24_e1", "Modbus Carlo Gavazzi EM24 E1"),
    _tcp("algodue_uem", "Modbus Algodue UEM40 / UEM80"),
    _tcp("sma_hm2_modbus", "Modbus SMA Sunny Home Manager 2.0", per_phase=False),
    MeterProfile("sunspec_meter", N_("Modbus SunSpec meter (TCP)"), MeterReach.NETWORK),
    MeterProfile(
        USER_DEFINED, N_("Modbus, user-defined (TCP)"), MeterReach.NETWORK, digital_input=True
    ),
    MeterProfile("sma_speedwire", "SMA Speedwire (multicast)", MeterReach.MULTICAST),
    _rtu("siemens_7kt1665", "Modbus Siemens 7KT1665"),
    _rtu("cg_em24", "Modbus Carlo Gavazzi EM24"),
    _rtu("cg_em340", "Modbus Carlo Gavazzi EM330 / EM340 / EM530 / EM540"),
    _rtu("eastron_sdm630", "Modbus Eastron SDM630"),
    _rtu("eastron_sdm72v2", "Modbus Eastron SDM72D-M v2"),
    _rtu("eastron_sdm72", "Modbus Eastron SDM72D-M", per_phase=False),
    _rtu("abb_b23", "Modbus ABB B21 / B23 / B24"),
    _rtu("schneider_iem3x55", "Modbus Schneider Electric iEM3155 / iEM3255"),
    _rtu("inepro_pro380", "Modbus Inepro PRO380"),
    _rtu("klefr_693x", "Modbus KLEFR 693x"),
    _rtu("wago_879", "Modbus WAGO 879"),
    _rtu("dzg_dvh4013", "Modbus DZG DVH4013"),
    _rtu("lovato_dmg", "Modbus Lovato DMG"),
    _rtu("iskra_wm3", "Modbus Iskra WM3"),
    _rtu("socomec_countis", "Modbus Socomec COUNTIS / DIRIS A"),
    _rtu("socomec_diris_b30", "Modbus Socomec DIRIS B30"),
    _rtu("saia_ale3", "Modbus Saia ALE3"),
)

PROFILES = {profile.slug: profile for profile in (NO_METER, INTERNAL_METER, *METERS)}


def _choices(profiles: tuple[MeterProfile, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(p.slug, p.label, number) for number, p in enumerate(profiles))


BILLING_CHOICES = _choices((NO_METER, INTERNAL_METER, *METERS))
SITE_CHOICES = _choices(METERS)

PARITIES = {
    Parity.NONE: N_("None (8N1)"),
    Parity.EVEN: N_("Even (8E1)"),
    Parity.ODD: N_("Odd (8O1)"),
}
SERIAL_PORT_HELP = N_(
    "Only for meters on a serial bus: /dev/ttyUSB0, rtu://HOST:PORT for a bus behind a transparent "
    "gateway, tcp://HOST:PORT for one behind a Modbus TCP gateway."
)
