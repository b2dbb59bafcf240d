"""The manual's quick start followed to the letter on the pages (manual 1.2 and 1.3.2).

Each station is fresh, a process of its own, and is entered with the printed password.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.support.central_system import central_system

pytestmark = pytest.mark.browser
PATIENCE_S = 30
PASSWORD = "Ladekabel-2026"
PRINTED = "yellow_zone"
expect.set_options(timeout=PATIENCE_S * 1000)


@asynccontextmanager
async def fresh(data: Path, *arguments: str) -> AsyncIterator[str]:
    """A station as it leaves the factory; gives its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "borne", "serve", "--data", str(data), "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await asyncio.wait_for(_address(process), PATIENCE_S)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := re.search(rb"(http://\S+)/login/\S+", line):
            return found[1].decode()
    raise AssertionError("the station told no address")


@asynccontextmanager
async def opened(chromium: str, locale: str) -> AsyncIterator[Page]:
    """A browser of somebody who speaks the language."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(locale=locale, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_S * 1000)
        try:
            yield await context.new_page()
        finally:
            await browser.close()


async def log_in(page: Page, address: str) -> None:
    """By the manual's address and account; the printed password opens the page for a new one."""
    await page.goto(f"{address}/operator")
    await page.locator("#name").fill("operator")
    await page.locator("#password").fill(PRINTED)
    await page.locator('form[action="/login"] button').click()
    await page.wait_for_url("**/account/password")
    for field in await page.locator('input[type="password"]').all():
        is_old = await field.get_attribute("autocomplete") == "current-password"
        await field.fill(PRINTED if is_old else PASSWORD)
    await page.locator('form[action="/account/password"] button').click()
    await expect(page.locator("nav.side")).to_be_visible()


async def menu(page: Page, name: str) -> None:
    """A click in the menu on the left."""
    await page.locator("nav.side").get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(name)


async def restart(page: Page, button: str) -> None:
    """Save and restart, and wait until the station is back."""
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.locator("[data-restarting]")).to_be_visible()
    await expect(page.locator("[data-restarting]")).to_be_hidden()


async def plug_in(page: Page) -> None:
    """In the place of a driver: a car at socket 1."""
    await page.locator('nav.side a[href="/simulator"]').click()
    await page.locator('[data-open="plug-1"]').first.click()
    await page.locator("#plug-1 .choices button").first.click()


async def test_plug_and_charge_without_backend(chromium: str, tmp_path: Path) -> None:
    async with fresh(tmp_path) as address, opened(chromium, "fr-BE") as page:
        await log_in(page, address)
        await menu(page, "Autorisation")
        await page.get_by_role("switch", name="Recharge gratuite", exact=True).check()
        mode = page.get_by_label("Mode de charge gratuite", exact=True)
        await mode.select_option("Pas d'OCPP")
        await restart(page, "Enregistrer et redémarrer")
        await plug_in(page)
        await page.locator("nav.side").get_by_role("link", name="Tableau de bord").click()
        await expect(page.locator("#socket-1")).to_contain_text("Charge à")


async def test_a_badge_without_backend(chromium: str, tmp_path: Path) -> None:
    empty_list = ("--set", "FLLEnable=off")
    async with fresh(tmp_path, *empty_list) as address, opened(chromium, "en-GB") as page:
        await log_in(page, address)
        await menu(page, "Whitelists")
        await page.get_by_role("button", name="Add entry", exact=True).click()
        window = page.get_by_role("dialog")
        await expect(window).to_contain_text("Hold a card to the reader")
        await window.get_by_role("button", name="Anna").click()
        await expect(window.get_by_role("log")).to_contain_text("added")
        await window.get_by_role("button", name="Finish").click()
        await expect(page.get_by_text("1 card added.")).to_be_visible()
        await page.get_by_role("button", name="Enable local whitelist").click()
        await expect(page.get_by_text("The local whitelist is on")).to_be_visible()
        await plug_in(page)
        await page.locator('[data-open="card-menu"]').first.click()
        await page.locator("#card-menu").get_by_role("button", name="Anna").click()
        await page.locator("nav.side").get_by_role("link", name="Dashboard").click()
        await expect(page.locator("#socket-1")).to_contain_text("Charging at")


async def test_a_backend_over_the_local_network(chromium: str, tmp_path: Path) -> None:
    async with (
        central_system() as central,
        fresh(tmp_path) as address,
        opened(chromium, "fr-BE") as page,
    ):
        await log_in(page, address)
        await menu(page, "Réseau")
        await page.locator("main").get_by_role("link", name="Backend").click()
        connection = page.get_by_label("Type de connexion", exact=True)
        await connection.select_option("Ethernet")
        await expect(page.get_by_text("OCPP-J 1.6").first).to_be_visible()
        url = page.get_by_label("URL WebSockets JSON OCPP du backend", exact=True)
        await url.fill(central.url)
        await url.press("Tab")
        await restart(page, "Enregistrer et redémarrer")
        await central.ledger.wait_for("StatusNotification", connector_id=1, status="Available")
        await page.locator("nav.side").get_by_role("link", name="Tableau de bord").click()
        status = page.locator("#details")
        await expect(status).to_contain_text("État de la connexion (backend)")
        await expect(status).to_contain_text(
            re.compile(r"Connecté \(envoyer le battement de cœur dans \d+ secondes\)")
        )
        await expect(status).to_contain_text("OCPP ChargeBoxIdentity (ChargePointID)")
