"""Runs files of load-management vectors: hand-checked cases with the currents they must give.

Kinds: `allocate`, `transition`, `detect_phases`, `failsafe_config`, `failsafe_fallback`. An unknown
field fails its vector: without it the case would be a different one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from borne.application.load_management.vector_format import (
    Case,
    Fields,
    VectorError,
    amps_by_id,
    amps_of,
    chosen_of,
    disconnected_socket,
    each,
    flag,
    group,
    items,
    number,
    per_phase,
    phases_or_unknown,
    text,
)
from borne.domain.load_management.allocation import allocate
from borne.domain.load_management.fail_safe import FailSafeStage, fallback_a, overcommitments
from borne.domain.load_management.phases import detect_phases
from borne.domain.load_management.redistribution import safe_step
from borne.domain.load_management.snapshot import Snapshot
from borne.domain.load_management.topology import SocketPhase, Topology

LARGEST_FILE_BYTES = 64 * 1024 * 1024
DEFAULT_TOLERANCE_A = 0.05
KNOWN_VERSION = 1


@dataclass(frozen=True, slots=True)
class VectorResult:
    """Result of one vector; it passed when there are no problems."""

    id: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True without problems."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class VectorReport:
    """All vectors of a document, in its order."""

    results: tuple[VectorResult, ...]

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> int:
        """Number of failed vectors."""
        return len(self.results) - self.passed

    def lines(self) -> list[str]:
        """Return a line for each failed vector, and the counts at the end."""
        failing = [
            f"{result.id}: {'; '.join(result.problems)}"
            for result in self.results
            if not result.passed
        ]
        return [*failing, f"{self.passed} passed, {self.failed} failed"]


def run_vectors(document: object) -> VectorReport:
    """Run every vector of a parsed document. Raises VectorError for any other document."""
    fields = Fields(document, "the document")
    version = fields.field("version", number, KNOWN_VERSION)
    if version != KNOWN_VERSION:
        raise VectorError(f"version {version} is not known, only {KNOWN_VERSION}")
    tolerance_a = fields.field("tolerance", number, DEFAULT_TOLERANCE_A)
    vectors = fields.field("vectors", items)
    return VectorReport(
        tuple(_run(vector, place, tolerance_a) for place, vector in enumerate(vectors, 1))
    )


def main(path: Path, emit: Callable[[str], object] | None = None) -> int:
    """Run a file and print its report; 0: all passed, 1: some failed, 2: not readable."""
    emit_line = emit or (lambda line: sys.stdout.write(line + "\n"))
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise VectorError("the file is larger than 64 MiB")
        report = run_vectors(json.loads(path.read_bytes()))
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        emit_line(f"{path}: {error}")
        return 2
    for line in report.lines():
        emit_line(line)
    return 1 if report.failed else 0


# Running ------------------------------------------------------------------------------------


def _run(vector: object, place: int, tolerance_a: float) -> VectorResult:
    name = f"vector {place}"
    try:
        fields = Fields(vector, name)
        name = fields.field("id", text, name)
        for remark in ("feature", "why"):
            fields.field(remark, text, "")
        kind = fields.field("type", text)
        if kind not in _KINDS:
            raise VectorError(f"type {kind} is not known")  # reported below
        problems = _KINDS[kind](fields, fields.field("tolerance", number, tolerance_a))
    except (ValueError, OverflowError) as error:
        problems = [str(error)]
    return VectorResult(name, tuple(problems))


def _allocate(fields: Fields, tolerance_a: float) -> list[str]:
    case = Case(fields)
    expected = fields.field("expected", amps_by_id)
    fields.done()
    allocation = allocate(Snapshot(case.supply, case.participants))
    return _compare_by_id("", expected, allocation.amps, tolerance_a)


def _transition(fields: Fields, tolerance_a: float) -> list[str]:
    case = Case(fields)
    ids = [one.id for one in case.participants]
    envelope = dict(zip(ids, fields.field("envelope", amps_of(ids)), strict=True))
    target = dict(zip(ids, fields.field("target", amps_of(ids)), strict=True))
    unconfirmed = fields.field("unconfirmed", chosen_of(ids), frozenset())
    expected = [fields.field(f"expected_step{step}", amps_of(ids), None) for step in (1, 2)]
    fields.done()
    problems = []
    for step, wanted in enumerate(expected, 1):
        cars = [replace(one, envelope_a=envelope[one.id]) for one in case.participants]
        sent = safe_step(Snapshot(case.supply, cars), target).amps
        if wanted is not None:
            wanted_by_id = dict(zip(ids, wanted, strict=True))
            problems += _compare_by_id(f"step {step}: ", wanted_by_id, sent, tolerance_a)
        envelope = {
            name: max(envelope[name], amps) if name in unconfirmed else amps
            for name, amps in sent.items()
        }
    return problems


def _detect_phases(fields: Fields, _: float) -> list[str]:
    measured_a = fields.field("measured", per_phase)
    expected = fields.field("expected", phases_or_unknown)
    fields.done()
    found = detect_phases(measured_a)
    if found == expected:
        return []
    return [f"expected {_names(expected)}, got {_names(found)}"]


def _failsafe_config(fields: Fields, _: float) -> list[str]:
    topology = Topology(fields.field("groups", each(group), ()))
    limit_a = fields.field("limit", per_phase)
    it_network = fields.field("it_network", flag, False)
    sockets = fields.field("sockets", each(disconnected_socket))
    expected_ok = fields.field("expected_ok", flag)
    fields.done()
    found = overcommitments(topology, limit_a, sockets, it_network=it_network)
    if (not found) == expected_ok:
        return []
    if not found:
        return ["expected too much, but all limits hold"]
    return [
        f"expected to fit, but {over.link.group} {over.link.phase.name} would carry"
        f" {over.total_a:g} A of {over.limit_a:g} A"
        for over in found
    ]


def _failsafe_fallback(fields: Fields, tolerance_a: float) -> list[str]:
    setpoints = fields.field("setpoint", each(number))
    limits = fields.field("disconnected", each(number))
    fields.field("limit", per_phase, None)
    if len(setpoints) != len(limits):
        raise VectorError("setpoint and disconnected have different lengths")
    names = [f"socket {place}" for place in range(1, len(limits) + 1)]
    problems = []
    for stage in (FailSafeStage.LIMITED, FailSafeStage.STATIC):
        expected = fields.field(f"expected_stage{stage.value}", amps_of(names), None)
        given = [fallback_a(*pair, stage) for pair in zip(setpoints, limits, strict=True)]
        if expected is not None:
            problems += _compare_by_id(
                f"stage {stage.value}: ",
                dict(zip(names, expected, strict=True)),
                dict(zip(names, given, strict=True)),
                tolerance_a,
            )
    fields.done()
    return problems


_KINDS: Mapping[str, Callable[[Fields, float], list[str]]] = {
    "allocate": _allocate,
    "transition": _transition,
    "detect_phases": _detect_phases,
    "failsafe_config": _failsafe_config,
    "failsafe_fallback": _failsafe_fallback,
}


def _compare_by_id(
    where: str, expected: Mapping[str, float], given: Mapping[str, float], tolerance_a: float
) -> list[str]:
    problems = [
        f"{where}{name}: expected {amps:g} A, got {given[name]:g} A"
        for name, amps in expected.items()
        if name in given and not abs(given[name] - amps) <= tolerance_a
    ]
    problems += [f"{where}{name} is not in the vector" for name in expected if name not in given]
    return problems


def _names(phases: frozenset[SocketPhase] | None) -> str:
    return "unknown" if phases is None else str(sorted(map(int, phases)))
