"""What a station does without its backend: docs/conformance.md, "Offline", names a test for each
rule; those that had no place elsewhere are here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.ocpp16.rig import rig
from tests.conformance.ocpp16.test_smart_charging import DEFAULT, TX, profile, send, started

ROOT = Path(__file__).parents[2]
RULES = 10


def offline_rows() -> dict[str, list[str]]:
    """The tests of each rule."""
    text = (ROOT / "docs" / "conformance.md").read_text().partition("## Offline")[2]
    rows = re.findall(r"^\| (O\d+) \| .+? \| (.+) \|$", text, re.MULTILINE)
    return {number: re.findall(r"`(tests/\S+?::\w+)`", proofs) for number, proofs in rows}


@pytest.mark.parametrize("number", range(1, RULES + 1))
def test_each_rule_has_tests_that_exist(number: int) -> None:
    proofs = offline_rows()[f"O{number}"]
    assert proofs
    for proof in proofs:
        path, _, name = proof.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert name in {n.name for n in ast.walk(tree) if isinstance(n, kinds)}, proof


async def test_limits_of_the_backend_hold_without_it(tmp_path: Path) -> None:
    """OCPP 1.6 section 3.13.6."""
    async with rig(tmp_path, LocalPreAuthorize="on", IfInDoubtAllowCharging="on") as bench:
        number = await started(bench)
        assert await send(bench, profile(TX, {0: 9.0}, number=1, transaction=number)) == "Accepted"
        assert await send(bench, profile(DEFAULT, {0: 7.0}, number=2), 0) == "Accepted"
        await bench.station.until(lambda c: c["offered_a"][0] == 9.0)
        await bench.offline()
        assert bench.station.connector()["offered_a"][0] == 9.0
        # A transaction that begins now has the default profile, also after a power failure.
        await bench.plug(2)
        await bench.swipe(connector=2)
        await bench.station.until(lambda c: c["offered_a"][0] == 7.0, 2)
        await bench.station.host.cut()
        await bench.station.host.restore()
        await bench.station.until(lambda c: c["offered_a"][0] == 9.0)
        await bench.station.until(lambda c: c["offered_a"][0] == 7.0, 2)
        await bench.online()
        await bench.ledger.wait_for("StartTransaction", 2)
        assert bench.station.connector()["offered_a"][0] == 9.0


async def test_values_wait_for_the_number_of_their_transaction(tmp_path: Path) -> None:
    """No transaction id is invented while the answer to StartTransaction is missing."""
    settings: dict[str, Any] = {"IfInDoubtAllowCharging": "on", "MeterValueSampleInterval": 1}
    async with rig(tmp_path, **settings) as bench:
        await bench.offline()
        await bench.plug()
        await bench.swipe()
        await bench.station.until_state("charging")
        await bench.station.until_queue(3)
        await bench.online()
        (start,) = await bench.ledger.wait_for("StartTransaction")
        assert start["connector_id"] == 1
        messages = await bench.ledger.wait_for("MeterValues", 2)
        assert {values["transaction_id"] for values in messages} == {1001}
        actions = [seen.action for seen in bench.ledger.seen]
        assert actions.index("StartTransaction") < actions.index("MeterValues")
