"""The journal of decisions replays alike, keeps no tokens, and reports differences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from borne.application.maintenance.decision_journal import DecisionJournal, ReplayReport, replay
from borne.domain.principals import SYSTEM, Principal
from tests.support.running_station import CARD, running_station


async def _journal(tmp_path: Path) -> list[str]:
    async with running_station(tmp_path, FLLEnable="on") as station:
        journal = DecisionJournal("salt")
        assert station.host.station is not None
        journal.follow(station.host.station.connectors)
        await station.plug(1, {"reaction_s": 0.1})
        await station.until_state("preparing")
        await station.services.control.start(1, _operator(), CARD)
        await station.until_state("charging")
        await station.services.control.stop(1, _operator())
        await station.until_state("finishing")
        return journal.drain()


def _replay(lines: list[str]) -> ReplayReport:
    return replay([("", lines)])


def _operator() -> Principal:

    return SYSTEM


async def test_a_session_replays_without_difference_and_without_tokens(tmp_path: Path) -> None:
    lines = await _journal(tmp_path)
    report = _replay(lines)
    assert report.steps > 10
    assert report.differences == []
    assert report.skipped == 0
    assert CARD not in "".join(lines).upper()


async def test_a_changed_decision_is_reported(tmp_path: Path) -> None:
    lines = await _journal(tmp_path)
    place = next(i for i, line in enumerate(lines) if json.loads(line).get("effects"))
    changed = json.loads(lines[place]) | {"effects": []}
    lines[place] = json.dumps(changed)
    assert _replay(lines).differences == [f"line {place + 1}: other effects"]


@pytest.mark.parametrize("text", ["", "{", '{"connector": "x"}', '{"event": {"@": "Popen"}}', "[]"])
def test_a_file_that_is_no_journal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        _replay([text])


async def test_files_that_follow_each_other_replay_as_one(tmp_path: Path) -> None:
    lines = await _journal(tmp_path)
    whole = _replay(lines)
    half = len(lines) // 2
    report = replay([("old", lines[:half]), ("new", lines[half:])])
    assert (report.steps, report.differences) == (whole.steps, [])
    with pytest.raises(ValueError, match="new line 2 is not a decision"):
        replay([("old", lines[:half]), ("new", [lines[half], "{"])])


async def test_a_gap_is_followed_by_the_whole_state(tmp_path: Path) -> None:
    async with running_station(tmp_path, FLLEnable="on") as station:
        journal = DecisionJournal("salt")
        assert station.host.station is not None
        journal.follow(station.host.station.connectors)
        await station.plug(1, {"reaction_s": 0.1})
        await station.until_state("preparing")
        first = journal.drain()
        await station.services.control.start(1, _operator(), CARD)
        await station.until_state("charging")
        assert journal.drain()
        journal.restart()
        await station.services.control.stop(1, _operator())
        await station.until_state("finishing")
        report = _replay([*first, *journal.drain()])
    assert report.steps > 0
    assert report.differences == []
