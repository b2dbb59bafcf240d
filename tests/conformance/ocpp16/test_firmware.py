"""Certification cases of firmware updates and diagnostics."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from ocpp.v16 import call
from ocpp.v16.enums import MessageTrigger

from borne.application.ports.maintenance import InstallFailed, Package
from tests.conformance.ocpp16.rig import TAG, Rig, rig
from tests.support.firmware import package, public_pem
from tests.support.ftp_server import ftp_server
from tests.support.http_files import HttpFiles, http_files

FIRMWARE, DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"


class PretendInstaller:
    """Says that the package runs after the next start."""

    def __init__(self, *, fails: bool = False) -> None:
        self.version = "0.1.0"
        self.fails = fails
        self.begins: Callable[[], None] = lambda: None

    async def install(self, package: Package) -> None:
        self.begins()
        if self.fails:
            raise InstallFailed("it does not fit")
        self.version = package.version


@pytest.fixture
def server() -> Iterator[HttpFiles]:
    with http_files() as files:
        files.files["/good.deb"] = package("9.9.9")
        files.files["/forged.deb"] = package("9.9.9", key=None)
        yield files


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "firmware_keys").mkdir()
    (tmp_path / "firmware_keys" / "maker.pem").write_bytes(public_pem())
    return tmp_path


async def update(bench: Rig, location: str, retries: int = 0, seconds: float = -1) -> None:
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    await bench.call(
        call.UpdateFirmware(location=location, retrieve_date=when.isoformat(), retries=retries)
    )


def statuses(bench: Rig, action: str = FIRMWARE) -> list[str]:
    return [payload["status"] for payload in bench.ledger.of(action)]


async def test_TC_044_1_CS_firmware_update(data: Path, server: HttpFiles) -> None:
    options = {"installer": PretendInstaller()}
    async with rig(data, options=options) as bench:
        await update(bench, f"{server.location}/good.deb")
        await bench.ledger.wait_for(FIRMWARE, status="Installed")
        assert statuses(bench) == ["Downloading", "Downloaded", "Installing", "Installed"]
        boots = bench.ledger.of("BootNotification")
        assert [boot["firmware_version"] for boot in boots] == ["0.1.0", "9.9.9"]
        await bench.status("Available", count=2)


async def test_TC_044_2_CS_download_failed(data: Path) -> None:
    async with rig(data) as bench:
        await update(bench, "ftp://127.0.0.1:9/firmware.deb")
        await bench.ledger.wait_for(FIRMWARE, status="DownloadFailed")
        assert statuses(bench) == ["Downloading", "DownloadFailed"]
        assert bench.station.connector()["state"] == "available"


@pytest.mark.parametrize("name", ["good.deb", "forged.deb"])
async def test_TC_044_3_CS_installation_failed(data: Path, server: HttpFiles, name: str) -> None:
    options = {"installer": PretendInstaller(fails=True)}
    async with rig(data, options=options) as bench:
        await update(bench, f"{server.location}/{name}")
        await bench.ledger.wait_for(FIRMWARE, status="InstallationFailed")
        assert statuses(bench) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
        assert len(bench.ledger.of("BootNotification")) == 1
        await bench.station.until_state("available")


async def test_the_rings_show_the_installation(data: Path, server: HttpFiles) -> None:
    """Manual 6."""
    installer, shown = PretendInstaller(fails=True), list[str]()
    async with rig(data, options={"installer": installer}) as bench:
        installer.begins = lambda: shown.append(bench.station.connector()["led"])
        await update(bench, f"{server.location}/good.deb")
        await bench.ledger.wait_for(FIRMWARE, status="InstallationFailed")
        assert shown == ["updating"]
        await bench.station.until_state("available")
        assert bench.station.connector()["led"] == "available"


async def test_without_an_installer_the_package_is_staged_and_reported(
    data: Path, server: HttpFiles
) -> None:
    async with rig(data) as bench:
        await update(bench, f"{server.location}/good.deb")
        await bench.ledger.wait_for(FIRMWARE, status="InstallationFailed")
        assert [path.name for path in (data / "updates").iterdir()] == ["9.9.9.deb"]


async def test_a_session_ends_before_the_installation(data: Path, server: HttpFiles) -> None:
    async with rig(data, options={"installer": PretendInstaller()}) as bench:
        await bench.charging()
        await update(bench, f"{server.location}/good.deb")
        await bench.ledger.wait_for(FIRMWARE, status="Downloaded")
        await bench.status("Unavailable", 2)
        assert "Installing" not in statuses(bench)
        await bench.station.card_token(TAG)
        await bench.ledger.wait_for("StopTransaction")
        await bench.ledger.wait_for(FIRMWARE, status="Installed")
        await bench.status("Available", 2, count=2)


async def test_an_order_survives_a_power_failure(data: Path, server: HttpFiles) -> None:
    async with rig(data, options={"installer": PretendInstaller()}) as bench:
        await update(bench, f"{server.location}/good.deb", seconds=2)
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.ledger.wait_for(FIRMWARE, status="Installed")


async def test_downloads_are_retried(data: Path, server: HttpFiles) -> None:
    async with rig(data) as bench:
        when = datetime.now(UTC).isoformat()
        await bench.call(
            call.UpdateFirmware(
                location=f"{server.location}/none", retrieve_date=when, retries=2, retry_interval=0
            )
        )
        await bench.ledger.wait_for(FIRMWARE, status="DownloadFailed")
        assert statuses(bench) == ["Downloading"] * 3 + ["DownloadFailed"]


async def diagnostics(bench: Rig, location: str, **more: Any) -> str:
    answer = await bench.call(call.GetDiagnostics(location=location, retries=0, **more))
    return str(answer.file_name)


async def test_TC_045_1_CS_diagnostics(tmp_path: Path) -> None:
    async with ftp_server() as server, rig(tmp_path, AuthorizationKey="0" * 16) as bench:
        await bench.charging()
        await bench.station.until_state("charging")
        name = await diagnostics(bench, f"{server.location}/logs")
        await bench.ledger.wait_for(DIAGNOSTICS, status="Uploaded")
        assert statuses(bench, DIAGNOSTICS) == ["Uploading", "Uploaded"]
        with ZipFile(io.BytesIO(server.files[f"/logs/{name}"])) as archive:
            files = {entry: archive.read(entry).decode() for entry in archive.namelist()}
        assert json.loads(files["status.json"])["connectors"][0]["state"] == "charging"
        assert "AuthorizationKey" not in files["settings.json"]
        assert "StartTransaction" in files["messages.jsonl"]
        assert "s3cret" not in "".join(files.values())
        assert not list((tmp_path / "updates").iterdir())


async def test_TC_045_2_CS_diagnostics_failed(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await diagnostics(bench, "ftp://127.0.0.1:9/logs")
        await bench.ledger.wait_for(DIAGNOSTICS, status="UploadFailed")


@pytest.mark.parametrize(
    ("trigger", "action"),
    [
        (MessageTrigger.firmware_status_notification, FIRMWARE),
        (MessageTrigger.diagnostics_status_notification, DIAGNOSTICS),
    ],
)
async def test_TC_054_CS_trigger_idle(tmp_path: Path, trigger: MessageTrigger, action: str) -> None:
    async with rig(tmp_path) as bench:
        answer = await bench.call(call.TriggerMessage(requested_message=trigger))
        assert answer.status == "Accepted"
        (status,) = await bench.ledger.wait_for(action)
        assert status["status"] == "Idle"
