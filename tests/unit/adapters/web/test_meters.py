"""Meters on the pages: their settings, the live test, guidance (manual 1.4, 7.5)."""

from __future__ import annotations

import asyncio
import re

import pytest

from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.meter_view import (
    TODO,
    address_text,
    currents_text,
    direction_of,
    values_of,
)
from borne.domain.help import meter_help
from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.meters.findings import FindingCode
from borne.domain.meters.measurement import Measurement
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.catalogue.meter_profiles import METERS, PROFILES
from borne.domain.settings.entry import MeterReach
from tests.support.fake_meters import IN_DOUBT
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, stage, text_of

LOAD, INSTALLATION = "load-management", "installation"
SAVED = "?saved=1"
SECOND = {"DLMExternalMeterSupport": "on", "SecondMeterConfig": "tq_em300"}


@pytest.fixture
async def operator(browser: Clients) -> Client:
    return await browser(Role.OPERATOR)


@pytest.fixture
async def installer(browser: Clients) -> Client:
    return await browser(Role.INSTALLER)


def fields(html: str) -> list[str]:
    """The meter's settings of a page, in their order."""
    return re.findall(r'id="s-((?:Second)?Meter[A-Za-z]+(?:_2)?)"', html)


async def page_of(person: Client, menu: str) -> str:
    return (await person.get(f"/settings/{menu}")).text


async def run_test(person: Client, key: str = "second", query: str = "") -> str:
    answer = await person.post(f"/meters/{key}/test{query}", headers=HTMX)
    assert answer.status_code == 200, answer.text
    return answer.text


async def renewed(person: Client, html: str, key: str = "second") -> str:
    """The panel after the test has polled once more."""
    found = re.search(r'name="lease" value="([^"]+)"', html)
    assert found
    await asyncio.sleep(0)
    answer = await person.post(f"/meters/{key}/test/renew", data={"lease": found[1]}, headers=HTMX)
    return answer.text


# The settings -------------------------------------------------------------------------------------


async def test_the_type_decides_at_once_which_settings_are_asked_for(operator: Client) -> None:
    assert fields(await page_of(operator, LOAD)) == []
    in_network = await stage(operator, LOAD, **SECOND)
    assert fields(in_network) == [
        "SecondMeterConfig",
        "SecondMeterIP",
        "SecondMeterPort",
        "SecondMeterUnitId",
    ]
    on_line = await stage(operator, LOAD, SecondMeterConfig="eastron_sdm630")
    assert fields(on_line) == [
        "SecondMeterConfig",
        "SecondMeterUnitId",
        "SecondMeterSerialPort",
        "SecondMeterBaudRate",
        "SecondMeterParity",
    ]
    assert fields(await stage(operator, LOAD, SecondMeterConfig="sma_speedwire")) == [
        "SecondMeterConfig",
        "SecondMeterIP",
    ]


async def test_the_types_have_the_labels_of_the_manual(operator: Client) -> None:
    html = text_of(await stage(operator, LOAD, **SECOND))
    for label in ("Modbus Siemens 7KM2200 (TCP)", "Modbus B-Control EM300-LR (TCP)"):
        assert label in html


async def test_each_socket_has_its_ocpp_meter(installer: Client) -> None:
    html = await stage(installer, INSTALLATION, MeterConfig="tq_em300", MeterIP="192.0.2.7")
    assert {"MeterConfig", "MeterConfig_2", "MeterIP", "MeterPort", "MeterUnitId"} <= set(
        fields(html)
    )
    assert "MeterIP_2" not in fields(html)
    assert 'action="/meters/ocpp/test"' in html
    assert 'action="/meters/ocpp-2/test"' not in html, "the internal meter needs no test"
    assert "Test the meter of socket 1" in html


# The live test ------------------------------------------------------------------------------------


