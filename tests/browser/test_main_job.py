"""The main job, from the page to the invoice: a car charged by clicks in a real browser, seen by an
independent central system. The station is a process of its own, started as people start it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.support.central_system import CentralSystem, Ledger, central_system

pytestmark = pytest.mark.browser
PATIENCE_S = 30
CARD_NAME = "Anna"
expect.set_options(timeout=PATIENCE_S * 1000)


@asynccontextmanager
async def served(data: Path, central: CentralSystem) -> AsyncIterator[str]:
    """A station that dials the central system; gives its one-time login link."""
    settings = {
        "ConnectionType": "ethernet",
        "ChargePointID": "CP-1",
        "WebSocketsBackendURL": central.url,
        "MeterValueSampleInterval": "1",
    }
    arguments = ["-m", "borne", "serve", "--data", str(data), "--port", "0"]
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield await asyncio.wait_for(_login_link(process), PATIENCE_S)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def _login_link(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := re.search(rb"http://\S+/login/\S+", line):
            return found[0].decode()
    raise AssertionError("the station told no login link")


@asynccontextmanager
async def opened(chromium: str, link: str) -> AsyncIterator[Page]:
    """A browser that has used the link."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_S * 1000)
        await page.goto(link)
        try:
            yield page
        finally:
            await browser.close()


async def _plug_and_hold_card(page: Page, ledger: Ledger) -> None:
    await page.get_by_role("link", name="Simulator").first.click()
    await page.get_by_role("button", name="Plug a car in").first.click()
    await page.locator("#plug-1").get_by_role("button", name="Family car").click()
    await ledger.wait_for("StatusNotification", connector_id=1, status="Preparing")
    await _hold_card(page)


async def _hold_card(page: Page) -> None:
    await page.locator('[data-open="card-menu"]').first.click()
    await page.locator("#card-menu").get_by_role("button", name=CARD_NAME).click()


async def test_a_car_charged_through_the_page_is_billed(chromium: str, tmp_path: Path) -> None:
    async with central_system() as central, served(tmp_path, central) as link:
        ledger = central.ledger
        for connector in (1, 2):
            await ledger.wait_for("StatusNotification", connector_id=connector, status="Available")
        async with opened(chromium, link) as page:
            await _plug_and_hold_card(page, ledger)
            (authorize,) = await ledger.wait_for("Authorize")
            (start,) = await ledger.wait_for("StartTransaction")
            assert start["id_tag"] == authorize["id_tag"]
            values = await ledger.wait_for("MeterValues", count=3)
            await page.get_by_role("link", name="Dashboard").first.click()
            await expect(page.locator("#socket-1")).to_contain_text("Charging at")
            await _keep_picture(page)
            await page.locator("#socket-1").get_by_role("button", name="Stop").click()
            confirm = page.locator("dialog[open]").get_by_role("button", name="Stop")
            if await confirm.count():
                await confirm.first.click()
            (stop,) = await ledger.wait_for("StopTransaction")
            await expect(page.locator("#socket-1")).not_to_contain_text("Charging at")

        registers = [_register(value) for value in values]
        assert registers == sorted(registers)
        assert start["meter_start"] <= registers[0] < registers[-1] <= stop["meter_stop"]
        assert stop["transaction_id"] == 1001
        seen = [item.action for item in ledger.seen]
        order = [seen.index(a) for a in ("BootNotification", "StatusNotification", "Authorize")]
        assert order == sorted(order)
        assert seen.count("StartTransaction") == seen.count("StopTransaction") == 1


async def _keep_picture(page: Page) -> None:
    """The picture of the README, when asked for."""
    if path := os.environ.get("BORNE_README_PICTURE"):
        await page.screenshot(path=path)


def _register(payload: dict[str, Any]) -> int:
    (value,) = payload["meter_value"]
    found = [
        int(sampled["value"])
        for sampled in value["sampled_value"]
        if sampled["measurand"] == "Energy.Active.Import.Register"
    ]
    return found[0]
