"""`borne serve`: a process around a host, from the first line on the screen to the last.

What can go wrong at the start is told in one sentence and ends with exit code 1; settings that are
refused end with exit code 2.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from borne.adapters.storage import StorageUnavailable
from borne.adapters.storage.lock import FolderInUse, FolderLock
from borne.adapters.storage.settings_files import PosixFiles
from borne.adapters.storage.settings_store import SettingsStore
from borne.app import Host, HostOptions
from borne.application.settings_ports import SettingsNotSaved, SettingsTooNew
from borne.application.settings_service import SettingsRejected, SettingsService
from borne.application.station_settings import has_backend
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.values import Form
from borne.foundation import logging as logs
from borne.foundation.scaled_loop import ScaledEventLoop

_log = logging.getLogger(__name__)


class CannotStart(Exception):
    """One sentence for people, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line says."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    speed: float = 1.0
    changes: Sequence[tuple[str, str]] = ()
    quiet: bool = False


def serve(options: ServeOptions) -> None:
    """Run until interrupted; raises CannotStart."""
    try:
        with FolderLock(options.data):
            settings = _prepare(options)
            logs.set_up(settings.settings.text("LogLevel"))
            _run(options, lambda: _serve(options))
    except FolderInUse as error:
        raise CannotStart(str(error)) from None
    except (StorageUnavailable, SettingsTooNew) as error:
        raise CannotStart(str(error)) from None
    except PermissionError as error:
        raise CannotStart(f"The folder {options.data} cannot be used: {error.strerror}.") from None
    except OSError as error:
        raise CannotStart(f"{error.strerror or error}: {error.filename or options.data}.") from None


def _prepare(options: ServeOptions) -> SettingsService:
    """Store what `--set` asks for, before anything runs."""
    service = SettingsService.open(SettingsStore(PosixFiles(options.data / "settings")))
    if options.changes:
        try:
            service.change_now(dict(options.changes), SYSTEM, "command line", form=Form.TEXT)
        except SettingsRejected as rejected:
            lines = [f"{name}: {message}" for name, message in rejected.errors.items()]
            raise CannotStart("; ".join(lines), 2) from None
        except SettingsNotSaved as error:
            raise CannotStart(str(error)) from None
    if options.speed != 1.0 and has_backend(service.settings):
        sentence = "--speed needs every counterpart in this process: set ConnectionType=no_backend."
        raise CannotStart(sentence, 2)
    return service


def _run(options: ServeOptions, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    factory = None if options.speed == 1.0 else lambda: ScaledEventLoop(options.speed)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


async def _serve(options: ServeOptions) -> None:
    host = Host(HostOptions(options.data))
    sock = _bind(options.host, options.port)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    await host.start()
    server = await _start_web(host, sock)
    gc.freeze()
    await _greet(host, options, sock)
    await ended.wait()
    server.should_exit = True
    await host.stop()
    await server.shutdown()


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        sentence = (
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another: --port."
        )
        raise CannotStart(sentence) from None
    return sock


async def _start_web(host: Host, sock: socket.socket) -> Any:
    import uvicorn

    from borne.adapters.web import create_app

    config = uvicorn.Config(
        create_app(host),
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=True,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[sock])
    return server


async def _greet(host: Host, options: ServeOptions, sock: socket.socket) -> None:
    if options.quiet:
        return
    services = host.services()
    address = f"http://{options.host}:{sock.getsockname()[1]}"
    lines = [f"borne {host.version}: simulated station with two sockets on {address}"]
    if services is not None:
        secret = await services.accounts.create_link(Role.MANUFACTURER)
        lines.append(f"Log in once within 15 minutes: {address}/login/{secret}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
