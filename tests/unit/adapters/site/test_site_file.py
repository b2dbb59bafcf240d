"""The file of `borne site`: what is read, and what is refused with its line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from borne.adapters.simulation.vehicle import LIBRARY
from borne.adapters.site.car_models import MODELS
from borne.adapters.site.site_file import read_site, site_of
from borne.adapters.site.site_model import Do
from borne.adapters.site.toml_table import SiteFileError
from borne.adapters.site.traffic import visits_of
from borne.domain.load_management.topology import Rotation
from borne.foundation.units import PerPhase

SITE = """[site]
evse_sub_distribution_a = 63
"""
STATION = """[[station]]
id = "one"
"""


def refusals(text: str) -> list[str]:
    with pytest.raises(SiteFileError) as refused:
        site_of(text)
    return str(refused.value).splitlines()


def test_defaults() -> None:
    site = site_of(SITE + STATION)
    assert site.settings.sub_distribution_a == PerPhase.same(63.0)
    assert site.settings.main_a is None
    assert (site.master, site.stations[0].rotations) == ("one", (Rotation.RST,))


def test_all_tables() -> None:
    site = site_of(
        """[site]
name = "a site"
evse_sub_distribution_a = [63, 50, 40]
operator_sub_distribution_a = 40
main_distribution_a = 100
meter_location = "including"
headroom_a = 2
imbalance_a = 16
master = "bay-2"
[[group]]
id = "hall"
limit_a = 50
[[group]]
id = "row"
parent = "hall"
limit_a = 32
[[station]]
id = "bay-{n}"
count = 3
group = "row"
sockets = 2
rotation = "alternate"
supply_line_a = 32
[building]
base_a = 5
steps = [{ at = "07:30", a = [10, 20, 30] }]
[meter]
skew_s = 10
[network]
delay_s = 0.5
loss = 0.1
[[car]]
model = "city"
arrives = 07:00:00
leaves = "9h"
energy_kwh = 7
station = "bay-1"
[[event]]
at = "90m"
do = "building"
value = 80
[[event]]
at = 10
do = "kill"
station = "bay-2"
"""
    )
    assert [one.id for one in site.stations] == ["bay-1", "bay-2", "bay-3"]
    assert site.stations[1].rotations == (Rotation.TRS, Rotation.RST)
    assert site.building.load_a(7.5 * 3600) == PerPhase(10.0, 20.0, 30.0)
    assert [event.do for event in site.events] == [Do.KILL, Do.BUILDING]
    assert (site.cars[0].arrives_s, site.cars[0].leaves_s) == (7 * 3600.0, 9 * 3600.0)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[site\n", ["line 1: not TOML"]),
        (STATION, ["[site] is missing"]),
        (SITE, ["there is no [[station]]"]),
        ("[site]\n" + STATION, ["line 1: evse_sub_distribution_a is missing"]),
        (SITE + "name = 3\n" + STATION, ["line 3: name must be a text"]),
        (SITE + "operator_sub_distribution_a = 64\n" + STATION, ["line 3: operator_sub"]),
        (SITE + "minimum_a = inf\n" + STATION, ["line 3: minimum_a must be a number from 6 to 32"]),
        (SITE + "headroom_a = [1, 2]\n" + STATION, ["line 3: headroom_a must be one number or"]),
        (SITE + "sampel_s = 30\n" + STATION, ["line 3: there is no 'sampel_s' here; did you mean"]),
        (SITE + 'meter_location = "exkluding"\n' + STATION, ["did you mean 'excluding'?"]),
        (SITE + "main_distribution_a = 63\n" + STATION, ["line 3: main_distribution_a needs"]),
        (
            SITE + "main_distribtion_a = 63\n" + STATION,
            ["line 3: there is no 'main_distribtion_a' here; did you mean 'main_distribution_a'?"],
        ),
        (
            SITE + STATION + '[[car]]\narrives = "7h"\nenergy_kwh = 1\nstation = "one"\n',
            ["line 5: leaves is missing"],
        ),
        (SITE + 'timezone = "Europe/Berlino"\n' + STATION, ["line 3: there is no time zone"]),
        (SITE + 'master = "oen"\n' + STATION, ["line 3: there is no station 'oen'; did"]),
        (SITE + STATION + 'group = "hall"\n', ["line 5: there is no group 'hall'"]),
        (SITE + STATION + 'rotation = "RTT"\n', ["line 5: there is no rotation 'RTT'; did you"]),
        (SITE + STATION + "count = 2\n", ["line 4: with count the id needs {n}"]),
        (SITE + STATION + 'link = "real"\n', ["line 5: this version joins the stations"]),
        (SITE + STATION + STATION, ["line 6: two stations are named 'one'"]),
        (
            SITE + STATION + '[[group]]\nid = "a"\nparent = "b"\nlimit_a = 10\n',
            ["line 7: there is no group 'b'"],
        ),
        (
            SITE + STATION + '[[event]]\nat = "1:75"\ndo = "kil"\nstation = "one"\n',
            ["line 6: at must be a time", "line 7: do has no value 'kil'; did you mean 'kill'?"],
        ),
        (
            SITE + STATION + '[[event]]\nat = 5\ndo = "meter-silent"\n',
            ["line 7: meter-silent needs a meter"],
        ),
        (
            SITE + STATION + "[[car]]\narrives = 9\nleaves = 8\nenergy_kwh = 1\n"
            'station = "one"\nsocket = 2\n',
            ["line 7: the car leaves before it arrives", "line 10: one has one socket"],
        ),
        (
            SITE + STATION + '[building]\ncurve = "none.csv"\n',
            ["line 6: none.csv cannot be read: No such file"],
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, lines: list[str]) -> None:
    found = refusals(text)
    assert len(found) == len(lines)
    for line, shown in zip(lines, found, strict=True):
        assert line in shown


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("time,l1\n", "line 1: the columns must be time, l1_a, l2_a, l3_a"),
        ("time,l1_a,l2_a,l3_a\n", "has no values"),
        ("time,l1_a,l2_a,l3_a\n07:00,1,2,nan\n", "line 2: 'nan' is no current in amps"),
        ("time,l1_a,l2_a,l3_a\n07:00,1,2,3\n06:00,1,2,3\n", "line 3: the times must rise"),
        ("time,l1_a,l2_a,l3_a\n07:00,1,2\n", "line 2: 4 columns are needed"),
    ],
)
def test_a_wrong_curve_is_refused(tmp_path: Path, rows: str, reason: str) -> None:
    (tmp_path / "day.csv").write_text(rows)
    (tmp_path / "site.toml").write_text(SITE + STATION + '[building]\ncurve = "day.csv"\n')
    with pytest.raises(SiteFileError, match=r"line 6: day\.csv") as refused:
        read_site(tmp_path / "site.toml")
    assert reason in str(refused.value)


def test_a_curve_repeats_every_day(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("time,l1_a,l2_a,l3_a\n07:00,1,2,3\n08:00,4,5,6\n")
    (tmp_path / "site.toml").write_text(SITE + STATION + '[building]\ncurve = "day.csv"\n')
    building = read_site(tmp_path / "site.toml").building
    assert building.load_a(0.0) == PerPhase(4.0, 5.0, 6.0)
    assert building.load_a(86400 + 7.5 * 3600) == PerPhase(1.0, 2.0, 3.0)
    assert building.next_change_s(9 * 3600.0) == 86400.0


def test_traffic_is_the_same_for_a_seed_and_fits_the_sockets() -> None:
    text = SITE + STATION + "sockets = 2\n[traffic]\ncars_per_day = 10\nseed = 4\n"
    visits = visits_of(site_of(text), 86400.0)
    assert visits == visits_of(site_of(text), 86400.0)
    assert visits
    for socket in (1, 2):
        own = [one for one in visits if one.socket == socket]
        assert all(a.leaves_s < b.arrives_s for a, b in pairwise(own))


def test_models_are_those_of_the_simulated_street() -> None:
    for name, model in MODELS.items():
        vehicle = LIBRARY[name]
        assert (model.phases, model.max_a) == (vehicle.phases, vehicle.max_a)
        assert (model.min_a, model.battery_kwh) == (vehicle.min_a, vehicle.battery_kwh)
        assert (model.sleeps, model.rogue_a) == (vehicle.wake_up, vehicle.rogue_a)
