"""docs/meters.md is what the descriptions say."""

from __future__ import annotations

from pathlib import Path

import pytest

from borne.domain.settings.catalogue.meter_profiles import METERS
from tools.meter_profiles import PAGE, main, mistakes, page


def test_the_page_is_up_to_date() -> None:
    """When this fails: python -m tools.meter_profiles."""
    assert mistakes() == []
    assert main(["--check"]) == 0
    assert PAGE.name == "meters.md"


def test_every_meter_and_register_is_on_it() -> None:
    text = page()
    for meter in METERS:
        assert meter.label in text
    assert "| `power_import_l1` | 3 | 40 (0x0028) | u32 | W | 0.1 |" in text
    assert (
        "| `energy_import` | 4 | 418 (0x01A2) | i32 | Wh | 1, times 10 to the i16 at 414 |" in text
    )
    assert "| `energy_import` |  | OBIS 1.8.0 | u64 | Wh | 1/3600 |" in text


def test_a_page_that_is_out_of_date_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "meters.md"
    stale.write_text("old")
    monkeypatch.setattr("tools.meter_profiles.PAGE", stale)
    assert main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().out
    assert main([]) == 0
    assert main(["--check"]) == 0