async def test_the_live_test_asks_what_was_typed(operator: Client, host: FakeHost) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50", SecondMeterUnitId="7")
    await run_test(operator)
    await asyncio.sleep(0)
    assert host.meter.asked == [MeterAddress("tq_em300", "192.0.2.50", 502, 7)]
    assert host.all.settings.settings["SecondMeterIP"] == "", "nothing was saved"


async def test_a_meter_on_a_line_is_asked_there(operator: Client, host: FakeHost) -> None:
    await stage(
        operator,
        LOAD,
        DLMExternalMeterSupport="on",
        SecondMeterConfig="eastron_sdm630",
        SecondMeterSerialPort="/dev/ttyUSB0",
        SecondMeterBaudRate="19200",
        SecondMeterParity="even",
    )
    panel = await run_test(operator)
    await asyncio.sleep(0)
    address = MeterAddress("eastron_sdm630", device="/dev/ttyUSB0", baud=19200, parity=Parity.EVEN)
    assert host.meter.asked == [address]
    assert "/dev/ttyUSB0, 19200\u202fBd, Even (8E1), unit id 1" in panel


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (MeterAddress("tq_em300", "2001:db8::7"), "[2001:db8::7]:502, unit id 1"),
        (MeterAddress("tq_em300"), "–:502, unit id 1"),
        (MeterAddress("abb_b23", device="rtu://192.0.2.9:4001"), "rtu://192.0.2.9:4001, unit id 1"),
    ],
    ids=["IPv6", "no address yet", "the speed behind a gateway is its own"],
)
def test_the_place_of_a_meter_in_words(address: MeterAddress, text: str) -> None:
    assert address_text(address, Words("en")) == text


async def test_its_panel_has_all_values(operator: Client) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    html = await run_test(operator)
    assert "Reading the meter …" in html
    panel = text_of(await renewed(operator, html)).replace("\u202f", " ")
    for words in (
        "The meter answers.",
        "Asked: Modbus B-Control EM300-LR (TCP) · 192.0.2.50:502, unit id 1",
        "L1 230.1 V 12.3 A 2.8 kW imports",
        "L3 231.0 V -3.0 A -702 W exports",
        "Total power 4.0 kW · imports",
        "Imported energy 12,345.68 kWh",
        "Exported energy 4.32 kWh",
        "Frequency 50.02 Hz",
        "Age of the values 0 s",
        "Serial number LQN 0815",
    ):
        assert words in panel


async def test_what_is_in_doubt_is_shown(operator: Client, host: FakeHost) -> None:
    host.meter.findings = (IN_DOUBT,)
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    panel = await renewed(operator, await run_test(operator))
    assert "The meter answers, but something is in doubt." in panel
    assert "wrong word order" in panel
    assert "Compare the type with the plate of the meter." in panel


@pytest.mark.parametrize(
    ("slug", "place", "first"),
    [
        ("tq_em300", {"SecondMeterIP": "192.0.2.1"}, "Is the meter's display on, and is the lamp"),
        ("abb_b23", {"SecondMeterSerialPort": "/dev/ttyS1"}, "Is the meter's display on?"),
        ("sma_speedwire", {}, "Is the meter's display on, and is the lamp"),
    ],
)
async def test_the_panel_of_a_silent_meter_lists_what_to_check(
    slug: str, place: dict[str, str], first: str, operator: Client, host: FakeHost
) -> None:
    host.meter.error = "192.0.2.1 refuses connections on port 502."
    await stage(operator, LOAD, **SECOND | {"SecondMeterConfig": slug} | place)
    panel = text_of(await renewed(operator, await run_test(operator)))
    assert "The meter does not answer." in panel
    assert "refuses connections on port 502" in panel
    steps = panel[panel.index("What to check, in this order") :]
    assert steps.index(first) < 60


