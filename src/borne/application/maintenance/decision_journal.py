"""A bounded journal of the decisions of the connectors' state machines, and its replay.

Each line holds an event with its time, the resulting effects, and a hash of the resulting state. A
line with complete state and configuration is written at the start and after each change of the
configuration; replay can begin at any of these. `replay` runs the state machine on the recorded
events and compares the results. Tokens are replaced by pseudonyms.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from borne.application.charging.decided import Decided, Deciding
from borne.application.maintenance.decision_forms import CODECS, FIRST_FORM, FORM
from borne.application.state.kept_state import number, whole
from borne.domain.station.connector import step
from borne.domain.station.connector_state import ConnectorConfig, ConnectorState
from borne.foundation.codec import Codec
from borne.foundation.json_value import JsonObject, JsonValue

MAX_LINES = 50_000
"""Limit between two writes to disk, far more than a minute's worth. Beyond it the lines are
dropped."""
SNAPSHOT_EVERY = 200
_PERSONAL = frozenset({"id_token", "card", "group_id"})
_CODEC = CODECS[FORM]


@dataclass(slots=True)
class _Chain:
    """Per connector: the last recorded configuration, and lines since the last complete state."""

    config: ConnectorConfig | None = None
    since_snapshot: int = SNAPSHOT_EVERY


class DecisionJournal:
    """Records decisions; `drain` returns the new lines for a file."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        """Prevents guessing short card numbers from their pseudonyms."""
        self._lines: list[str] = []
        self._chains: dict[int, _Chain] = {}

    def follow(self, machines: Mapping[int, Deciding]) -> None:
        """Record the decisions of these state machines from now on."""
        self.restart()
        for machine in machines.values():
            machine.decided.subscribe(self._on_decided)

    def drain(self) -> list[str]:
        """Return and clear the recorded lines, oldest first."""
        lines, self._lines = self._lines, []
        return lines

    def restart(self) -> None:
        """Write complete states next, for a new file or after a gap."""
        self._chains.clear()

    def _on_decided(self, decided: Decided) -> None:
        if len(self._lines) >= MAX_LINES:
            self._lines.clear()
            self.restart()
        chain = self._chains.setdefault(decided.connector, _Chain())
        if decided.config != chain.config or chain.since_snapshot >= SNAPSHOT_EVERY:
            chain.config, chain.since_snapshot = decided.config, 0
            self._add(
                {
                    "form": FORM,
                    "connector": decided.connector,
                    "state": self._masked(decided.before),
                    "config": _CODEC.encode(decided.config),
                }
            )
        chain.since_snapshot += 1
        self._add(
            {
                "connector": decided.connector,
                "at": decided.now_s,
                "event": self._masked(decided.event),
                "effects": self._masked(decided.effects),
                "state_hash": _hash(self._masked(decided.after)),
            }
        )

    def _masked(self, value: object) -> JsonValue:
        return _mask(_CODEC.encode(value), self._salt)

    def _add(self, line: JsonObject) -> None:
        self._lines.append(json.dumps(line, separators=(",", ":")))


def _hash(state: JsonValue) -> str:
    text = json.dumps(state, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mask(data: JsonValue, salt: str) -> JsonValue:
    """Replace tokens by pseudonyms."""
    match data:
        case dict():
            return {
                key: _pseudonym(value, salt) if key in _PERSONAL and value else _mask(value, salt)
                for key, value in data.items()
            }
        case list():
            return [_mask(item, salt) for item in data]
        case _:
            return data


def _pseudonym(token: str, salt: str) -> str:
    return "token-" + hashlib.sha256((salt + token).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class _Replayed:
    """Where the replay of a connector has come to, and how its lines are written."""

    state: ConnectorState
    config: ConnectorConfig
    codec: Codec


@dataclass(slots=True)
class ReplayReport:
    """The result of a replay."""

    steps: int = 0
    skipped: int = 0
    """Lines before the first complete state of their connector."""
    differences: list[str] = field(default_factory=list)


def replay(files: Iterable[tuple[str, Iterable[str]]]) -> ReplayReport:
    """Repeat every decision of a journal and compare. Files are given oldest first, each as a name
    for messages and its lines. Raises ValueError with the place of an invalid line."""
    report = ReplayReport()
    chains: dict[int, _Replayed] = {}
    for name, lines in files:
        for line, text in enumerate(lines, 1):
            place = f"{name} line {line}".lstrip()
            try:
                _replay_line(json.loads(text), chains, report, place)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ValueError(f"{place} is not a decision: {error}") from None
    return report


def _replay_line(
    line: JsonObject,
    chains: dict[int, _Replayed],
    report: ReplayReport,
    place: str,
) -> None:
    connector = whole(line["connector"])
    if "state" in line:
        codec = _codec(line.get("form", FIRST_FORM))
        state, config = codec.decode(line["state"]), codec.decode(line["config"])
        chains[connector] = _Replayed(state, config, codec)
        return
    if connector not in chains:
        report.skipped += 1
        return
    before = chains[connector]
    codec = before.codec
    result = step(before.state, codec.decode(line["event"]), number(line["at"]), before.config)
    report.steps += 1
    chains[connector] = replace(before, state=result.state)
    if codec.encode(result.effects) != line["effects"]:
        report.differences.append(f"{place}: other effects")
    elif _hash(codec.encode(result.state)) != line["state_hash"]:
        report.differences.append(f"{place}: another state")


def _codec(form: object) -> Codec:
    if type(form) is int and form in CODECS:
        return CODECS[form]
    raise ValueError(f"it is of form {form}, which this version does not know")


def main(files: Iterable[tuple[str, Iterable[str]]]) -> int:
    """Command line output: each difference, then the counts. Returns the exit code."""
    report = replay(files)
    for difference in report.differences:
        sys.stdout.write(difference + "\n")
    sys.stdout.write(f"{report.steps} replayed, {len(report.differences)} different\n")
    return 1 if report.differences else 0
