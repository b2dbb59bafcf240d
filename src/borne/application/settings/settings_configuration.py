"""ChangeConfiguration from a backend (OCPP 1.6, 5.3)."""

from __future__ import annotations

import re

from borne.application.ports.settings import SettingsNotSaved
from borne.application.settings.settings_service import SettingsRejected, SettingsService
from borne.domain.principals import BACKEND
from borne.domain.settings.ocpp_view import ConfigurationStatus, find
from borne.domain.settings.values import Form

PHASE_ROTATION = "ConnectorPhaseRotation"
_ROTATION = re.compile(r"(\d)\.([A-Za-z]+)")


def phase_rotations(value: str, connectors: int) -> dict[str, str] | None:
    """Convert a list like `0.RST,1.RST,2.RTS` to settings; None if it is invalid. The grid
    connection (0) must be RST."""
    changes: dict[str, str] = {}
    for item in value.split(","):
        found = _ROTATION.fullmatch(item.strip())
        if found is None:
            return None
        number, rotation = int(found[1]), found[2].upper()
        if number > connectors or (number == 0 and rotation != "RST"):
            return None
        if number > 0:
            changes[PHASE_ROTATION if number == 1 else f"{PHASE_ROTATION}_{number}"] = rotation
    return changes


async def change_configuration(
    service: SettingsService, name: str, value: str
) -> ConfigurationStatus:
    """Change a setting with the backend's rights; returns after the commit."""
    address = find(service.settings, name)
    if address is None:
        return ConfigurationStatus.NOT_SUPPORTED
    changes: dict[str, str] | None = {address.name: value}
    if address.name == PHASE_ROTATION:
        changes = phase_rotations(value, service.settings.facts.connectors)
    if changes is None:
        return ConfigurationStatus.REJECTED
    try:
        result = await service.change(changes, BACKEND, "ocpp", form=Form.OCPP)
    except (SettingsRejected, SettingsNotSaved):
        return ConfigurationStatus.REJECTED
    if result.restart_required:
        return ConfigurationStatus.REBOOT_REQUIRED
    return ConfigurationStatus.ACCEPTED
