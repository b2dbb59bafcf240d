"""Where the settings say that the meters are (manual 7.4.2, 7.5)."""

from __future__ import annotations

from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.settings.catalogue.meter_profiles import INTERNAL_METER, NO_METER, PROFILES
from borne.domain.settings.choices import DlmRole
from borne.domain.settings.entry import MeterReach
from borne.domain.settings.snapshot import Settings

BILLING_KEYS = (
    "MeterConfig",
    "MeterIP",
    "MeterPort",
    "MeterUnitId",
    "MeterSerialPort",
    "MeterBaudRate",
    "MeterParity",
)
SITE_KEYS = ("DLMExternalMeterSupport", *(f"Second{key}" for key in BILLING_KEYS))


def is_without_meter(settings: Settings, connector: int) -> bool:
    """True if the socket is set to have no meter, so that nothing is billed."""
    return settings.get("MeterConfig", connector) == NO_METER.slug


def billing_meter(settings: Settings, connector: int) -> MeterAddress | None:
    """The OCPP meter of a socket; None for the one inside the station, or for none."""
    slug = settings.text("MeterConfig", connector)
    if slug in {NO_METER.slug, INTERNAL_METER.slug}:
        return None
    return _address(settings, "", connector)


def has_site_meter(settings: Settings) -> bool:
    """Whether external meter support is on; a slave leaves the meter to its master."""
    slave = settings.choice("DLMRole", DlmRole) in {DlmRole.SLAVE_AUTO, DlmRole.SLAVE_FIXED}
    return settings.flag("DLMExternalMeterSupport") and not slave


def site_meter(settings: Settings) -> MeterAddress | None:
    """The second meter; None if external meter support is off."""
    if not has_site_meter(settings):
        return None
    return _address(settings, "Second", 1)


def _address(settings: Settings, prefix: str, connector: int) -> MeterAddress:
    slug = settings.text(f"{prefix}MeterConfig", connector)
    host = settings.text(f"{prefix}MeterIP", connector)
    match PROFILES[slug].reach:
        case MeterReach.NETWORK:
            port = settings.integer(f"{prefix}MeterPort", connector)
            unit = settings.integer(f"{prefix}MeterUnitId", connector)
            return MeterAddress(slug, host=host, port=port, unit=unit)
        case MeterReach.LINE:
            return MeterAddress(
                slug,
                unit=settings.integer(f"{prefix}MeterUnitId", connector),
                device=settings.text(f"{prefix}MeterSerialPort", connector),
                baud=settings.integer(f"{prefix}MeterBaudRate", connector),
                parity=settings.choice(f"{prefix}MeterParity", Parity, connector),
            )
        case _:
            return MeterAddress(slug, host=host)
