"""The standard configuration keys: each is there, of the right type and access, and what they say
of the station is true (OCPP 1.6 edition 2 chapter 9, security whitepaper chapter 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ocpp.exceptions import OCPPError
from ocpp.v16 import call

from tests.conformance.ocpp16.rig import Rig, rig
from tests.conformance.ocpp16.test_local_list import entry
from tests.conformance.ocpp16.test_local_list import send as send_list
from tests.conformance.ocpp16.test_smart_charging import DEFAULT, profile, send

RW, R = False, True
"""As in `readonly`."""
MEASURAND = r"[A-Z]\w+(\.\w+)*(\.L[123N](-[L123N]+)?)?"


def boolean(text: str) -> bool:
    return text in {"true", "false"}


def integer(text: str) -> bool:
    return re.fullmatch(r"0|[1-9]\d*", text) is not None


def items(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(rf"(({pattern})(,({pattern}))*)?", text) is not None


def words(text: str) -> bool:
    return True


KEYS: dict[str, tuple[bool, Callable[[str], bool]]] = {
    # Core
    "AllowOfflineTxForUnknownId": (RW, boolean),
    "AuthorizationCacheEnabled": (RW, boolean),
    "AuthorizeRemoteTxRequests": (RW, boolean),
    "BlinkRepeat": (RW, integer),
    "ClockAlignedDataInterval": (RW, integer),
    "ConnectionTimeOut": (RW, integer),
    "ConnectorPhaseRotation": (RW, items(r"\d\.(NotApplicable|Unknown|[RST]{3})")),
    "ConnectorPhaseRotationMaxLength": (R, integer),
    "GetConfigurationMaxKeys": (R, integer),
    "HeartbeatInterval": (RW, integer),
    "LightIntensity": (RW, integer),
    "LocalAuthorizeOffline": (RW, boolean),
    "LocalPreAuthorize": (RW, boolean),
    "MaxEnergyOnInvalidId": (RW, integer),
    "MeterValuesAlignedData": (RW, items(MEASURAND)),
    "MeterValuesAlignedDataMaxLength": (R, integer),
    "MeterValuesSampledData": (RW, items(MEASURAND)),
    "MeterValuesSampledDataMaxLength": (R, integer),
    "MeterValueSampleInterval": (RW, integer),
    "MinimumStatusDuration": (RW, integer),
    "NumberOfConnectors": (R, integer),
    "ResetRetries": (RW, integer),
    "StopTransactionOnEVSideDisconnect": (RW, boolean),
    "StopTransactionOnInvalidId": (RW, boolean),
    "StopTxnAlignedData": (RW, items(MEASURAND)),
    "StopTxnAlignedDataMaxLength": (R, integer),
    "StopTxnSampledData": (RW, items(MEASURAND)),
    "StopTxnSampledDataMaxLength": (R, integer),
    "SupportedFeatureProfiles": (R, items(r"\w+")),
    "SupportedFeatureProfilesMaxLength": (R, integer),
    "TransactionMessageAttempts": (RW, integer),
    "TransactionMessageRetryInterval": (RW, integer),
    "UnlockConnectorOnEVSideDisconnect": (RW, boolean),
    "WebSocketPingInterval": (RW, integer),
    # Local list of cards
    "LocalAuthListEnabled": (RW, boolean),
    "LocalAuthListMaxLength": (R, integer),
    "SendLocalListMaxLength": (R, integer),
    # Reservation
    "ReserveConnectorZeroSupported": (R, boolean),
    # Smart charging
    "ChargeProfileMaxStackLevel": (R, integer),
    "ChargingScheduleAllowedChargingRateUnit": (R, items("Current|Power")),
    "ChargingScheduleMaxPeriods": (R, integer),
    "ConnectorSwitch3to1PhaseSupported": (R, boolean),
    "MaxChargingProfilesInstalled": (R, integer),
    # Firmware
    "SupportedFileTransferProtocols": (R, items("FTP|FTPS|HTTP|HTTPS|SFTP")),
    # Security
    "AdditionalRootCertificateCheck": (R, boolean),
    "CertificateSignedMaxChainSize": (R, integer),
    "CertificateStoreMaxLength": (R, integer),
    "CpoName": (RW, words),
    "SecurityProfile": (RW, integer),
}
COMMANDS: dict[str, list[Any]] = {
    "Core": [
        call.ChangeAvailability(connector_id=9, type="Operative"),
        call.ChangeConfiguration(key="None", value=""),
        call.ClearCache(),
        call.DataTransfer(vendor_id="none"),
        call.GetConfiguration(key=["None"]),
        call.RemoteStartTransaction(id_tag="A", connector_id=9),
        call.RemoteStopTransaction(transaction_id=0),
        call.UnlockConnector(connector_id=9),
    ],
    "FirmwareManagement": [call.GetDiagnostics(location="http://127.0.0.1:1/", retries=0)],
    "LocalAuthListManagement": [
        call.GetLocalListVersion(),
        call.SendLocalList(list_version=1, update_type="Full"),
    ],
    "Reservation": [
        call.CancelReservation(reservation_id=1),
        call.ReserveNow(
            connector_id=9, expiry_date="2030-01-01T00:00:00Z", id_tag="A", reservation_id=1
        ),
    ],
    "SmartCharging": [
        call.ClearChargingProfile(id=1),
        call.GetCompositeSchedule(connector_id=0, duration=60),
        call.SetChargingProfile(9, profile(DEFAULT, {0: 6.0})),
    ],
    "RemoteTrigger": [call.TriggerMessage(requested_message="Heartbeat")],
}
"""Some of each feature profile that can be tried without consequences."""


async def read(bench: Rig, *keys: str) -> dict[str, dict[str, Any]]:
    configured = await bench.call(call.GetConfiguration(key=list(keys)))
    return {found["key"]: found for found in configured.configuration_key}


async def number(bench: Rig, key: str) -> int:
    return int((await read(bench, key))[key]["value"])


async def test_every_key_is_there_with_its_type_and_access(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        configured = await read(bench)
        assert KEYS.keys() <= configured.keys(), KEYS.keys() - configured.keys()
        access = {key: configured[key]["readonly"] for key in KEYS}
        assert access == {key: readonly for key, (readonly, _) in KEYS.items()}
        for key, (_, fits) in KEYS.items():
            assert fits(configured[key]["value"]), (key, configured[key]["value"])
        most = int(configured["GetConfigurationMaxKeys"]["value"])
        assert len(configured) <= most
        assert int(configured["NumberOfConnectors"]["value"]) == 2


async def test_every_key_alone_reads_as_among_all(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        configured = await read(bench)
        for key in KEYS:
            assert (await read(bench, key))[key] == configured[key]


async def test_the_password_is_written_and_never_read(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        assert "AuthorizationKey" not in await read(bench)
        asked = await read(bench, "AuthorizationKey")
        assert asked == {"AuthorizationKey": {"key": "AuthorizationKey", "readonly": False}}


async def write(bench: Rig, key: str, value: str) -> str:
    return str((await bench.call(call.ChangeConfiguration(key=key, value=value))).status)


async def test_read_only_keys_are_rejected(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        configured = await read(bench)
        only_read = [key for key, (access, _) in KEYS.items() if access is R]
        statuses = {key: await write(bench, key, configured[key]["value"]) for key in only_read}
        assert statuses == dict.fromkeys(only_read, "Rejected")


ONLY_UP = {"SecurityProfile"}
"""A05.FR.01: what is not higher is refused."""


async def test_written_values_are_checked(tmp_path: Path) -> None:
    """The present value may be written again; a value of another type is rejected."""
    async with rig(tmp_path) as bench:
        configured = await read(bench)
        for key, (access, fits) in KEYS.items():
            if access is R:
                continue
            bad = ("-1", "²", "1e1", "yes,") if fits is not words else ()
            now = configured[key]["value"]
            again = {"Rejected"} if key in ONLY_UP else {"Accepted", "RebootRequired"}
            assert await write(bench, key, now) in again, key
            for value in (*bad, "no value\x00", "x" * 500):
                assert await write(bench, key, value) == "Rejected", (key, value)
            assert (await read(bench, key))[key]["value"] == now


async def test_the_feature_profiles_are_offered(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        configured = (await read(bench))["SupportedFeatureProfiles"]["value"].split(",")
        assert sorted(configured) == sorted(COMMANDS)
        for requests in COMMANDS.values():
            for request in requests:
                await bench.call(request)  # NotSupported and NotImplemented would be raised


async def test_the_lists_are_as_long_as_reported(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        most = await number(bench, "SendLocalListMaxLength")
        cards = [entry(f"CARD{n}") for n in range(most + 1)]
        assert await send_list(bench, 1, *cards[:most]) == "Accepted"
        assert await send_list(bench, 2, *cards) == "Failed"
        longest = await number(bench, "MeterValuesSampledDataMaxLength")
        several = ",".join(["Voltage"] * (longest + 1))
        assert await write(bench, "MeterValuesSampledData", several) == "Rejected"


async def test_as_many_profiles_as_reported_are_accepted(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        most = await number(bench, "MaxChargingProfilesInstalled")
        levels = await number(bench, "ChargeProfileMaxStackLevel")
        periods = await number(bench, "ChargingScheduleMaxPeriods")
        assert levels >= 1
        full = {60 * n: 6.0 + n % 2 for n in range(periods)}
        configured = [
            profile(DEFAULT, full, number=n, level=n % (levels + 1)) for n in range(1, most + 2)
        ]
        statuses = [
            await send(bench, one, connector=n // (levels + 1)) for n, one in enumerate(configured)
        ]
        assert statuses == ["Accepted"] * most + ["Rejected"]


async def test_more_keys_at_once_than_reported_are_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        most = await number(bench, "GetConfigurationMaxKeys")
        names = [f"None{n}" for n in range(most + 1)]
        configured = await bench.call(call.GetConfiguration(key=names[:most]))
        assert configured.unknown_key == names[:most]
        with pytest.raises(OCPPError, match=str(most)):
            await bench.call(call.GetConfiguration(key=names))
