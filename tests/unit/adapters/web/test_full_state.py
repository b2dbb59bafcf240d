"""The state in the words of older controllers, for home automation."""

from __future__ import annotations

import pytest

from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.catalogue.readings import REST_FIELDS
from borne.domain.station.faults import Fault
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import HTML, Client, Clients

PATH = "/rest/full_state"


async def lines(client: Client, path: str = PATH) -> dict[str, str]:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    pairs = [line.partition(":") for line in answer.text.splitlines()]
    assert [name for name, _, _ in pairs] == list(REST_FIELDS)
    return {name: value for name, _, value in pairs}


async def test_the_state_of_a_free_socket(operator: Client) -> None:
    values = await lines(operator)
    expected = {
        "conn_state": "no_vehicle_connected",
        "auth_state": "not_authorized_for_charging",
        "auth_uid": "",
        "time_since_charging_start": "0",
        "meter_wh": "123456",
        "power_w": "0",
        "transaction_wh": "0",
        "ocpp_state": "available",
        "type2_state": "a",
        "sig_current": "0",
        "backend_conn_state": "connected",
        "free_charging": "off",
        "current_a": "0.00,0.00,0.00",
        "max_current": "32",
        "rcmb_state": "okay",
        "cable_attached": "off",
        "rcd_state": "disable",
        "errors": "no_errors",
        "firmware_ver": "0.1.0",
        "voltage_v": "",
    }
    assert expected.items() <= values.items()


async def test_the_state_of_a_charging_socket(api: Clients, host: FakeHost) -> None:
    host.show_two_cars()
    client = await api(Role.USER)
    values = await lines(client)
    connector = host.status.connector(1)
    expected = {
        "conn_state": "vehicle_charging_type2",
        "auth_state": "authorized_for_charging",
        "auth_uid": connector["session"]["identity"]["masked"],
        "transaction_wh": str(connector["session"]["energy_wh"]),
        "ocpp_state": "charging",
        "type2_state": "c",
        "type2_proximity": "cable_attached",
        "sig_current": "13",
        "power_w": str(connector["power_w"]),
        "time_since_charging_start": "3540",
    }
    assert expected.items() <= values.items()
    other = await lines(client, f"{PATH}?connector=2")
    assert other["transaction_wh"] == str(host.status.connector(2)["session"]["energy_wh"])
    assert (await client.get(f"{PATH}?connector=3")).status_code == 404


@pytest.mark.parametrize(
    ("state", "pilot", "values"),
    [
        ("preparing", "B1", "vehicle_connected_type2"),
        ("authorized", "A1", "no_vehicle_connected"),
        ("suspended_ev", "B2", "vehicle_connected_type2"),
        ("suspended_evse", "C1", "vehicle_connected_type2"),
        ("unavailable", "B1", "vehicle_connected_type2"),
        ("unavailable", "A1", "no_vehicle_connected"),
        ("faulted", "F", "vehicle_connector_error"),
        ("charging", "D2", "vehicle_charging_type2"),
    ],
)
async def test_vehicle_states_in_the_old_words(
    state: str, pilot: str, values: str, operator: Client, host: FakeHost
) -> None:
    host.status.edit(1, state=state, pilot=pilot)
    assert (await lines(operator))["conn_state"] == values


async def test_faults_and_contacts(operator: Client, host: FakeHost) -> None:
    await host.all.settings.change({"RCDInput": "opto_1"}, SYSTEM, "test")
    assert (await lines(operator))["rcd_state"] == "okay"
    since = "2026-11-22T09:00:00Z"
    host.status.edit(1, faults=[{"id": Fault.RCD_TRIPPED.value, "since": since}])
    host.status.edit(0, faults=[{"id": Fault.STORAGE_FULL.value, "since": since}])
    values = await lines(operator)
    assert (values["rcd_state"], values["rcmb_state"]) == ("triggered", "okay")
    assert values["errors"] == "storage-full,rcd-tripped"


async def test_line_breaks_in_values_are_removed(operator: Client, host: FakeHost) -> None:
    host.status.edit(1, display=[["a\nerrors:none", "b\r\nc"]])
    assert (await lines(operator))["display_text"] == "a errors:none b c"


async def test_without_a_login_it_is_read_only_when_it_is_open(
    anyone: Client, host: FakeHost
) -> None:
    host.show_two_cars()
    assert (await anyone.get(PATH)).status_code == 401
    page = await anyone.get(PATH, headers=HTML)
    assert page.headers["location"] == f"/login?next={PATH}"
    await host.all.settings.change({"RestStateOpen": True}, SYSTEM, "test")
    values = await lines(anyone)
    assert values["conn_state"] == "vehicle_charging_type2"
    assert values["auth_uid"] == ""
    assert (await anyone.get("/api/v1/status")).status_code == 401
