"""A bounded journal of the connector machines' decisions, and its replay.

Each line is an event with its time, and what followed: the effects and a fingerprint of the state.
A line with the whole state and configuration stands at the beginning and wherever the
configuration changed, so that a journal can be replayed from any of these. `replay` runs the same
pure function over the lines and compares. Nothing personal is kept: tokens are masked.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from borne.application.charging.decided import Decided, Deciding
from borne.domain import vehicle
from borne.domain.station import (
    board,
    connector_events,
    connector_state,
    faults,
    lock,
    modes,
    session,
)
from borne.domain.station.connector import step
from borne.foundation.codec import Codec

MAX_LINES = 50_000
"""Between two writings: far more than a minute has; then they begin anew."""
SNAPSHOT_EVERY = 200
_PERSONAL = frozenset({"id_token", "card", "group_id"})

CODEC = Codec((board, connector_events, connector_state, faults, lock, session, vehicle, modes))


@dataclass(slots=True)
class _Chain:
    """What is needed to write a connector's next line."""

    config: Any = None
    since_snapshot: int = SNAPSHOT_EVERY


class DecisionJournal:
    """Writes the decisions down; `take` gives the new lines for a file."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        """Makes pseudonyms that cannot be guessed from short card numbers."""
        self._lines: list[str] = []
        self._chains: dict[int, _Chain] = {}

    def follow(self, machines: Mapping[int, Deciding]) -> None:
        """Write down what these machines decide, from the beginning of each."""
        self.begin_anew()
        for machine in machines.values():
            machine.decided.subscribe(self._on_decided)

    def take(self) -> list[str]:
        """The lines since the last call, oldest first."""
        lines, self._lines = self._lines, []
        return lines

    def begin_anew(self) -> None:
        """Write the whole state with the next decisions: they begin a file, or follow a gap."""
        self._chains.clear()

    def _on_decided(self, decided: Decided) -> None:
        if len(self._lines) >= MAX_LINES:
            self._lines.clear()
            self.begin_anew()
        chain = self._chains.setdefault(decided.connector, _Chain())
        if decided.config != chain.config or chain.since_snapshot >= SNAPSHOT_EVERY:
            chain.config, chain.since_snapshot = decided.config, 0
            self._add(
                {
                    "connector": decided.connector,
                    "state": self._masked(decided.before),
                    "config": CODEC.encode(decided.config),
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

    def _masked(self, value: Any) -> Any:
        return _mask(CODEC.encode(value), self._salt)

    def _add(self, line: Mapping[str, Any]) -> None:
        self._lines.append(json.dumps(line, separators=(",", ":")))


def _hash(state: Any) -> str:
    text = json.dumps(state, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mask(data: Any, salt: str) -> Any:
    """Tokens become pseudonyms."""
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


@dataclass(slots=True)
class ReplayReport:
    """What a replay found."""

    steps: int = 0
    skipped: int = 0
    """Lines before the first snapshot of their connector."""
    differences: list[str] = field(default_factory=list)


def replay(files: Iterable[tuple[str, Iterable[str]]]) -> ReplayReport:
    """Run every decision of a journal again and compare: its files, oldest first, each with its
    name for the places of differences, and its lines. Raises ValueError with the place of a line
    that is no decision."""
    report = ReplayReport()
    chains: dict[int, tuple[connector_state.ConnectorState, Any]] = {}
    for name, lines in files:
        for number, text in enumerate(lines, 1):
            place = f"{name} line {number}".lstrip()
            try:
                _replay_line(json.loads(text), chains, report, place)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ValueError(f"{place} is no decision: {error}") from None
    return report


def _replay_line(
    line: Mapping[str, Any],
    chains: dict[int, tuple[connector_state.ConnectorState, Any]],
    report: ReplayReport,
    place: str,
) -> None:
    connector = int(line["connector"])
    if "state" in line:
        chains[connector] = CODEC.decode(line["state"]), CODEC.decode(line["config"])
        return
    if connector not in chains:
        report.skipped += 1
        return
    state, config = chains[connector]
    result = step(state, CODEC.decode(line["event"]), float(line["at"]), config)
    report.steps += 1
    chains[connector] = result.state, config
    if CODEC.encode(result.effects) != line["effects"]:
        report.differences.append(f"{place}: other effects")
    elif _hash(CODEC.encode(result.state)) != line["state_hash"]:
        report.differences.append(f"{place}: another state")


def main(files: Iterable[tuple[str, Iterable[str]]]) -> int:
    """For the command line: a line for each difference, then the counts."""
    report = replay(files)
    for difference in report.differences:
        sys.stdout.write(difference + "\n")
    sys.stdout.write(f"{report.steps} replayed, {len(report.differences)} different\n")
    return 1 if report.differences else 0
