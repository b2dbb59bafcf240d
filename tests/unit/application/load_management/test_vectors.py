"""The runner of vector files: what passes, what fails, and how it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from borne.application.load_management.vector_format import VectorError
from borne.application.load_management.vectors import VectorReport, main, run_vectors

SITE = {"evse_sub_limit": [32, 32, 32]}
ONE = {"id": "A01", "type": "allocate", "site": SITE, "evses": [{"id": "A"}], "expected": {"A": 32}}
STEP = {
    "id": "T01",
    "type": "transition",
    "site": SITE,
    "evses": [{"id": "A"}, {"id": "B"}],
    "envelope": [32, 0],
    "target": [16, 16],
    "expected_step1": [16, 0],
    "expected_step2": [16, 16],
}


def run(*vectors: object, **document: object) -> VectorReport:
    return run_vectors({"version": 1, "vectors": list(vectors), **document})


def problems(vector: object) -> str:
    (result,) = run(vector).results
    return "; ".join(result.problems)


def test_the_report_of_vectors() -> None:
    report = run(ONE, {**ONE, "id": "A02", "expected": {"A": 31}}, ONE)
    assert report.lines() == ["A02: A: expected 31 A, got 32 A", "2 passed, 1 failed"]


def test_a_vector_overrides_the_tolerance_of_the_document() -> None:
    near = {**ONE, "expected": {"A": 31.9}}
    assert (run(near).failed, run(near, tolerance=0.2).failed) == (1, 0)
    assert run({**near, "tolerance": 0.2}).failed == 0


def with_site(**site: object) -> dict[str, Any]:
    return {**ONE, "site": {**SITE, **site}}


def with_evse(**evse: object) -> dict[str, Any]:
    return {**ONE, "evses": [{"id": "A", **evse}]}


METER = {"main_limit": [63, 63, 63], "current": [10, 10, 10]}


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (7, "vector 1 is not an object"),
        ({"id": "X"}, "type is missing"),
        ({**ONE, "type": "guess"}, "type guess is not known"),
        ({**ONE, "surprise": 1}, "unknown fields: surprise"),
        (with_site(solar=1, wind=2), "site: unknown fields: solar, wind"),
        (with_site(evse_sub_limit=[1, 2]), "evse_sub_limit: not three numbers"),
        (with_site(evse_sub_limit=None), "evse_sub_limit is missing"),
        (with_site(evse_sub_limit=float("nan")), "nan is not a number"),
        (with_site(it_network="yes"), "neither true nor false"),
        (with_site(scheduler=[{"from": "1", "to": "2", "limit": 3}]), "Invalid isoformat"),
        (
            with_site(scheduler=[{"from": "08:00", "to": "09:00", "limit": 3}]),
            "a scheduler needs now",
        ),
        (with_site(digital_input={"active": True}), "limit is missing"),
        (with_site(external_meter={**METER, "location": "near"}), "'near' is not a valid"),
        (with_site(external_meter={**METER, "angle": 1}), "unknown fields: angle"),
        (with_evse(phases=[4]), "4 is not a valid SocketPhase"),
        (with_evse(phases="1"), "not a list"),
        (with_evse(rotation="RRR"), "'RRR' is not a valid Rotation"),
        (with_evse(connected_phases=4), "1 to 3 connected phases"),
        (with_evse(state="flying"), "flying is not one of charging"),
        (with_evse(colour="red"), "evse A: unknown fields: colour"),
        (with_evse(priority=1.5), "1.5 is not an integer"),
        (with_evse(max=True), "True is not a number"),
        (with_evse(max=10**400), "too large"),
        (with_evse(group="nowhere"), "no group nowhere"),
        ({**ONE, "evses": [{"id": "A"}, {"id": "A"}]}, "two participants are named A"),
        ({**ONE, "groups": [{"id": "a", "parent": "a", "limit": 1}]}, "below itself"),
        ({**ONE, "expected": {"B": 1}}, "B is not in the vector"),
        ({**ONE, "expected": [1]}, "not an object of currents"),
        ({**STEP, "envelope": [1]}, "1 currents for 2 sockets"),
        ({**STEP, "envelope": {"A": 1}}, "not the ids"),
        ({**STEP, "unconfirmed": ["C"]}, "'C' is not a socket"),
        ({**STEP, "expected_step2": [16, 15]}, "step 2: B: expected 15 A, got 16 A"),
        (
            {"type": "detect_phases", "measured": [9, 0, 0], "expected": [1, 2]},
            "expected [1, 2], got [1]",
        ),
        (
            {"type": "detect_phases", "measured": [9, 0, 0], "expected": None},
            "expected unknown, got [1]",
        ),
        (
            {
                "type": "failsafe_config",
                "limit": 10,
                "sockets": [{"disconnected": 11}],
                "expected_ok": True,
            },
            "root N1 would carry 11 A of 10 A",
        ),
        (
            {"type": "failsafe_config", "limit": 10, "sockets": [], "expected_ok": False},
            "all limits hold",
        ),
        (
            {"type": "failsafe_fallback", "setpoint": [9], "disconnected": [8, 8]},
            "different lengths",
        ),
        (
            {
                "type": "failsafe_fallback",
                "setpoint": [9],
                "disconnected": [8],
                "expected_stage1": [9],
            },
            "stage 1: socket 1: expected 9 A, got 8 A",
        ),
    ],
)
def test_failing_vectors(vector: object, message: str) -> None:
    assert message in problems(vector)


@pytest.mark.parametrize(
    "vector",
    [
        with_site(operator_sub_limit=None, scheduler=None, ems_limit=None, external_meter=None),
        with_site(digital_input=None, imbalance=None, it_network=None, now="12:00"),
        with_site(evse_sub_limit=32),
        with_site(external_meter={**METER, "location": "including", "evse_measured": 9}),
        with_site(
            external_meter={
                "main_limit": 64,
                "current": 42,
                "location": "including",
                "evse_measured": [16, 16, 16],
                "evse_measured_window": [[16, 16, 16], [10, 12, 14]],
            }
        ),
        with_site(
            scheduler=[{"from": "22:00", "to": "06:00", "limit": 1}], now="2026-11-22T12:00:00"
        ),
        with_site(scheduler=[{"from": "08:00", "to": "24:00", "limit": 32}], now="23:59:30"),
        with_site(digital_input=[{"active": True, "limit": 40}, {"active": False, "limit": 0}]),
        with_evse(phases=None, rotation="rst", measured=None, lost=None, rank=None),
        with_evse(installation_limit=32, operator_limit=40, hardware_limit=63, ems_limit=32),
        {**ONE, "groups": None},
        {**STEP, "envelope": {"B": 0, "A": 32}},
        {**STEP, "unconfirmed": ["A"], "expected_step2": [16, 0]},
        {**STEP, "unconfirmed": [0], "expected_step2": [16, 0]},
        {**STEP, "unconfirmed": [True, False], "expected_step2": [16, 0]},
    ],
)
def test_accepted_documents(vector: object) -> None:
    assert problems(vector) == ""


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document is not an object"),
        ({}, "vectors is missing"),
        ({"version": 2}, "version 2"),
    ],
)
def test_refused_documents(document: object, message: str) -> None:
    with pytest.raises(VectorError, match=message):
        run_vectors(document)


def test_vectors_are_read_from_files(tmp_path: Path) -> None:
    def status(content: bytes) -> tuple[int, list[str]]:
        path = tmp_path / "vectors.json"
        path.write_bytes(content)
        printed: list[str] = []
        return main(path, printed.append), printed

    good = {"version": 1, "vectors": [ONE]}
    bad = {"version": 1, "vectors": [{**ONE, "expected": {"A": 1}}]}
    assert status(json.dumps(good).encode()) == (0, ["1 passed, 0 failed"])
    assert status(json.dumps(bad).encode())[0] == 1
    assert status(b"{")[0] == 2
    assert status(b'{"vectors": [], "tolerance": 1' + b"0" * 400 + b"}")[0] == 2
    assert status(b"[" * 100_000)[0] == 2
    assert main(tmp_path / "absent.json", lambda _: None) == 2


def test_the_report_goes_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"vectors": []}))
    assert main(path) == 0
    assert capsys.readouterr().out == "0 passed, 0 failed\n"


def test_all_published_vectors_pass() -> None:
    path = Path(__file__).parents[3] / "fixtures" / "load_management_vectors.json"
    report = run_vectors(json.loads(path.read_text()))
    assert [result.problems for result in report.results if not result.passed] == []
    assert report.passed == 66
