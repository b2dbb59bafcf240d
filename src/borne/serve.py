"""`borne serve`: the process around a host.

An error at the start is one line and exit code 1; rejected settings end with exit code 2. The first
SIGINT or SIGTERM stops in an orderly way, a second one at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from borne.adapters.simulation.world_view import CARDS
from borne.adapters.storage.commissioning import Commissioning
from borne.adapters.storage.lock import FolderInUse, FolderLock
from borne.app import Host, HostOptions
from borne.application.maintenance.local_commands import link_note, refusal_sentence
from borne.application.ports.storage import StorageFailed, WhitelistEntry
from borne.application.services import StationServices
from borne.application.settings.running import RunningSettings
from borne.application.settings.settings_service import (
    SettingsRejected,
    SettingsService,
)
from borne.application.settings.station_settings import has_backend
from borne.application.station import Station
from borne.data_folder import CannotUse, friendly_errors, open_settings
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.snapshot import Settings
from borne.domain.settings.values import Form
from borne.foundation import logging as logs
from borne.foundation.listener import AsgiApp, Bound, CannotListen, HttpLimits, HttpServer, bind
from borne.foundation.messages import Message
from borne.foundation.scaled_loop import ScaledEventLoop

HEAD_START_S = 0.5
"""The web interface waits at most this long for the first connection to the backend."""
HEAD_START_STEPS = 50
FIRST_LOGIN = (
    "Or log in as operator with the printed password yellow_zone, which only opens the page "
    "where you set your own."
)
SHUTDOWN_TIMEOUT_S = 1.5
"""How long to wait for the backend's and the clients' connections to close."""
ALWAYS_ANSWERED = frozenset({"/healthz", "/readyz"})
"""Monitoring is answered even if all connections are in use."""
WORLD_FILE = "world.json"
SLOWEST, FASTEST = 1.0, 1000.0
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not bound
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of `borne serve`."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    speed: float = 1.0
    changes: Sequence[tuple[str, str]] = ()
    fresh_world: bool = False


def serve(options: ServeOptions) -> None:
    """Run until interrupted; raises CannotUse."""
    try:
        with friendly_errors(options.data), FolderLock(options.data):
            new = Commissioning(options.data).is_new()
            settings = _prepare(options, new=new)
            cards = _first_cards(settings.settings) if new else ()
            logs.set_up(settings.settings.text("LogLevel"))
            bound = bind(options.host, options.port, "the web interface")
            try:
                run_at(options.speed, lambda: _serve(options, bound, settings.reports, cards))
            finally:
                bound.socket.close()
    except (CannotListen, FolderInUse) as error:
        raise CannotUse(str(error)) from None


def _first_cards(settings: Settings) -> Sequence[WhitelistEntry]:
    """A simulated station accepts the first simulated card at its first start; real hardware starts
    with an empty whitelist."""
    if has_backend(settings) or not settings.flag("FLLEnable"):
        return ()
    card = CARDS[0]
    return (WhitelistEntry(card["uid"], name=f"{card['name']} (for trying out)"),)


def _prepare(options: ServeOptions, *, new: bool = False) -> SettingsService:
    """Store the settings from `--set` before the station starts. On a `new` simulated station
    without backend, also switch the local whitelist on."""
    check_speed(options.speed)
    service = open_settings(options.data)
    wanted = dict(options.changes)
    planned = service.plan(wanted, SYSTEM, Form.TEXT)
    if planned.errors:
        raise CannotUse(refusal_sentence(SettingsRejected(planned.errors)), 2)
    if options.speed != SLOWEST and has_backend(planned.after):
        sentence = "--speed needs every counterpart in this process: set ConnectionType=no_backend."
        raise CannotUse(sentence, 2)
    if new and not has_backend(planned.after) and "FLLEnable" not in wanted:
        wanted["FLLEnable"] = "on"
    if wanted:
        service.change_now(wanted, SYSTEM, "command line", form=Form.TEXT)
    return service


def check_speed(speed: float) -> None:
    """Raises CannotUse."""
    if not SLOWEST <= speed <= FASTEST:
        raise CannotUse(f"--speed must be from {SLOWEST:g} to {FASTEST:g}.", 2)


def run_at(speed: float, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on a loop whose time is this many times faster."""
    factory = None if speed == SLOWEST else lambda: ScaledEventLoop(speed)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


async def _serve(
    options: ServeOptions,
    bound: Bound,
    reports: Sequence[Message],
    cards: Sequence[WhitelistEntry],
) -> None:
    await _Process(options, bound, tuple(map(str, reports)), cards).run()


