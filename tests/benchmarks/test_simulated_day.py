"""A simulated day of a hundred sockets takes less than ten seconds of a quiet machine."""

from __future__ import annotations

import pytest

from borne.adapters.site.site_file import read_site
from borne.adapters.site.site_run import run_site
from tests.support.rotation import ROOT

pytestmark = pytest.mark.campaign

DAY_S = 86400.0
LIMIT_S = 10.0


def test_a_day_of_a_hundred_sockets() -> None:
    site = read_site(ROOT / "examples" / "sites" / "hundred-sockets.toml")
    assert sum(station.sockets for station in site.stations) == 100
    result = run_site(site, DAY_S)
    assert not result.bound_exceeded
    assert result.wall_s < LIMIT_S, f"{result.wall_s:.1f} s for {result.messages} messages"