async def test_a_type_with_other_usual_settings_names_them(operator: Client) -> None:
    schneider = {"SecondMeterConfig": "schneider_iem3x55", "SecondMeterSerialPort": "/dev/ttyS1"}
    shown = "Usual for this type: 19200\u202fBd, Even (8E1), unit id 1."
    assert shown in text_of(await stage(operator, LOAD, **SECOND | schneider))
    fitting = {"SecondMeterBaudRate": "19200", "SecondMeterParity": "even"}
    assert "Usual for this type" not in await stage(operator, LOAD, **fitting)
    behind = {"SecondMeterSerialPort": "tcp://192.0.2.9:502", "SecondMeterParity": "odd"}
    assert "Usual for this type" not in await stage(operator, LOAD, **behind)
    wm3 = {"SecondMeterConfig": "iskra_wm3"}
    assert "Usual for this type: unit id 33." in text_of(await stage(operator, LOAD, **wm3))


async def test_a_device_without_the_registers_is_no_silent_meter(
    operator: Client, host: FakeHost
) -> None:
    host.meter.error, host.meter.is_other_type = "Is it another type of meter?", True
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    panel = text_of(await renewed(operator, await run_test(operator)))
    assert "The meter answers, but not as this type. " in panel
    assert "What to check" not in panel


async def test_a_wrong_description_is_no_silent_meter(operator: Client, host: FakeHost) -> None:
    host.meter.error, host.meter.was_asked = "The file is wrong: Line 3: ...", False
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    panel = text_of(await renewed(operator, await run_test(operator)))
    assert "The test could not be carried out. " in panel
    assert "The file is wrong: Line 3" in panel
    assert "What to check" not in panel


async def test_the_panel_stays_with_its_settings(operator: Client) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    await renewed(operator, await run_test(operator))
    assert "The meter answers." in await page_of(operator, LOAD)
    assert "The meter answers." in await stage(operator, LOAD, OperatorCurrentLimit="16")
    assert "The meter answers." not in await stage(operator, LOAD, SecondMeterPort="503")
    assert "The meter answers." not in await page_of(operator, LOAD)


async def test_closing_the_panel_ends_the_test(operator: Client, host: FakeHost) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    host.meter.held = asyncio.Event()
    html = await run_test(operator)
    await asyncio.sleep(0)
    closed = await operator.post("/meters/second/test/end", headers=HTMX)
    await asyncio.sleep(0)
    assert host.meter.cancelled == 1
    assert "panel" not in closed.text
    assert "panel" not in await renewed(operator, html)


async def test_without_scripts_the_page_shows_the_panel(operator: Client) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    answer = await operator.post("/meters/second/test")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/settings/{LOAD}")
    await asyncio.sleep(0)
    assert "The meter answers." in await page_of(operator, LOAD)


@pytest.mark.parametrize(
    ("key", "staged", "status", "message"),
    [
        ("second", {}, 422, "There is no meter to ask"),
        ("second", SECOND, 422, "Enter the IP address of the meter first."),
        (
            "second",
            SECOND | {"SecondMeterConfig": "abb_b23"},
            422,
            "Enter the serial port of the meter first.",
        ),
        ("ocpp-2", {}, 422, "There is no meter to ask"),
        ("ocpp-3", {}, 404, "There is no such meter."),
        ("third", {}, 404, "There is no such meter."),
    ],
)
async def test_a_test_without_an_address_is_refused(
    key: str,
    staged: dict[str, str],
    status: int,
    message: str,
    operator: Client,
    host: FakeHost,
) -> None:
    if staged:
        await stage(operator, LOAD, **staged)
    answer = await operator.post(f"/meters/{key}/test", headers=HTMX)
    assert (answer.status_code, message in answer.text) == (status, True)
    assert not host.meter.asked


async def test_what_cannot_be_read_is_not_replaced_by_the_saved_address(
    operator: Client, host: FakeHost
) -> None:
    changes = {"DLMExternalMeterSupport": True, "SecondMeterIP": "192.0.2.50"}
    await host.all.settings.change(changes, SYSTEM, "test")
    await stage(operator, LOAD, SecondMeterIP="192.0.2.999")
    answer = await operator.post("/meters/second/test", headers=HTMX)
    assert answer.status_code == 422
    assert "Correct the settings of the meter first." in answer.text
    assert host.meter.asked == []


