"""Journals of decisions that older software wrote are replayed under their own names."""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from pathlib import Path
from typing import Any

import pytest

from borne.application.charging.decided import Decided
from borne.application.maintenance.decision_forms import CODECS, FIRST_FORM, FORM
from borne.application.maintenance.decision_journal import DecisionJournal, replay
from borne.domain.station.connector import step
from borne.domain.station.connector_events import Effect, Event, Offered
from borne.domain.station.connector_state import ConnectorConfig, ConnectorState
from borne.foundation.events import Signal

FIXTURES = Path(__file__).parents[3] / "fixtures" / "decisions"
"""A journal of each older form, and the names of the present one."""
NAMES = FIXTURES / f"names-of-form-{FORM}.json"


def _lines(form: int) -> list[str]:
    return (FIXTURES / f"form-{form}.jsonl").read_text("utf-8").splitlines()


@pytest.mark.parametrize("form", range(FIRST_FORM, FORM))
def test_a_journal_of_an_older_form_replays_without_a_difference(form: int) -> None:
    report = replay([("old", _lines(form))])
    assert report.steps > 500
    assert (report.skipped, report.differences) == (0, [])


def test_a_journal_of_the_first_form_has_its_names() -> None:
    """Otherwise this fixture would prove nothing."""
    text = "\n".join(_lines(FIRST_FORM))
    for name in ('"kept_for":{"@"', '"deaf_until_s":1', '"heard":{"@"', '"GroupTold"'):
        assert name in text
    assert '"form"' not in text


def test_a_difference_is_seen_in_an_older_form_too() -> None:
    lines = [line for line in _lines(FIRST_FORM) if json.loads(line)["connector"] == 1]
    changed = json.loads(lines[-1]) | {"state_hash": "0" * 16}
    report = replay([("old", [*lines[:-1], json.dumps(changed)])])
    assert report.differences == [f"old line {len(lines)}: another state"]


class Machine:
    """Whose decisions are followed."""

    def __init__(self) -> None:
        self.decided: Signal[Decided] = Signal()


def test_a_file_goes_on_in_the_present_form_after_an_update() -> None:
    machine, journal = Machine(), DecisionJournal("salt")
    journal.follow({1: machine})
    before, config = ConnectorState(), ConnectorConfig()
    result = step(before, Offered(16.0), 5.0, config)
    decided = Decided(1, 5.0, config, before, Offered(16.0), result.effects, result.state)
    machine.decided.emit(decided)
    old, new = _lines(FIRST_FORM), journal.drain()
    assert json.loads(new[0])["form"] == FORM
    report = replay([("journal", [*old, *new])])
    assert report.steps == replay([("old", old)]).steps + 1
    assert report.differences == []


@pytest.mark.parametrize("form", [FORM + 1, 0, "2", None, True, [2]])
def test_a_form_that_is_not_known_is_refused(form: object) -> None:
    line = {"form": form, "connector": 1, "state": {}, "config": {}}
    with pytest.raises(ValueError, match="which this version does not know"):
        replay([("", [json.dumps(line)])])


@pytest.mark.parametrize("form", CODECS)
def test_every_form_holds_what_a_machine_starts_with(form: int) -> None:
    codec = CODECS[form]
    for value in (ConnectorState(), ConnectorConfig()):
        assert codec.decode(json.loads(json.dumps(codec.encode(value)))) == value


def test_the_names_of_the_present_form_are_those_that_were_recorded() -> None:
    """A name that changed, came or went: begin a new form in `decision_forms.py`, keep a journal of
    the old one beside the others, and record the names (`tests/fixtures/decisions/`)."""
    recorded = json.loads(NAMES.read_text("utf-8"))
    found = _names()
    members = {name for name, kind in found.items() if isinstance(kind, dict)}
    assert recorded.keys() == found.keys()
    for name in found:
        if name in members:
            assert recorded[name].items() <= found[name].items(), name
        else:
            assert recorded[name] == found[name], name


def _names() -> dict[str, Any]:
    """Every type that a journal can hold: its fields in their order, or its members."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [ConnectorState, ConnectorConfig, *typing.get_args(Event | Effect)]
    while waiting:
        kind = waiting.pop()
        waiting += typing.get_args(kind)
        if not isinstance(kind, type) or kind.__name__ in found:
            continue
        if issubclass(kind, enum.Enum):
            found[kind.__name__] = {member.name: str(member.value) for member in kind}
        elif dataclasses.is_dataclass(kind):
            found[kind.__name__] = [field.name for field in dataclasses.fields(kind)]
            waiting += typing.get_type_hints(kind).values()
        elif hasattr(kind, "_fields"):
            found[kind.__name__] = list(kind._fields)
            waiting += typing.get_type_hints(kind).values()
    return found
