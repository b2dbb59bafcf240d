"""Load management for people and for programs (manual 7.4, 7.7)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from borne.adapters.web.i18n import Words
from borne.adapters.web.pages import load_columns, load_view
from borne.adapters.web.pages.load_building import building_bars
from borne.adapters.web.pages.load_slave import slave_part
from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import FailSafeStage
from borne.domain.load_management.load_status import DisconnectedSum, SlaveStatus
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.topology import ROOT, GridPhase
from borne.domain.principals import SYSTEM, Role
from borne.foundation.messages import Message
from borne.foundation.units import ZERO, PerPhase
from tests.support.fake_load import DECISIONS, GARAGE, GARAGE_SOCKETS, N1, NOW, SLAVE, samples
from tests.support.fake_meters import SITE_METER
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tests.unit.adapters.web.test_pages import HTMX, text_of

EN = Words("en")


async def seen(person: Client, path: str = "/load") -> str:
    return text_of((await person.get(path)).text).replace("\u202f", " ")


@pytest.fixture
def garage(host: FakeHost) -> FakeHost:
    host.load.show(GARAGE, DECISIONS, samples())
    return host


# The API ------------------------------------------------------------------------------------------


async def test_programs_read_the_group(operator: Client, garage: FakeHost) -> None:
    found = (await operator.get("/api/v1/load")).json()
    assert (found["role"], found["network_id"], found["revision"]) == ("master", 0, 812)
    assert found["limits"][2] == {
        "source": "external_load",
        "kind": "obligation",
        "amps": [35.0, 43.5, 58.0],
        "frame": "grid",
        "reason": "100\u202fA less building 60/51.5/37\u202fA less headroom 5\u202fA",
        "since": None,
        "until": None,
        "effective": True,
        "effective_phases": ["N1", "N2"],
        "age_s": 0.4,
        "fallback_a": [80.0, 80.0, 80.0],
    }
    assert found["external_a"] == [60.0, 51.5, 37.0]
    assert found["meter"] is None
    root = found["groups"][0]
    assert (root["id"], root["parent"], root["limit_a"]) == ("root", None, [35.0, 43.5, 50.0])
    turned = found["participants"][1]
    assert turned["reason"] == {
        "code": "fair_share",
        "text": "fair share among 3 on N2 of the EVSE sub-distribution",
        "group": "root",
        "phase": "N2",
        "limited_by": None,
        "until": None,
    }
    assert (turned["phases"], turned["rotation"], turned["state"]) == (["L1"], "STR", "charging")
    assert (turned["measured_a"], turned["grid_a"]) == ([12.0, 0.0, 0.0], [0.0, 12.3, 0.0])
    assert turned["last_heard"] == "2026-11-22T09:59:57Z"
    assert found["disconnected_sum"] == {
        "group": "root",
        "phase": "N1",
        "amps": 42.0,
        "limit_a": 20.0,
        "fits": False,
        "main": True,
    }


async def test_what_is_unknown_is_null(operator: Client, garage: FakeHost) -> None:
    found = (await operator.get("/api/v1/load")).json()["participants"]
    waiting, lost, free = found[3], found[4], found[5]
    assert (waiting["phases"], waiting["measured_a"]) == (None, None)
    assert waiting["reason"]["until"] == "2026-11-22T10:12:00Z"
    assert (lost["state"], lost["trust"], lost["measured_a"]) == ("lost", "lost", None)
    assert (free["requested_a"], free["rotation"]) == (None, "UNKNOWN")


async def test_a_station_without_load_management_has_its_role_only(operator: Client) -> None:
    found = (await operator.get("/api/v1/load")).json()
    assert found["role"] == "disabled"
    assert found["participants"] == found["limits"] == found["samples"] == []
    assert found["limit_a"] is found["slave"] is found["disconnected_sum"] is None


async def test_reasons_are_in_the_language_of_the_reader(
    operator: Client, garage: FakeHost
) -> None:
    answer = await operator.get("/api/v1/load", headers={"accept-language": "de"})
    text = answer.json()["participants"][5]["reason"]["text"]
    assert text == "kein Auto will Strom"


async def test_a_slave_reports_its_part(operator: Client, host: FakeHost) -> None:
    host.load.show(SLAVE)
    assert (await operator.get("/api/v1/load")).json()["slave"] == {
        "stage": "connected",
        "master": "172.16.23.1",
        "received_s": 4.0,
        "limited_in_s": 56.0,
        "static_in_s": 86.0,
        "disconnected_a": 7.0,
        "granted_a": {"1": 13.0, "2": 13.0},
    }


async def test_the_history_of_a_period(operator: Client, garage: FakeHost) -> None:
    found = (await operator.get("/api/v1/load/history?from=2026-11-22T09:58:00Z")).json()
    assert found["decisions"] == [
        {
            "at": "2026-11-22T09:59:30Z",
            "cycle": 812,
            "participant": "s1/2",
            "before_a": 8.3,
            "after_a": 12.3,
            "grid_a": [0.0, 12.3, 0.0],
            "reason": {
                "code": "fair_share",
                "text": "fair share among 3 on N2 of the EVSE sub-distribution",
                "group": "root",
                "phase": "N2",
                "limited_by": None,
                "until": None,
            },
        }
    ]
    await operator.get("/api/v1/load/history?to=2026-11-22T09:58:00Z")
    end = datetime(2026, 11, 22, 9, 58, tzinfo=UTC)
    assert garage.load.asked[-1] == (None, end)


async def test_dates_without_a_zone_are_those_of_the_station(
    operator: Client, garage: FakeHost
) -> None:
    await garage.all.settings.change({"TimeZone": "Europe/Brussels"}, SYSTEM, "test")
    await operator.get("/api/v1/load/history?from=2026-11-22T10:58:00")
    start, _ = garage.load.asked[-1]
    assert start is not None
    assert start.astimezone(UTC) == datetime(2026, 11, 22, 9, 58, tzinfo=UTC)


async def test_the_history_as_a_table(operator: Client, garage: FakeHost) -> None:
    evil = replace(DECISIONS[0], participant="=cmd()/1")
    garage.load.show(GARAGE, [evil, DECISIONS[1]])
    answer = await operator.get("/api/v1/load/history.csv?separator=;")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=";"))
    assert [row["participant"] for row in rows] == ["'=cmd()/1", "s1/2"]
    assert rows[1] == {
        "at": "2026-11-22T09:59:30Z",
        "cycle": "812",
        "participant": "s1/2",
        "before_a": "8.3",
        "after_a": "12.3",
        "n1_a": "0.0",
        "n2_a": "12.3",
        "n3_a": "0.0",
        "code": "fair_share",
        "group": "root",
        "phase": "N2",
        "text": "fair share among 3 on N2 of the EVSE sub-distribution",
    }


async def test_programs_command_the_group(operator: Client, garage: FakeHost) -> None:
    need = {"energy_wh": 12000, "departure": "2026-11-22T17:30:00Z", "priority": 1}
    assert (await operator.put("/api/v1/connectors/1/demand", json=need)).status_code == 200
    assert (await operator.delete("/api/v1/connectors/1/demand")).status_code == 200
    assert (await operator.post("/api/v1/load/stations/s2/identify")).status_code == 200
    gone = await operator.delete("/api/v1/load/stations/s2")
    assert (gone.status_code, gone.json()["error"]) == (409, "station_connected")
    garage.load.show(replace(GARAGE, missing=("s4",)))
    gone = await operator.delete("/api/v1/load/stations/s4")
    assert (gone.status_code, gone.json()) == (200, {"removed": 1})
    refused = await operator.post("/api/v1/load/silent-stations/clear", json={"count": 3})
    assert refused.status_code == 409
    assert garage.load.calls == [
        ("demand", 1, 12000, "2026-11-22T17:30:00Z", 1),
        ("withdraw", 1),
        ("identify", "s2"),
        ("forget", "s4"),
    ]


@pytest.mark.parametrize(
    "body",
    [{"energy_wh": -1}, {"energy_wh": "NaN"}, {"priority": 1.5}, {"energie": 1}, {"departure": ""}],
    ids=str,
)
async def test_a_demand_that_is_wrong_is_refused(
    body: dict[str, object], operator: Client, garage: FakeHost
) -> None:
    assert (await operator.put("/api/v1/connectors/1/demand", json=body)).status_code == 422
    assert garage.load.calls == []


# The page of a master -----------------------------------------------------------------------------


async def test_the_master_shows_the_group(browser: Clients, garage: FakeHost) -> None:
    text = await seen(await browser(Role.OPERATOR))
    head = "Master of group 0 · 4 of 5 stations connected · sharing 35 / 43.5 / 50 A per phase"
    assert f"{head}, 30.3 / 42.6 / 30.3 A in use" in text
    assert "1.2 Garage 1 Socket 2 · 172.16.23.101 · s1 Last contact: less than 10 s ago" in text
    assert "charging for 42 min Fair share among 3 on N2" in text.replace("fair", "Fair")
    assert "L1→N2 STR 0 / 12.3 / 0 0 / 12 / 0 16 / 7 / 7" in text
    assert "not known yet: L1→N1 L2→N2 L3→N3 RST" in text
    assert "less than the minimum · at most 12 min" in text
    assert "no contact" in text
    assert "counts on all unknown rotation" in text
    assert "External load – 60 / 51.5 / 37" in text
    assert "Sum 30.3 / 42.6 / 30.3 22 / 34 / 22" in text
    assert "Free 4.7 / 0.9 / 19.7" in text
    assert "Main distribution less the building 35 / 43.5 / 58 A lowest on N1, N2" in text
    line = "09:59:30 Cycle 812: 1.2 Garage 1 from 8.3 A to 12.3 A: fair share among 3 on N2"
    assert line in text


async def test_disconnected_limits_that_exceed_a_line_are_shown_before_anything_happens(
    browser: Clients, garage: FakeHost
) -> None:
    text = await seen(await browser(Role.OPERATOR))
    assert "the stations together may draw 42 A on N1: 22 A more than the main" in text
    assert "together draw at most" not in text
    fits = replace(GARAGE, disconnected=GARAGE.disconnected[:1])
    garage.load.show(fits)
    text = await seen(await browser(Role.OPERATOR))
    assert "together draw at most 42 A on N1: the EVSE sub-distribution carries 63 A" in text
    assert "A fuse may blow" not in text


def exceeded(group: str, phase: GridPhase, amps: float) -> DisconnectedSum:
    return DisconnectedSum(group=group, phase=phase, amps=amps, limit_a=32.0, fits=False)


async def test_all_exceeded_lines_are_shown_the_worst_first(
    browser: Clients, garage: FakeHost
) -> None:
    sums = (
        DisconnectedSum(group=ROOT, phase=GridPhase.N1, amps=56.0, limit_a=63.0, fits=True),
        exceeded("row A", GridPhase.N2, 40.0),
        exceeded("row B", GridPhase.N3, 56.0),
        *(exceeded(f"row {name}", GridPhase.N1, 33.0) for name in "CDEF"),
    )
    garage.load.show(replace(GARAGE, disconnected=sums))
    text = await seen(await browser(Role.OPERATOR))
    assert "may draw more than 6 lines carry:" in text
    lines = re.findall(
        r"([\d.]+) A too much on (N\d) of (row \w): ([\d.]+) A instead of 32 A", text
    )
    assert lines[:2] == [("24", "N3", "row B", "56"), ("8", "N2", "row A", "40")]
    assert [line[2] for line in lines[2:]] == ["row C", "row D", "row E", "row F"]
    assert "2 more" in text
    assert text.count("A fuse may blow") == 1


async def test_missing_stations_and_a_held_imbalance_are_named(
    browser: Clients, garage: FakeHost
) -> None:
    held = replace(GARAGE_SOCKETS[0], reason=Reason(LimitCause.IMBALANCE, N1))
    sockets = (held, *GARAGE_SOCKETS[1:])
    garage.load.show(replace(GARAGE, participants=sockets, missing=("s7", "s8")))
    text = await seen(await browser(Role.OPERATOR))
    assert "2 known stations do not answer" in text
    assert "s7, s8" in text
    assert "4 of 7 stations connected" in text
    assert "The current imbalance prevention holds currents down" in text


async def test_wrong_reports_of_stations_are_shown(browser: Clients, garage: FakeHost) -> None:
    problem = Message("{station} <b>: wrong", {"station": "<i>s9"})
    garage.load.show(replace(GARAGE, problems=(problem,)))
    client = await browser(Role.OPERATOR)
    assert "<i>s9 <b>: wrong" in await seen(client)
    found = (await client.get("/api/v1/load")).json()
    assert found["problems"] == ["<i>s9 <b>: wrong"]


async def test_a_master_without_stations_says_what_to_check(
    browser: Clients, host: FakeHost
) -> None:
    host.load.show(replace(GARAGE, participants=(), disconnected=()))
    assert "No station has reported yet" in await seen(await browser(Role.OPERATOR))


async def test_without_load_management_the_page_explains_it(browser: Clients) -> None:
    person = await browser(Role.OPERATOR)
    assert "Load management is off" in await seen(person)
    assert 'href="/settings/load-management#s-DLMRole"' in (await person.get("/load")).text
    assert "Export CSV" not in await seen(person)


async def test_users_do_not_see_the_group(browser: Clients, garage: FakeHost) -> None:
    person = await browser(Role.USER)
    assert (await person.get("/load")).status_code == 403
    text = await seen(person, "/")
    assert "Master of group 0" in text
    assert "/load" not in (await person.get("/")).text


async def test_silent_stations_are_forgotten_after_their_number_was_typed(
    browser: Clients, garage: FakeHost
) -> None:
    person = await browser(Role.OPERATOR)
    assert "All known stations answer." in await seen(person)
    garage.load.show(replace(GARAGE, missing=("s4", "s7")))
    assert "Type the number of stations to confirm: 2" in await seen(person)
    for wrong in ("3", "", "two"):
        assert (await person.post("/load/clear", data={"count": wrong})).status_code in {409, 422}
    assert garage.load.calls == []
    answer = await person.post("/load/clear", data={"count": "2"})
    assert answer.headers["location"] == "/load"
    assert garage.load.calls == [("clear", 2)]


async def test_a_station_without_contact_is_forgotten_alone(
    browser: Clients, garage: FakeHost
) -> None:
    garage.load.show(replace(GARAGE, missing=("s4", "s7")))
    person = await browser(Role.OPERATOR)
    page = (await person.get("/load")).text
    forms = re.findall(
        r'action="/load/forget"><input type="hidden" name="station" value="(\w+)"', page
    )
    assert forms == ["s4", "s7"]
    refused = await person.post("/load/forget", data={"station": "s1"}, headers=HTMX)
    assert "would come back" in refused.text
    assert garage.load.calls == []
    answer = await person.post("/load/forget", data={"station": "s4"}, headers=HTMX)
    assert "s4 is forgotten." in answer.text
    assert garage.load.calls == [("forget", "s4")]


def test_known_stations_show_what_is_reserved_for_them() -> None:
    status = replace(GARAGE, missing=("s4", "s7"))
    found = load_view.stations(status, EN)
    assert [(one.id, one.connected, one.reserved) for one in found] == [
        ("s4", False, "7 / 7 / 7"),
        ("s7", False, "0 / 0 / 0"),
        *((f"s{number}", True, "") for number in (1, 2, 3, 5)),
    ]


async def test_a_user_cannot_forget_a_station(browser: Clients, garage: FakeHost) -> None:
    garage.load.show(replace(GARAGE, missing=("s4",)))
    person = await browser(Role.USER)
    assert (await person.post("/load/forget", data={"station": "s4"})).status_code == 403
    assert garage.load.calls == []


async def test_a_station_is_identified(browser: Clients, garage: FakeHost) -> None:
    person = await browser(Role.OPERATOR)
    answer = await person.post("/load/identify", data={"station": "s2"}, headers=HTMX)
    assert "Its lights blink for half a minute." in answer.text
    assert garage.load.calls == [("identify", "s2")]


async def test_the_table_is_exported_for_the_spreadsheet_of_the_language(
    browser: Clients, garage: FakeHost
) -> None:
    person = await browser(Role.OPERATOR)
    person.cookies.set("borne_language", "de")
    answer = await person.get("/load/export")
    assert answer.headers["location"] == "/api/v1/load/history.csv?separator=%3B"


# Columns and curves -------------------------------------------------------------------------------


def test_columns_stack_the_building_the_headroom_and_the_sockets() -> None:
    first, second, third = load_columns.columns(GARAGE, PerPhase.same(5.0), EN)
    assert [block.label for block in second.blocks][:3] == ["1.1 · L2", "1.2 · L1", "2 · L3"]
    assert (first.text, second.text) == ("30.3 / 35\u202fA", "42.6 / 43.5\u202fA")
    assert first.building is not None
    assert first.headroom is not None
    assert first.headroom.y == pytest.approx(first.building.y - first.headroom.height)
    lowest = first.blocks[0]
    assert lowest.y + lowest.height == pytest.approx(first.headroom.y, abs=0.02)
    assert lowest.measured_y > lowest.y
    assert third.blocks[-1].lost
    assert third.blocks[-1].measured_height == 0
    assert not any(column.over for column in (first, second, third))


def test_a_column_above_its_limit_stays_in_the_drawing() -> None:
    low = replace(GARAGE, limit_a=PerPhase.same(20.0), external_a=None)
    column = load_columns.columns(low, PerPhase.same(5.0), EN)[1]
    assert column.over
    assert column.headroom is column.building is None
    assert min(block.y for block in column.blocks) >= 0
    assert column.limit_y > column.blocks[-1].y


def test_curves_hold_each_value_until_the_next() -> None:
    kept = load_columns.thinned(samples(), NOW)
    assert len(kept) == 60
    curve = load_columns.curves(kept, NOW, EN)[0]
    assert curve.building
    assert len(load_columns.curve_rows(kept, UTC, EN)) == 10
    assert load_columns.curves([], NOW, EN) == ()
    one = load_columns.curves(kept[:1], NOW, EN)[0]
    assert one.limit.endswith("600,5.7")
    later = NOW + timedelta(seconds=300)
    assert len(load_columns.thinned(samples(), later)) == 30


# The slave, and the dashboard ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slave", "tone", "headline", "countdown_s"),
    [
        pytest.param(
            SLAVE.slave, "ok", "Slave · 172.16.23.1 gives you 13 / 13 A", None, id="connected"
        ),
        pytest.param(
            replace(SLAVE.slave or SlaveStatus(stage=FailSafeStage.STATIC), received_s=41.6),
            *("warn", "Slave · 172.16.23.1 gives you 13 / 13 A", 56),
            id="silent",
        ),
        pytest.param(
            SlaveStatus(
                stage=FailSafeStage.LIMITED, received_s=70.0, static_in_s=20.0, disconnected_a=7.0
            ),
            *("fault", "The master is lost: each socket has at most 7 A", 20),
            id="limited",
        ),
        pytest.param(
            SlaveStatus(stage=FailSafeStage.STATIC, received_s=700.0, disconnected_a=7.0),
            *("fault", "The master is lost: fixed currents", None),
            id="static",
        ),
        pytest.param(
            SlaveStatus(stage=FailSafeStage.STATIC, disconnected_a=7.0),
            *("fault", "No master has answered yet: fixed currents", None),
            id="never",
        ),
    ],
)
def test_what_a_slave_shows(
    slave: SlaveStatus, tone: str, headline: str, countdown_s: int | None
) -> None:
    part = slave_part(slave, EN)
    assert (part.tone, part.headline.replace("\u202f", " ")) == (tone, headline)
    assert part.countdown_s == countdown_s


async def test_a_slave_shows_what_happens_without_its_master(
    browser: Clients, host: FakeHost
) -> None:
    host.load.show(SLAVE)
    person = await browser(Role.OPERATOR)
    text = await seen(person)
    assert "Last contact: 4 s ago" in text
    assert "each socket falls to at most 7 A" in text
    assert "Sources of the limit" not in text
    assert "Slave · 172.16.23.1 gives you 13 / 13 A" in await seen(person, "/")


async def test_the_dashboard_shows_the_main_distribution(
    browser: Clients, garage: FakeHost
) -> None:
    garage.site_meter.show(SITE_METER)
    person = await browser(Role.USER)
    assert "Main distribution limit" not in await seen(person, "/")
    await garage.all.settings.change(
        {"DLMRole": "master", "DLMMainDistributionLimit": [100, 100, 100]}, SYSTEM, "test"
    )
    text = await seen(person, "/")
    assert "N1 89.0 / 100 A" in text
    assert "Main distribution limit" in text


def test_a_lost_station_counts_with_what_it_may_draw() -> None:
    status = replace(GARAGE, participants=GARAGE_SOCKETS[4:5], external_a=ZERO)
    bars = building_bars(status, PerPhase.same(6.0), EN)
    assert [bar.text for bar in bars] == ["7.0\u00a0/\u00a06\u202fA"] * 3
    assert all(bar.over for bar in bars)
    assert building_bars(replace(status, external_a=None), PerPhase.same(6.0), EN) == ()


async def test_why_names_the_line_and_its_phase(browser: Clients, host: FakeHost) -> None:
    rows = [
        {
            "source": "load_management",
            "scope": "group",
            "amps": [13.0, 13.0, 13.0],
            "reason": "fair_share",
            "since": "2026-11-22T09:00:00Z",
            "until": None,
            "effective": True,
            "group": "Garage",
            "phase": "N2",
            "limited_by": None,
        }
    ]
    host.status.edit(1, limits=rows)
    assert "fair share on N2 of Garage" in await seen(await browser(Role.USER), "/")