async def test_a_station_that_cannot_test(operator: Client, host: FakeHost) -> None:
    host.replace(try_meter=None)
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    assert (await operator.post("/meters/second/test", headers=HTMX)).status_code == 404


# Rights -------------------------------------------------------------------------------------------


async def test_only_who_may_set_the_ocpp_meter_may_test_it(
    operator: Client, host: FakeHost
) -> None:
    changes = {"MeterConfig": "tq_em300", "MeterIP": "192.0.2.7", "OperatorMayInstall": False}
    await host.all.settings.change(changes, SYSTEM, "test")
    assert "/meters/ocpp/test" not in await page_of(operator, INSTALLATION)
    refused = await operator.post("/meters/ocpp/test", headers=HTMX)
    assert (refused.status_code, host.meter.asked) == (403, [])
    saved = await operator.post(f"/meters/ocpp/test{SAVED}", headers=HTMX)
    await asyncio.sleep(0)
    assert saved.status_code == 200
    assert host.meter.asked == [MeterAddress("tq_em300", "192.0.2.7")]


async def test_a_user_tests_nothing(browser: Clients, host: FakeHost) -> None:
    user = await browser(Role.USER)
    for path in ("test", "test/renew", "test/end"):
        assert (await user.post(f"/meters/second/{path}", headers=HTMX)).status_code == 403


async def test_the_saved_meter_is_tested_without_what_was_typed(
    operator: Client, host: FakeHost
) -> None:
    changes = {"DLMExternalMeterSupport": True, "SecondMeterIP": "192.0.2.50"}
    await host.all.settings.change(changes, SYSTEM, "test")
    await stage(operator, LOAD, SecondMeterIP="192.0.2.99")
    await run_test(operator, query=SAVED)
    await asyncio.sleep(0)
    assert [address.host for address in host.meter.asked] == ["192.0.2.50"]


async def test_a_login_does_not_see_the_test_of_another(
    operator: Client, installer: Client
) -> None:
    await stage(operator, LOAD, **SECOND, SecondMeterIP="192.0.2.50")
    html = await run_test(operator)
    assert "panel" not in await renewed(installer, html)
    await stage(installer, LOAD, **SECOND, SecondMeterIP="192.0.2.51")
    refused = await installer.post("/meters/second/test", headers=HTMX)
    assert refused.status_code == 409
    assert "Somebody else tests this meter" in refused.text


# Help pages ---------------------------------------------------------------------------------------


async def test_the_help_page_reads_the_saved_second_meter(operator: Client, host: FakeHost) -> None:
    path = "/help/meter-external"
    assert "/meters/second/test" not in (await operator.get(path)).text
    changes = {"DLMExternalMeterSupport": True, "SecondMeterIP": "192.0.2.50"}
    await host.all.settings.change(changes, SYSTEM, "test")
    html = (await operator.get(path)).text
    assert "Read meter now" in html
    assert 'action="/meters/second/test?saved=1"' in html
    answer = await operator.post(f"/meters/second/test{SAVED}")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    await asyncio.sleep(0)
    text = text_of((await operator.get(path)).text)
    assert "The meter answers." in text
    assert "192.0.2.50:502" in text
    assert "assumes the fallback value" in text
    assert "Modbus Siemens 7KM2200 (TCP) · 192.0.2.50:502, unit id 1" in text


