"""A session from the page to the invoice: a car charged by clicks in a real browser, seen by an
independent central system. The station is a process of its own, started as people start it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Background, Pages
from tests.support.central_system import CentralSystem
from tests.support.process import served
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
CARD_NAME = "Anna"
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)


def _settings(central: CentralSystem) -> list[str]:
    """Settings of a station that connects to the central system."""
    settings = {
        "ConnectionType": "ethernet",
        "ChargePointID": "CP-1",
        "WebSocketsBackendURL": central.url,
        "MeterValueSampleInterval": "1",
    }
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def _plug_and_hold_card(page: Page, wait_for: Callable[..., Any]) -> None:
    page.get_by_role("link", name="Simulator").first.click()
    page.get_by_role("button", name="Plug a car in").first.click()
    page.locator("#plug-1").get_by_role("button", name="Family car").click()
    wait_for("StatusNotification", connector_id=1, status="Preparing")
    _hold_card(page)


def _hold_card(page: Page) -> None:
    page.locator('[data-open="card-menu"]').first.click()
    page.locator("#card-menu").get_by_role("button", name=CARD_NAME).click()


def test_a_car_charged_through_the_page_is_billed(
    pages: Pages, tmp_path: Path, central: tuple[Background, CentralSystem]
) -> None:
    background, backend = central
    ledger = backend.ledger

    def wait_for(action: str, **wanted: Any) -> list[dict[str, Any]]:
        return background.run(ledger.wait_for(action, **wanted))

    with served("--data", tmp_path, *_settings(backend)) as running:
        for connector in (1, 2):
            wait_for("StatusNotification", connector_id=connector, status="Available")
        page = pages.open()
        page.goto(running.link)
        _plug_and_hold_card(page, wait_for)
        (authorize,) = wait_for("Authorize")
        (start,) = wait_for("StartTransaction")
        assert start["id_tag"] == authorize["id_tag"]
        values = wait_for("MeterValues", count=3)
        page.get_by_role("link", name="Dashboard").first.click()
        expect(page.locator("#socket-1")).to_contain_text("Charging at")
        _keep_picture(page)
        page.locator("#socket-1").get_by_role("button", name="Stop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop").first.click()
        (stop,) = wait_for("StopTransaction")
        expect(page.locator("#socket-1")).not_to_contain_text("Charging at")
        assert running.end() == 0

    registers = [_register(value) for value in values]
    assert registers == sorted(registers)
    assert start["meter_start"] <= registers[0] < registers[-1] <= stop["meter_stop"]
    assert stop["transaction_id"] == 1001
    seen = [item.action for item in ledger.seen]
    order = [seen.index(a) for a in ("BootNotification", "StatusNotification", "Authorize")]
    assert order == sorted(order)
    assert seen.count("StartTransaction") == seen.count("StopTransaction") == 1


def _keep_picture(page: Page) -> None:
    """The picture of the README, when asked for."""
    if path := os.environ.get("BORNE_README_PICTURE"):
        page.screenshot(path=path)


def _register(payload: dict[str, Any]) -> int:
    (value,) = payload["meter_value"]
    found = [
        int(sampled["value"])
        for sampled in value["sampled_value"]
        if sampled["measurand"] == "Energy.Active.Import.Register"
    ]
    return found[0]
