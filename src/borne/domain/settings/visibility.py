"""Whether an entry is shown, depending on other settings and the hardware."""

from __future__ import annotations

from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.entry import (
    AnyOf,
    Condition,
    Connectors,
    Entry,
    Feature,
    HardwareFacts,
    Has,
    Is,
    IsNot,
    MeterReachedBy,
    SettingScope,
)
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message


def holds(condition: Condition, settings: Settings, connector: int = 1) -> bool:
    """True if the condition holds for that connector."""
    match condition:
        case Has(feature):
            return feature in settings.facts.features
        case Connectors(number):
            return settings.facts.connectors == number
        case Is(key, slugs):
            return _slug(settings, key, connector) in slugs
        case IsNot(key, slug):
            return _slug(settings, key, connector) != slug
        case AnyOf(conditions):
            return any(holds(each, settings, connector) for each in conditions)
        case MeterReachedBy(key, ways):
            return PROFILES[_slug(settings, key, connector)].reach in ways


def _slug(settings: Settings, key: str, connector: int) -> str:
    per_connector = CATALOGUE.settings[key].scope is SettingScope.CONNECTOR
    value = settings.get(key, connector if per_connector else 1)
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def visible(entry: Entry, settings: Settings, connector: int = 1) -> bool:
    """True if the entry is shown; a hidden value is kept."""
    return all(holds(condition, settings, connector) for condition in entry.when)


_MISSING = {
    Feature.MODEM: N_("This station has no mobile modem."),
    Feature.WLAN: N_("This station has no WLAN."),
    Feature.USB_NETWORK: N_("This station has no USB network."),
    Feature.GROUP_LINK: N_("This version has no network link to other stations."),
    Feature.ACTUATOR: N_("This station has no lock actuator."),
    Feature.PLC: N_("This station has no modem for ISO 15118."),
    Feature.PHASE_SWITCHING: N_("This station cannot switch phases."),
    Feature.RCMB: N_("This station has no residual current monitor."),
    Feature.LIGHTS: N_("The lights of this station cannot be dimmed."),
}


def missing_part(entry: Entry, facts: HardwareFacts) -> Message | None:
    """The hardware that the setting lacks, as a message; None if it lacks none."""
    for condition in entry.when:
        match condition:
            case Has(feature) if feature not in facts.features:
                return Message(_MISSING[feature])
            case Connectors(number) if number != facts.connectors:
                return Message(
                    N_("This needs a station with {number} sockets."), {"number": number}
                )
            case _:
                continue
    return None