async def test_the_help_page_reads_each_ocpp_meter(operator: Client, host: FakeHost) -> None:
    changes = {"MeterConfig": "tq_em300", "MeterIP": "192.0.2.7"}
    more = {"MeterConfig_2": "tq_em300", "MeterIP_2": "192.0.2.8"}
    path = "/help/meter-ocpp"
    await host.all.settings.change(changes, SYSTEM, "test")
    assert "Read meter now" in (await operator.get(path)).text
    await host.all.settings.change(more, SYSTEM, "test")
    assert "Socket 2: read meter now" in (await operator.get(path)).text
    host.replace(meter_ages_s=lambda: {"2": 75.0})
    text = text_of((await operator.get(path)).text).replace("\u202f", " ")
    assert "192.0.2.7:502, unit id 1 · no value yet" in text
    assert "192.0.2.8:502, unit id 1 · last value 1 min ago" in text
    await operator.post(f"/meters/ocpp-2/test{SAVED}", headers=HTMX)
    await asyncio.sleep(0)
    assert [address.host for address in host.meter.asked] == ["192.0.2.8"]
    assert "192.0.2.8:502" in (await operator.get(path)).text


async def test_a_user_reads_help_without_buttons(browser: Clients, host: FakeHost) -> None:
    await host.all.settings.change({"DLMExternalMeterSupport": True}, SYSTEM, "test")
    user = await browser(Role.USER)
    html = (await user.get("/help/meter-external")).text
    assert "Is the meter in the same network as the station?" in html
    assert "/meters/" not in html


# Guidance -----------------------------------------------------------------------------------------


async def test_the_page_explains_how_an_eem_mb371_gets_its_address(operator: Client) -> None:
    html = text_of(
        await stage(operator, LOAD, **SECOND | {"SecondMeterConfig": "phoenix_eem_mb371"})
    )
    for words in ("192.168.1.2", "Dynamic (DHCP)", "switch the meter off and on again"):
        assert words in html
    assert "192.168.1.2" not in text_of(await stage(operator, LOAD, SecondMeterConfig="tq_em300"))


async def test_the_page_says_that_modbus_must_be_switched_on(operator: Client) -> None:
    html = await stage(operator, LOAD, **SECOND)
    assert "Modbus TCP must be switched on in the web page of the meter." in html
    html = await stage(operator, LOAD, SecondMeterConfig="siemens_7km2200")
    assert "Modbus TCP must be switched on in the web page of the meter." not in html


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("172.16.23.99", False),
        ("172.16.23.100", True),
        ("172.16.23.254", True),
        ("172.16.23.255", False),
        ("172.16.24.100", False),
        ("meter.example.com", False),
    ],
)
async def test_an_address_that_the_master_gives_away_is_warned_of(
    address: str, warned: bool, operator: Client
) -> None:
    html = await stage(operator, LOAD, **SECOND, SecondMeterIP=address)
    assert ("The master may give this address to a charging station" in html) is warned


def test_every_type_has_steps_for_its_silence() -> None:
    for meter in METERS:
        assert meter_help.CHECKS[meter.reach], meter.slug
    assert set(meter_help.MISSING) == {MeterReach.NETWORK, MeterReach.LINE}


def test_every_finding_says_what_to_do() -> None:
    assert set(TODO) == set(FindingCode)


def test_guidance_names_types_that_exist() -> None:
    for slug in (*meter_help.NOTES, *meter_help.SETUPS):
        assert slug in PROFILES


# Values -------------------------------------------------------------------------------------------


def test_what_a_meter_does_not_give_is_no_zero() -> None:
    values = values_of(Measurement(0.0), None, Words("en"))
    assert {(row.voltage, row.current, row.power, row.direction) for row in values.rows} == {
        ("–", "–", "–", "")
    }
    assert [value for _, value in values.facts] == ["–"] * 5 + ["not given by the meter"]


@pytest.mark.parametrize(
    ("value", "words"), [(None, ""), (0.0, ""), (-0.04, ""), (0.1, "imports"), (-0.1, "exports")]
)
def test_a_sign_in_words(value: float | None, words: str) -> None:
    assert direction_of(value, Words("en")) == words


def test_currents_in_a_sentence() -> None:
    text = currents_text((12.34, None, -3.0), Words("en"))
    assert text == "12.3\u202fA, –, -3.0\u202fA\u00a0(exports)"
    assert currents_text((-0.04, 0.0, 0.0), Words("en")) == "0.0\u202fA, 0.0\u202fA, 0.0\u202fA"
