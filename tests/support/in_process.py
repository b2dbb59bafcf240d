"""The command line within this process, and a station for it in a thread.

For what a command answers. What belongs to a process of its own (signals, pipes, the first and the
last line of `borne serve`) is in `process`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from borne.adapters.storage.lock import FolderLock
from borne.app import Host, HostOptions
from borne.application.settings.settings_service import SettingsService
from borne.cli import app
from borne.data_folder import open_settings
from borne.domain.principals import SYSTEM
from borne.domain.settings.values import Form
from tests.support.process import Ran
from tests.support.timeouts import TEST_TIMEOUT_S

PAGE = "http://127.0.0.1:8080"


def borne(*arguments: str | Path, stdin: str | bytes = "") -> Ran:
    """Run a command. What `python -m borne` would call an internal error is raised."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        done = CliRunner().invoke(app, list(map(str, arguments)), input=stdin)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


@contextmanager
def station(data: Path, **settings: str) -> Iterator[None]:
    """A station without a web interface, on a data folder, in a thread."""
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        host = Host(HostOptions(data, page=PAGE))
        ended = asyncio.Event()
        await host.start()
        ready.set_result((asyncio.get_running_loop(), ended))
        await ended.wait()
        await host.stop()

    def work() -> None:
        try:
            with FolderLock(data):
                _store(open_settings(data), settings)
                asyncio.run(run())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name="station")
    thread.start()
    loop, ended = ready.result(TEST_TIMEOUT_S)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(TEST_TIMEOUT_S)
        assert not thread.is_alive()


def _store(service: SettingsService, settings: dict[str, str]) -> None:
    if settings:
        service.change_now(settings, SYSTEM, "a test", form=Form.TEXT)


def notices_of(data: Path) -> list[str]:
    """The notices of a station on a data folder at its start."""

    async def started() -> list[str]:
        reports = open_settings(data).reports
        host = Host(HostOptions(data, page=PAGE))
        await host.start()
        try:
            return [*map(str, reports), *host.notices]
        finally:
            await host.stop()

    return asyncio.run(started())
