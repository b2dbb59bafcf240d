"""ChangeConfiguration of a backend, on the settings of the station (OCPP 1.6, 5.3)."""

from __future__ import annotations

from borne.application.settings_ports import SettingsNotSaved
from borne.application.settings_service import SettingsRejected, SettingsService
from borne.domain.principals import BACKEND
from borne.domain.settings.ocpp_view import ConfigurationStatus, find
from borne.domain.settings.values import Form


async def change_configuration(
    service: SettingsService, name: str, value: str
) -> ConfigurationStatus:
    """Set `name` with a backend's rights; the status follows the commit."""
    address = find(service.settings, name)
    if address is None:
        return ConfigurationStatus.NOT_SUPPORTED
    try:
        result = await service.change({address.name: value}, BACKEND, "ocpp", form=Form.OCPP)
    except (SettingsRejected, SettingsNotSaved):
        return ConfigurationStatus.REJECTED
    if result.restart_required:
        return ConfigurationStatus.REBOOT_REQUIRED
    return ConfigurationStatus.ACCEPTED
