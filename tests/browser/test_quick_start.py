"""The manual's quick start followed to the letter on the pages (manual 1.2 and 1.3.2).

Each station is fresh, a process of its own, and is entered with the printed password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Background, Pages
from tests.support.central_system import CentralSystem
from tests.support.process import served
from tests.support.timeouts import TEST_TIMEOUT_S

pytestmark = pytest.mark.browser
PASSWORD = "Ladekabel-2026"
PRINTED = "yellow_zone"
expect.set_options(timeout=TEST_TIMEOUT_S * 1000)


@contextmanager
def fresh(data: Path, *arguments: str) -> Iterator[str]:
    """A station as it leaves the factory; gives its address."""
    with served("--data", data, *arguments) as running:
        yield running.page
        assert running.end() == 0


def log_in(page: Page, address: str) -> None:
    """By the manual's address and account; the printed password opens the page for a new one."""
    page.goto(f"{address}/operator")
    page.locator("#name").fill("operator")
    page.locator("#password").fill(PRINTED)
    page.locator('form[action="/login"] button').click()
    page.wait_for_url("**/account/password")
    for field in page.locator('input[type="password"]').all():
        is_old = field.get_attribute("autocomplete") == "current-password"
        field.fill(PRINTED if is_old else PASSWORD)
    page.locator('form[action="/account/password"] button').click()
    expect(page.locator("nav.side")).to_be_visible()


def menu(page: Page, name: str) -> None:
    """Choose an entry of the menu on the left."""
    page.locator("nav.side").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def restart(page: Page, button: str) -> None:
    """Save and restart, and wait until the station is back."""
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("[data-restarting]")).to_be_visible()
    expect(page.locator("[data-restarting]")).to_be_hidden()


def plug_in(page: Page) -> None:
    """Plug a car in at socket 1, as a driver would."""
    page.locator('nav.side a[href="/simulator"]').click()
    page.locator('[data-open="plug-1"]').first.click()
    page.locator("#plug-1 .choices button").first.click()


def test_plug_and_charge_without_backend(pages: Pages, tmp_path: Path) -> None:
    with fresh(tmp_path) as address:
        page = pages.open(locale="fr-BE")
        log_in(page, address)
        menu(page, "Autorisation")
        page.get_by_role("switch", name="Recharge gratuite", exact=True).check()
        mode = page.get_by_label("Mode de charge gratuite", exact=True)
        mode.select_option("Pas d'OCPP")
        restart(page, "Enregistrer et redémarrer")
        plug_in(page)
        page.locator("nav.side").get_by_role("link", name="Tableau de bord").click()
        expect(page.locator("#socket-1")).to_contain_text("Charge à")


def test_a_card_without_backend(pages: Pages, tmp_path: Path) -> None:
    empty_list = ("--set", "FLLEnable=off")
    with fresh(tmp_path, *empty_list) as address:
        page = pages.open()
        log_in(page, address)
        menu(page, "Whitelists")
        page.get_by_role("button", name="Add entry", exact=True).click()
        window = page.get_by_role("dialog")
        expect(window).to_contain_text("Hold a card to the reader")
        window.get_by_role("button", name="Anna").click()
        expect(window.get_by_role("log")).to_contain_text("added")
        window.get_by_role("button", name="Finish").click()
        expect(page.get_by_text("1 card added.")).to_be_visible()
        page.get_by_role("button", name="Enable local whitelist").click()
        expect(page.get_by_text("The local whitelist is on")).to_be_visible()
        plug_in(page)
        page.locator('[data-open="card-menu"]').first.click()
        page.locator("#card-menu").get_by_role("button", name="Anna").click()
        page.locator("nav.side").get_by_role("link", name="Dashboard").click()
        expect(page.locator("#socket-1")).to_contain_text("Charging at")


def test_a_backend_over_the_local_network(
    pages: Pages, tmp_path: Path, central: tuple[Background, CentralSystem]
) -> None:
    background, backend = central
    with fresh(tmp_path) as address:
        page = pages.open(locale="fr-BE")
        log_in(page, address)
        menu(page, "Réseau")
        page.locator("main").get_by_role("link", name="Backend").click()
        connection = page.get_by_label("Type de connexion", exact=True)
        connection.select_option("Ethernet")
        expect(page.get_by_text("OCPP-J 1.6").first).to_be_visible()
        url = page.get_by_label("URL WebSockets JSON OCPP du backend", exact=True)
        url.fill(backend.url)
        url.press("Tab")
        restart(page, "Enregistrer et redémarrer")
        background.run(
            backend.ledger.wait_for("StatusNotification", connector_id=1, status="Available")
        )
        page.locator("nav.side").get_by_role("link", name="Tableau de bord").click()
        status = page.locator("#details")
        expect(status).to_contain_text("État de la connexion (backend)")
        expect(status).to_contain_text(
            re.compile(r"Connecté \(envoyer le battement de cœur dans \d+ secondes\)")
        )
        expect(status).to_contain_text("OCPP ChargeBoxIdentity (ChargePointID)")
