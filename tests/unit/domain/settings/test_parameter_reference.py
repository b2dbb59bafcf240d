"""The page of parameters tells what the catalogue says."""

from __future__ import annotations

from borne.domain.settings import CATALOGUE
from tools.parameter_reference import PAGE, main, page


def test_the_page_is_up_to_date() -> None:
    """When this fails: python -m tools.parameter_reference."""
    assert main(["--check"]) == 0
    assert PAGE.name == "parameters.md"


def test_every_setting_is_on_it() -> None:
    text = page()
    missing = [key for key in CATALOGUE.settings if f"| `{key}`" not in text]
    assert missing == []


def test_defaults_that_differ_from_the_manual_stand_in_one_table() -> None:
    """Decision D39."""
    table = page().split("## Defaults that differ from the manual")[1].split("##")[0]
    for key in ("WebSocketPingInterval", "MeterValueSampleInterval", "SSLStrictnessClient"):
        assert f"| `{key}` |" in table
