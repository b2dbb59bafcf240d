"""Orders to fetch or leave files: bounded in number, pace and what stays of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from borne.adapters.maintenance.transfer import Transfer
from borne.application.maintenance import transfer_orders
from borne.application.maintenance.firmware_update import (
    ADDRESS_FILE,
    STATE_KEY,
    FirmwareUpdates,
    UpdateOrder,
    UpdateState,
)
from borne.application.maintenance.log_upload import LogKind, LogUploads, UploadOrder
from borne.application.ports.maintenance import Maintenance, TransferFailed, TransferProblem
from borne.foundation.clock import Clock, ClockTrust
from borne.foundation.redaction import without_credentials
from borne.foundation.supervisor import Supervisor
from tests.support.fake_stores import MemoryState
from tests.support.virtual_time import virtual_time

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "5ec2e7"
ADDRESSES = [
    f"ftp://user:{SECRET}@127.0.0.1/fw",
    f"http://127.0.0.1/fw?token={SECRET}",
    f"sftp://user:{SECRET}@127.0.0.1/fw?x",
]


class NoTransfer:
    """A transfer without network that counts its starts."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def check(self, location: str) -> None:
        Transfer(Path("unused")).check(location)

    async def download(self, location: str, target: Path, max_bytes: int) -> None:
        self.begun.append(location)
        await asyncio.sleep(1)
        raise TransferFailed(TransferProblem.FAILED, f"refused by {location}")

    async def upload(self, location: str, name: str, source: Path) -> None:
        await self.download(location, source, 0)


class Bench:
    """Firmware updates and log uploads, without a station."""

    def __init__(self, folder: Path, state: MemoryState | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.transfer, self.tasks = NoTransfer(), Supervisor("test")
        self.state = state or MemoryState()
        self.clock = Clock(loop.time, NOW, ClockTrust.NTP)
        checker: Any = None
        self.maintenance = Maintenance(folder, self.transfer, checker, "0.1.0")
        control: Any = Control()

        async def restart(_: object) -> None:
            raise AssertionError

        self.firmware = FirmwareUpdates(
            self.maintenance, {}, control, self.state, self.clock, self.tasks, restart
        )
        self.logs = LogUploads(self.maintenance, self.collect, lambda: "CP", self.clock, self.tasks)
        self.states: list[UpdateState] = []
        self.firmware.progressed.subscribe(lambda progress: self.states.append(progress.state))

    async def collect(self, *_: Any) -> dict[str, str]:
        return {"a": "b"}

    async def order(self, location: str, **more: Any) -> bool:
        when = {"retrieve_at": self.clock.now()} | more
        return await self.firmware.order(UpdateOrder(location, **when))

    async def ended(self) -> None:
        """Wait long enough for everything that was started."""
        await asyncio.sleep(3600)
        assert not self.firmware.running
        assert not self.logs.running


class Control:
    def accept_sessions(self) -> None: ...


@virtual_time
async def test_many_firmware_orders_start_few_downloads(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await asyncio.gather(*(bench.order(f"http://h/{n}", retries=0) for n in range(500)))
    assert len([task for task in asyncio.all_tasks() if "firmware" in task.get_name()]) <= 2
    await bench.ended()
    assert len(bench.transfer.begun) <= 2
    assert bench.transfer.begun[-1] == "http://h/499"
    assert bench.states[-1] is UpdateState.DOWNLOAD_FAILED


@virtual_time
async def test_many_log_orders_start_few_uploads(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number in range(500):
        order = UploadOrder(LogKind.DIAGNOSTICS, f"http://h/{number}", retries=0)
        bench.logs.order(order)
        await asyncio.sleep(0.001)
    await bench.ended()
    assert len(bench.transfer.begun) <= 3
    assert bench.transfer.begun[-1] == "http://h/499"


@pytest.mark.parametrize(
    "location",
    ["C:\\fw.bin", "", " ", "fw.bin", "http://", "http://h:99999/x", "file:///etc/passwd",
     "http://[::1/x", "gopher://h/x", "//h/x", f"ftp://u:{SECRET}/x@h", "http://h/" + "x" * 3000],
)  # fmt: skip
@virtual_time
async def test_an_address_that_can_never_work_fails_at_once_and_is_not_kept(
    tmp_path: Path, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    await bench.order("http://h/good", retrieve_at=NOW + timedelta(days=1))
    await bench.order(location, retrieve_at=NOW + timedelta(days=1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bench.states == [UpdateState.DOWNLOAD_FAILED]
    assert not bench.transfer.begun
    assert await bench.state.get(STATE_KEY) is None
    assert SECRET not in caplog.text


@pytest.mark.parametrize("location", ADDRESSES)
@virtual_time
async def test_credentials_of_an_order_are_stored_apart_and_removed_with_it(
    tmp_path: Path, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    await bench.order(location, retries=0, retrieve_at=NOW + timedelta(hours=1))
    kept = tmp_path / ADDRESS_FILE
    assert SECRET not in str(await bench.state.get(STATE_KEY))
    assert kept.read_text() == location
    assert kept.stat().st_mode & 0o077 == 0
    bench.tasks.abort()
    again = Bench(tmp_path, bench.state)  # after a power failure
    await again.firmware.start()
    await asyncio.sleep(3700)
    await again.ended()
    assert again.transfer.begun == [location]
    assert not kept.exists()
    assert await again.state.get(STATE_KEY) is None
    assert SECRET not in caplog.text


@virtual_time
async def test_an_order_whose_address_is_lost_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.order(ADDRESSES[0], retrieve_at=NOW + timedelta(hours=1))
    (tmp_path / ADDRESS_FILE).unlink()
    bench.tasks.abort()
    again = Bench(tmp_path, bench.state)
    await again.firmware.start()
    await again.ended()
    assert again.states == [UpdateState.DOWNLOAD_FAILED]
    assert not again.transfer.begun


def test_the_number_of_retries_is_limited() -> None:
    assert transfer_orders.max_attempts(10**18) <= 101
    assert transfer_orders.max_attempts(-5) == 1
    assert transfer_orders.pause_s(0, 0) == 0
    assert transfer_orders.pause_s(50, 0) >= 1
    assert transfer_orders.pause_s(50, 1e30) <= 86400


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"ftp://u:{SECRET}@h/x", "ftp://***@h/x"),
        (f"FTP://{SECRET}@h/x", "FTP://***@h/x"),
        (f"ftp://u:a@{SECRET}@h/x", "ftp://***@h/x"),
        (f"ftp://u:a/{SECRET}@h/x", "ftp://***@h/x"),
        (f"ftp://u:a?{SECRET}@h/x", "ftp://***@h/x"),
        (f"u:{SECRET}@h/x", "***@h/x"),
        (f"ftp:/u:{SECRET}@h/x", "***@h/x"),
        (f"https://h/x?sig={SECRET}&a=b", "https://h/x?***"),
        (f"https://h/x#{SECRET}", "https://h/x#***"),
        (f"https://h:8080/x?{SECRET} and more", "https://h:8080/x?*** and more"),
        ("https://h:8080/a@b", "https://h:8080/a@b"),
        ("https://h/x", "https://h/x"),
        ("what? me@example.org", "what? me@example.org"),
    ],
)
def test_credentials_are_removed_from_addresses(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
    assert without_credentials(shown) == shown
