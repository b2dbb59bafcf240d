"""The sites that ship: what each of them shows, and the formats of `borne site`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from borne.adapters.site.site_file import read_site
from borne.adapters.site.site_run import SiteResult, run_site
from borne.domain.load_management.topology import ROOT
from borne.foundation.units import PerPhase
from tests.support.in_process import borne
from tests.support.rotation import ROOT as CHECKOUT

EXAMPLES = CHECKOUT / "examples" / "sites"
NOTHING = PerPhase(0.0, 0.0, 0.0)


def run(name: str, hours: float) -> SiteResult:
    return run_site(read_site(EXAMPLES / f"{name}.toml"), hours * 3600)


def over_limit(result: SiteResult) -> dict[str, PerPhase]:
    return {name: amps for name, amps in result.accounts.over_limit_as() if any(amps)}


def test_every_example_is_tested() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.toml")}
    source = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in names if f'"{name}"' not in source} == set()


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("station-63a", 18.0),
        ("connection-100a-reserve", 12.0),
        ("double-station", 18.0),
        ("garage-40", 9.5),
    ],
)
def test_without_a_meter_no_limit_is_ever_exceeded(name: str, hours: float) -> None:
    result = run(name, hours)
    assert over_limit(result) == {}
    assert result.starts >= 3


@pytest.mark.parametrize(
    "name", ["connection-100a-meter-including", "connection-100a-meter-excluding"]
)
def test_with_a_meter_only_a_rise_of_the_building_is_above_the_limit(name: str) -> None:
    result = run(name, 9.6)
    assert result.accounts.over_bound_as == NOTHING
    assert set(over_limit(result)) <= {ROOT}
    assert result.starts >= len(result.cars) > 3


def test_outages() -> None:
    result = run("outages", 13.0)
    assert result.accounts.over_bound_as == NOTHING
    assert all(car.delivered_wh > 0 for car in result.cars)


def test_single_phase_cars_take_turns_where_the_imbalance_is_limited() -> None:
    result = run("imbalance-16a", 16.0)
    assert over_limit(result) == {}
    assert result.starts > len(result.cars)
    assert min(car.served for car in result.cars) > 0.7


def test_a_hundred_sockets() -> None:
    result = run("hundred-sockets", 7.5)
    assert over_limit(result) == {}
    assert result.messages > 100_000


def test_figures_curves_causes_and_picture(tmp_path: Path) -> None:
    ran = borne(
        "site", EXAMPLES / "double-station.toml", "--until", "10h", "--out", tmp_path / "out"
    )
    assert ran.code == 0
    shown: dict[str, Any] = json.loads(ran.out)
    assert shown["simulated_s"] == 36000.0
    assert shown["cars"][0].keys() == {"id", "delivered_wh", "waited_s"}
    assert shown["over_limit_as"] == {"site": [0.0] * 3, "group/double": [0.0] * 3}
    assert shown["over_bound_as"] == [0.0] * 3
    assert {"energy_delivered_wh", "energy_wanted_wh", "jain", "p10_served"} < shown.keys()
    assert {"starts", "pilot_changes", "wall_s"} < shown.keys()
    curves = rows(tmp_path / "out" / "curves.csv")
    assert list(curves[0]) == ["time", "id", "phase", "offered_a", "measured_a", "limit_a"]
    both = [row for row in curves if row["id"] == "group/double"]
    assert max(float(row["measured_a"]) for row in both) == pytest.approx(32.0)
    causes = rows(tmp_path / "out" / "causes.csv")
    assert {"id", "amps", "cause", "group", "phase"} < causes[0].keys()
    assert "fair_share" in {row["cause"] for row in causes}
    picture = ET.fromstring((tmp_path / "out" / "site.svg").read_text())
    assert picture.tag.endswith("svg")


def test_until_takes_seconds() -> None:
    ran = borne("site", EXAMPLES / "double-station.toml", "--until", "3600")
    assert (ran.code, json.loads(ran.out)["simulated_s"]) == (0, 3600.0)


def test_a_bound_that_is_exceeded_is_exit_code_1(tmp_path: Path) -> None:
    """Disconnected limits that do not fit are no fault of the master: the installer's are."""
    text = (EXAMPLES / "station-63a.toml").read_text()
    text = text.replace("disconnected_a = 8", "disconnected_a = 32")
    text += '\n[[event]]\nat = "08:30"\ndo = "kill"\nstation = "station-1"\n'
    text = text.replace("evse_sub_distribution_a = 63", "evse_sub_distribution_a = 20")
    (tmp_path / "site.toml").write_text(text)
    ran = borne("site", tmp_path / "site.toml", "--until", "9h")
    assert ran.code == 1
    assert json.loads(ran.out)["first_over_bound"]["group"] == ROOT


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        ("[site]\n", ("--until", "1h"), "line 1: evse_sub_distribution_a is missing"),
        (None, ("--until", "tomorrow"), "--until tomorrow: give a time such as 24h"),
    ],
)
def test_a_wrong_file_is_exit_code_2(
    tmp_path: Path, text: str | None, arguments: tuple[str, ...], reason: str
) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text or (EXAMPLES / "double-station.toml").read_text())
    ran = borne("site", path, *arguments)
    assert ran.code == 2
    assert reason in ran.err


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
