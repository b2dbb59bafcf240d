"""A real browser on a served station. One browser serves all tests of a process.

By default a fake station in a thread of its own. With BORNE_TEST_URL (and BORNE_TEST_LOGIN, "name
password") the tests that need nothing of the fake run against a real one. With BORNE_SCREENSHOTS
every looked-at page is kept as a picture in that folder.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from borne.adapters.web import close_streams, create_app
from borne.domain.principals import Role
from borne.foundation.listener import HttpServer, bind
from tests.support.central_system import CentralSystem, central_system
from tests.support.fake_station import PASSWORD, FakeHost
from tests.support.timeouts import TEST_TIMEOUT_S

T = TypeVar("T")
EXPECTED = (
    "Failed to load resource",
    "htmx:sse:error",
    "htmx:response:error",
    "htmx:error: Failed to fetch",
)
"""What a browser writes when a station refuses or is gone; tests bring that about."""
SIZES = {"phone": (390, 844), "desktop": (1280, 900), "narrow": (320, 700)}


class Site:
    """A station in the browser's reach."""

    def __init__(self, url: str, name: str, password: str, fake: Fake | None) -> None:
        self.url = url
        self.name = name
        self.password = password
        self._fake = fake

    @property
    def has_fake(self) -> bool:
        """Whether the state can be arranged."""
        return self._fake is not None

    @property
    def fake(self) -> Fake:
        """The fake station behind it; real stations have none."""
        if self._fake is None:
            pytest.skip("needs the fake station")
        return self._fake


class Background:
    """A loop of its own in a thread, beside Playwright's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(TEST_TIMEOUT_S)

    def stop(self) -> None:
        """Stop loop and thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(TEST_TIMEOUT_S)
        self.loop.close()


class Fake(Background):
    """A fake station on a loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.host, self.server, self.app = self.run(self._start())

    async def _start(self) -> tuple[FakeHost, HttpServer, Any]:
        host = await FakeHost.start()
        for role in Role:
            await host.accounts.set_password(role, PASSWORD)
        app = create_app(host)
        server = HttpServer(app, bind("127.0.0.1", 0, "a test"))
        await server.start()
        return host, server, app

    def do(self, work: Callable[[FakeHost], T]) -> T:
        """Call something there, for example to change the state."""

        async def call() -> T:
            return work(self.host)

        result: T = self.run(call())
        return result

    async def link(self) -> str:
        """The secret of a link that logs in: cheaper than name and password."""
        return await self.host.accounts.create_link(Role.MANUFACTURER)

    def vanish(self) -> None:
        """The program is gone."""
        self.loop.call_soon_threadsafe(self.server.abort)

    def close(self) -> None:
        """Stop the server too."""

        async def stop() -> None:
            close_streams(self.app)
            await self.server.stop()

        self.run(stop())
        self.stop()


@pytest.fixture(scope="package")
def launched(chromium: str) -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


def _site() -> Iterator[Site]:
    if url := os.environ.get("BORNE_TEST_URL"):
        name, _, password = os.environ.get("BORNE_TEST_LOGIN", "").partition(" ")
        yield Site(url.rstrip("/"), name, password, None)
        return
    fake = Fake()
    yield Site(fake.server.url, "manufacturer", PASSWORD, fake)
    fake.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A station for one test."""
    yield from _site()


@pytest.fixture(scope="package")
def shared_site() -> Iterator[Site]:
    """A station for tests that only look."""
    yield from _site()


class Pages:
    """Opens pages and records the errors of the browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.browser_errors: list[str] = []

    def open(self, size: str = "desktop", theme: str = "light", **options: Any) -> Page:
        width, height = SIZES[size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            **{"locale": "en-GB", **options},
        )
        context.set_default_timeout(TEST_TIMEOUT_S * 1000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.browser_errors.append(str(error)))
        return page

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(part in message.text for part in EXPECTED)
        if message.type in {"error", "warning"} and not expected:
            self.browser_errors.append(message.text)

    def log_in(self, page: Page, site: Site, name: str = "") -> None:
        page.goto(f"{site.url}/login")
        page.get_by_label("User name").fill(name or site.name)
        page.get_by_label("Password").fill(site.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{site.url}/")

    def enter(self, site: Site, size: str = "desktop", theme: str = "light") -> Page:
        """A page with a login."""
        page = self.open(size, theme)
        if site.has_fake:
            page.goto(f"{site.url}/login/{site.fake.run(site.fake.link())}")
        else:
            self.log_in(page, site)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(launched: Browser) -> Iterator[Pages]:
    found = Pages(launched)
    yield found
    found.close()
    assert found.browser_errors == []


@pytest.fixture(scope="package")
def shared_pages(launched: Browser, shared_site: Site) -> Iterator[tuple[Pages, Page]]:
    """A page for tests that only look: what it has loaded once it need not load again."""
    pages = Pages(launched)
    yield pages, pages.enter(shared_site)
    pages.close()


@pytest.fixture
def shared_page(shared_pages: tuple[Pages, Page]) -> Iterator[Page]:
    """That page, for one test."""
    pages, page = shared_pages
    pages.browser_errors.clear()
    yield page
    page.goto("about:blank")
    assert pages.browser_errors == []


def resize(page: Page, size: str, theme: str = "light") -> None:
    """Another screen, and the other theme."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")


@pytest.fixture
def central() -> Iterator[tuple[Background, CentralSystem]]:
    """An independent central system in a thread of its own."""
    background = Background()
    running = central_system()
    yield background, background.run(running.__aenter__())
    background.run(running.__aexit__(None, None, None))
    background.stop()


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Saves a picture of a page when asked for."""
    folder = os.environ.get("BORNE_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep
