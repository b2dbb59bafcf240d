"""The page of parameters agrees with the catalogue."""

from __future__ import annotations

from borne.domain.principals import BACKEND
from borne.domain.settings import CATALOGUE, Settings
from borne.domain.settings.active import ACTIVE
from borne.domain.settings.ocpp_view import configuration
from borne.domain.settings.rights import refusal
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


def test_the_ocpp_column_agrees_with_the_answers_to_a_backend() -> None:
    """The column OCPP against the answers to GetConfiguration and ChangeConfiguration."""
    settings = Settings()
    keys = {key.key: key for key in configuration(settings)[0]}
    for line in page().splitlines():
        cells = line.split(" | ")
        key = cells[0].removeprefix("| ").partition("<br>")[0].strip("`")
        if len(cells) != 7 or key not in CATALOGUE.settings:
            continue
        entry, access = CATALOGUE.settings[key], cells[5].removesuffix(" ↻")
        assert ("R" in access) == (key in keys), key
        refused = key not in ACTIVE or refusal(BACKEND, entry, settings) is not None
        assert ("W" in access) == (not refused), key
        if key in keys:
            assert keys[key].readonly == ("W" not in access), key