def page_address(bound: Bound) -> str:
    """URL of the web interface on this machine."""
    host = _ANY_ADDRESS.get(bound.host, bound.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{bound.port}"


class _Process:
    """One run of the program, on the running loop."""

    def __init__(
        self,
        options: ServeOptions,
        bound: Bound,
        reports: tuple[str, ...],
        cards: Sequence[WhitelistEntry],
    ) -> None:
        self._bound = bound
        self._reports = reports
        self._page = page_address(bound)
        self._host = Host(
            HostOptions(
                options.data,
                page=self._page,
                first_cards=cards,
                world_file=options.data / WORLD_FILE,
                fresh_world=options.fresh_world,
            )
        )
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Run the station and the web interface until a signal arrives."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self._on_signal)
        for report in filter(None, (*self._reports, self._bound.note)):
            _log.warning("%s", report)
        self._host.station_changed.subscribe(self._on_station_changed)
        await self._host.start()
        web: HttpServer | None = None
        try:
            await self._wait_for_backend()
            if not self._ended.is_set():
                web = await start_web(self._host, self._bound)
                await self._print_welcome()
                gc.freeze()
            await self._ended.wait()
        finally:
            await self._shutdown(web)

    def _on_signal(self) -> None:
        if self._ended.is_set():
            raise SystemExit(1)
        self._ended.set()

    def _on_station_changed(self, station: Station | None) -> None:
        if station is not None:
            follow_log_level(self._host.settings.running)

    async def _wait_for_backend(self) -> None:
        """Let the backend connect first, because loading the web interface takes all CPU for a
        while."""
        for _ in range(HEAD_START_STEPS):
            if self._ended.is_set() or not self._backend_is_connecting():
                break
            await asyncio.sleep(HEAD_START_S / HEAD_START_STEPS)

    def _backend_is_connecting(self) -> bool:
        backend = self._host.station.link.backend if self._host.station is not None else None
        return backend is not None and not backend.online and not backend.view().last_error

    async def _shutdown(self, web: HttpServer | None) -> None:
        station = self._host.station
        try:
            async with asyncio.timeout(SHUTDOWN_TIMEOUT_S):
                await asyncio.gather(self._host.stop(), *([web.stop()] if web else []))
        except TimeoutError:
            _log.warning("some connections did not close in time")
            if station is not None:
                station.abort()
            if web is not None:
                web.abort()

    async def _print_welcome(self) -> None:
        lines = [f"borne {self._host.version}: simulated station with two sockets on {self._page}"]
        lines += [note for note in (self._bound.note, *self._reports, *self._host.notices) if note]
        services = self._host.services()
        note = link_note(_ANY_ADDRESS.get(self._bound.host, self._bound.host))
        if note:
            lines.append(note)
        elif services is not None:
            lines.append(await login_line(services, self._page))
        if services is not None and await self._is_new(services):
            lines.append(FIRST_LOGIN)
        # Standard output may already be closed.
        with contextlib.suppress(OSError):
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()

    async def _is_new(self, services: StationServices) -> bool:
        try:
            return not await services.accounts.has_password(Role.OPERATOR)
        except StorageFailed:
            return False


async def login_line(services: StationServices, page: str) -> str:
    """A line with a new link to log in with, or why there is none."""
    try:
        secret = await services.accounts.create_link(Role.MANUFACTURER)
    except StorageFailed as error:
        # The station runs anyway: on a full disk running sessions must be able to end.
        return f"There is no link to log in with, it could not be stored: {error}."
    return f"Log in once within 15 minutes: {page}/login/{secret}"


async def start_web(host: Host, bound: Bound) -> HttpServer:
    """Serve the web interface of a station on a bound port."""
    # The import takes long, so it runs in a thread beside the station.
    app, before_stop = await asyncio.to_thread(_web, host)
    limits = HttpLimits(always=ALWAYS_ANSWERED)
    server = HttpServer(app, bound, limits=limits, before_stop=before_stop)
    await server.start()
    return server


def _web(host: Host) -> tuple[AsgiApp, Callable[[], None]]:
    """The web application and the function that ends its streams; takes half a second to import."""
    import uvicorn  # noqa: F401 -- the server needs it later, on the loop

    from borne.adapters.web import create_app
    from borne.adapters.web.state import web_state

    app = create_app(host)
    return app, web_state(app).hub.close


def follow_log_level(settings: RunningSettings) -> None:
    """Apply the setting of the log level, and its changes."""
    settings.on_change({"LogLevel"}, lambda: logs.set_level(settings().text("LogLevel")))
