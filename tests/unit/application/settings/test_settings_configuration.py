"""ChangeConfiguration on the settings (OCPP 1.6, 5.3; OCTT TC_040)."""

from __future__ import annotations

import pytest

from borne.application.settings.settings_configuration import change_configuration
from borne.domain.principals import SYSTEM
from borne.domain.settings.ocpp_view import ConfigurationStatus
from tests.unit.application.settings_doubles import MemoryRepository, open_service

READY = {"ConnectionType": "ethernet"}


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("HeartbeatInterval", "120", "Accepted"),
        ("heartbeatinterval", "120", "Accepted"),
        ("OperatorCurrentLimit_2", "10", "Accepted"),
        ("FreeChargingMode", "4", "Accepted"),
        ("StopTransactionOnEVSideDisconnect", "false", "Accepted"),
        ("BackendConnectionTimeout", "30", "RebootRequired"),
        ("BackendConnectionTimeout", "60", "Accepted"),
        ("WebSocketPingInterval", "30", "Accepted"),
        ("HeartbeatInterval", "never", "Rejected"),
        ("HeartbeatInterval", "-1", "Rejected"),
        ("MeterValuesSampledData", "Voltage,Colour", "Rejected"),
        ("NumberOfConnectors", "3", "Rejected"),
        ("InstallationCurrentLimit", "16", "Rejected"),
        ("OperatorCurrentLimit", "40", "Rejected"),
        ("AuthorizationKey", "not hex", "Rejected"),
        ("AuthorizationKey", "31" * 16, "Accepted"),
        ("Nothing", "1", "NotSupported"),
        ("DLMSiteKey", "sesame", "NotSupported"),
    ],
)
async def test_answers_to_change_configuration(key: str, value: str, status: str) -> None:
    service = open_service()
    service.change_now(READY, SYSTEM, "test")
    service.mark_started()
    assert await change_configuration(service, key, value) == status


async def test_a_value_that_is_not_stored_is_rejected() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    repository.full = True
    answer = await change_configuration(service, "HeartbeatInterval", "120")
    assert answer is ConfigurationStatus.REJECTED
    assert service.settings["HeartbeatInterval"] == 300


async def test_a_restart_is_required_until_the_value_holds() -> None:
    service = open_service()
    service.change_now(READY, SYSTEM, "test")
    service.mark_started()
    for value, status in (
        ("30", "RebootRequired"),
        ("30", "RebootRequired"),
        ("30", "RebootRequired"),
        ("60", "Accepted"),  # as the station started: nothing waits any more
        ("30", "RebootRequired"),
    ):
        assert await change_configuration(service, "BackendConnectionTimeout", value) == status
    service.mark_started()
    again = await change_configuration(service, "BackendConnectionTimeout", "30")
    assert again is ConfigurationStatus.ACCEPTED
