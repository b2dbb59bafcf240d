"""What the manual's chapter 4 has of its own, with a whole station."""
# ruff: noqa: N802 -- a test is named after its setting

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from borne.adapters.ocpp.backend_settings import backend_config
from borne.adapters.ocpp.probe import probe
from borne.adapters.web import create_app
from borne.application.backend.presets import Preset, presets
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.values import to_json
from borne.domain.station.transaction_messages import MessageKind
from tests.conformance.ocpp16.rig import TAG, rig
from tests.support.central_system import central_system
from tests.support.running_station import RunningStation, running_station
from tests.support.timeouts import TEST_TIMEOUT_S

DEAD = {
    "ConnectionType": "ethernet",
    "WebSocketsBackendURL": "ws://127.0.0.1:9/ocpp",
    "ChargePointID": "CP-1",
}


async def test_TCPWatchdogTimeout(tmp_path: Path) -> None:
    async with rig(tmp_path, TCPWatchdogTimeout=1) as bench:
        await bench.offline()
        await bench.station.simulator.set_link("backend", up=True, mode=None)
        # Back in time: nothing is restarted.
        await bench.station.until_online()
        assert len(bench.ledger.of("BootNotification")) == 1
        before = bench.station.host.station
        await bench.offline()
        await bench.station.until_restarted(before)
        await bench.station.simulator.set_link("backend", up=True, mode=None)
        await bench.ledger.wait_for("BootNotification", count=2)


@contextmanager
def log_message(word: str) -> Iterator[asyncio.Event]:
    """Set when the station logs this word."""
    seen = asyncio.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if word in record.getMessage():
                seen.set()

    handler, logger = Handler(), logging.getLogger("borne")
    logger.addHandler(handler)
    try:
        yield seen
    finally:
        logger.removeHandler(handler)


async def test_the_watchdog_waits_for_a_session(tmp_path: Path) -> None:
    async with rig(tmp_path, TCPWatchdogTimeout=1) as bench:
        await bench.charging()
        before = bench.station.host.station
        with log_message("restart") as seen:
            await bench.offline()
            await asyncio.wait_for(seen.wait(), 20)
        assert bench.station.host.station is before
        await bench.station.card_token(TAG)
        await bench.station.until_restarted(before)


async def test_SendInformativeStatusNotifications(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        simulator = bench.station.simulator
        await simulator.set_temperature(45.0, 1)
        status = await bench.status("Available", 1, count=2)
        assert (status["info"], status["error_code"]) == (
            "Controller temperature 45 °C",
            "NoError",
        )
        await bench.station.set(SendInformativeStatusNotifications="off")
        await simulator.set_temperature(20.0, 1)
        await bench.settled()
        assert len(bench.ledger.statuses(1)) == 2


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", {"dns": "ok", "tcp": "ok", "tls": "skipped", "websocket": "ok", "boot": "unknown"}),
        ("dead", {"dns": "ok", "tcp": "failed", "websocket": "unknown"}),
    ],
)
async def test_the_connection_test_uses_unsaved_values(
    tmp_path: Path, path: str, steps: dict[str, str]
) -> None:
    async with central_system() as central, running_station(tmp_path) as station:
        url = DEAD["WebSocketsBackendURL"] if path == "dead" else central.url
        planned = station.services.settings.plan({**DEAD, "WebSocketsBackendURL": url}, SYSTEM)
        config = backend_config(planned.after, [1, 2]).connection
        results = await probe(config, station.services.clock)
        found: dict[str, str] = {result.step: result.state for result in results}
        assert {step: found[step] for step in steps} == steps
        assert central.ledger.seen == []
        assert station.services.backend is None


async def test_messages_are_kept_over_a_restart(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        before = bench.station.services.backend
        assert before is not None
        kept_before = [message.text for message in before.message_log()]
        restarted = bench.station.host.station
        await bench.station.host.restart(SYSTEM, "now")
        await bench.station.until_restarted(restarted)
        backend = bench.station.services.backend
        assert backend is not None
        assert backend is not before
        await bench.station.until_online()
        assert [message.text for message in backend.message_log()][
            : len(kept_before)
        ] == kept_before
        kept = [message.text for message in await backend.message_history()]
        assert kept[: len(kept_before)] == kept_before
        assert sum('"BootNotification"' in text for text in kept) == 2


async def test_the_queue_for_the_backend_is_shown(tmp_path: Path) -> None:
    async with rig(tmp_path) as bench:
        await bench.charging()
        await bench.offline()
        await bench.stop()
        queue, status = bench.station.services.queue, bench.station.services.status
        assert queue is not None
        async with asyncio.timeout(TEST_TIMEOUT_S):
            while MessageKind.STOP not in (view := await queue()).kinds:
                await status.wait(status.revision, 1)
        message = view.messages[-1]
        assert view.waiting == sum(view.kinds.values()) == len(view.messages)
        stop = message.queued.message
        assert (stop.kind, stop.connector) == (MessageKind.STOP, 1)
        assert message.queued.attempts == 0
        assert isinstance(message.queued.transaction_id, int)
        assert view.oldest_at == view.messages[0].queued_at
        assert view.lost == ()


@asynccontextmanager
async def visitor(station: RunningStation, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has logged in."""
    password, base = "a good password", "http://127.0.0.1:8080"
    await station.services.accounts.set_password(role, password)
    transport = httpx.ASGITransport(app=create_app(station.host), client=("127.0.0.1", 4711))
    headers = {"Origin": base, "Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        await client.post("/login", data={"name": role.value, "password": password})
        yield client


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.key)
async def test_a_preset_is_accepted_by_a_whole_station(tmp_path: Path, preset: Preset) -> None:
    """By Ethernet; a simulated station has no modem."""
    async with running_station(tmp_path) as station, visitor(station, Role.OPERATOR) as person:
        page = (await person.get("/backend/presets")).text
        assert "Use with mobile network" not in page
        assert (
            await person.post(f"/backend/presets/{preset.key}", data={"way": "mobile"})
        ).is_error
        await person.post(f"/backend/presets/{preset.key}", data={"way": "ethernet"})
        await person.post("/settings/save", data={"_menu": ""})
        settings = station.services.settings.settings
        saved = {key: to_json(settings[key]) for key in preset.changes(mobile=False)}
        assert saved == preset.changes(mobile=False)
