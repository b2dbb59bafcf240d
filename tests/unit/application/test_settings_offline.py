"""`borne settings list|get|set` and `--set` without their command line."""

from __future__ import annotations

import pytest

from borne.application.settings_offline import (
    HIDDEN,
    BadAssignment,
    assign,
    parse_assignments,
    rows,
    text_of,
)
from borne.application.settings_service import SettingsRejected
from tests.unit.application.settings_doubles import MemoryRepository, open_service


def test_assignments() -> None:
    assert parse_assignments(["A=1", " B =x=y", "A=2", "C="]) == {"A": "2", "B": "x=y", "C": ""}


@pytest.mark.parametrize("text", ["A", "=1", ""])
def test_what_is_no_assignment(text: str) -> None:
    with pytest.raises(BadAssignment, match="KEY=VALUE"):
        parse_assignments([text])


def test_set_get_and_list() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    result = assign(
        service,
        {
            "MaximumCurrent": "16",
            "DLMEVSESubDistributionLimit": "63,63,32",
            "DLMRole": "master",
            "DLMMaxCurrentSchedule": "07:00;09:00;10|22:00;06:00;16,16,16",
            "APNPassword": "sesame",
            "FreeCharging": "on",
        },
    )
    assert result.restart_required == ("MaximumCurrent", "DLMRole", "APNPassword")
    again = open_service(repository).settings
    assert text_of(again, "MaximumCurrent") == "16"
    assert text_of(again, "MaximumCurrent_2") == "32"
    assert text_of(again, "DLMEVSESubDistributionLimit") == "63,63,32"
    assert text_of(again, "DLMRole") == "master"
    assert text_of(again, "FreeCharging") == "on"
    assert text_of(again, "DLMMaxCurrentSchedule") == "07:00;09:00;10,10,10 | 22:00;06:00;16,16,16"
    assert text_of(again, "APNPassword") == HIDDEN
    assert text_of(again, "SIMPin") == ""
    changed = rows(service, changed_only=True)
    assert ("DLMRole", "master", "changed") in changed
    assert len(changed) == 6
    assert len(rows(service)) == 250


def test_what_is_wrong_is_refused_whole() -> None:
    service = open_service()
    with pytest.raises(SettingsRejected) as rejected:
        assign(service, {"FreeCharging": "on", "OperatorCurrentLimit": "200"})
    assert str(rejected.value) == (
        "OperatorCurrentLimit: At most 32 A: Installation Current Limit is 32 A."
    )
    assert service.settings["FreeCharging"] is False


def test_names_that_do_not_exist() -> None:
    service = open_service()
    with pytest.raises(SettingsRejected, match="Nothing: There is no setting of this name"):
        text_of(service.settings, "Nothing")
    with pytest.raises(SettingsRejected):
        assign(service, {"Nothing": "1"})


def test_planned_settings_are_told() -> None:
    service = open_service(active={"FreeCharging"})
    remarks = {name: remark for name, _, remark in rows(service)}
    assert (remarks["FreeCharging"], remarks["LogLevel"]) == ("", "planned")
