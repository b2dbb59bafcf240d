"""Whatever a backend sends: each CALL is answered as OCPP 1.6 has it, the connection stays, and the
station lives on. A whole station, a real socket, payloads drawn from the messages themselves and
then broken (OCPP-J 1.6 section 4.2).
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from borne.adapters.ocpp.charge_point.config import MAX_FRAME_BYTES
from borne.protocols.ocpp.messages import Action, request_model, response_model
from borne.protocols.ocpp.messages.registry import Initiator, spec_of
from tests.integration.ocpp.bare_backend import BareBackend, bare_backend
from tests.support.frame_checker import ERROR_CODES, schema
from tests.support.rotation import revision
from tests.support.running_station import running_station
from tests.support.timeouts import TEST_TIMEOUT_S
from tests.unit.protocols.ocpp.strategies import messages

T = TypeVar("T")
COMMANDS = [a for a in Action if spec_of(a).initiator is not Initiator.CHARGE_POINT]
ENDS_THE_CONNECTION = {Action.RESET}
"""When they are valid; then they are not sent."""
KEYS = (
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "CpoName",
    "HeartbeatInterval",
    "LightIntensity",
    "LocalPreAuthorize",
    "MeterValuesSampledData",
    "NumberOfConnectors",
    "SecurityProfile",
    "StopTransactionOnEVSideDisconnect",
    "WebSocketPingInterval",
)
"""Changes of these leave the connection as it is, or are refused."""
NUMBERS = st.sampled_from(["", "-1", "0", "1e9", "9" * 400, "²", "٣", " 5", "5.0", "NaN", "true"])


class Line:
    """A station and its backend on an event loop of their own."""

    def __init__(self, runner: asyncio.Runner, backend: BareBackend) -> None:
        self._runner = runner
        self.backend = backend

    def run(self, work: Any) -> Any:
        """Run the loop until this is done."""
        return self._runner.run(work)


@pytest.fixture(scope="module", params=[0, 1], ids=["no profile", "profile 1"])
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    stack = AsyncExitStack()
    folder = tmp_path_factory.mktemp("station")

    async def start() -> BareBackend:
        backend = await stack.enter_async_context(bare_backend())
        made = running_station(
            folder,
            ConnectionType="ethernet",
            WebSocketsBackendURL=backend.url,
            ChargePointID="CP-1",
            AuthorizationKey="a password of 16",
            SecurityProfile=request.param,
            ConnectionTimeOut=1,
        )
        await stack.enter_async_context(made)
        await backend.wait_for_boot()
        return backend

    with asyncio.Runner() as runner:
        try:
            yield Line(runner, runner.run(start()))
        finally:
            runner.run(stack.aclose())


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=60)
    | st.sampled_from(["x" * 3000, "\x00", "\ud800", "2026-11-22T10:00:00Z", "0001-01-01T00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""
    if isinstance(value, dict):
        inside: list[tuple[Any, Any]] = [(value, key) for key in value]
    elif isinstance(value, list):
        inside = [(value, index) for index in range(len(value))]
    else:
        return []
    return inside + [place for container, key in inside for place in places(container[key])]


@st.composite
def broken(draw: st.DrawFn, payload: dict[str, Any]) -> dict[str, Any]:
    """A payload with up to two things changed, perhaps none."""
    changed = copy.deepcopy(payload)
    for _ in range(draw(st.integers(0, 2))):
        at = places(changed)
        how = draw(st.sampled_from(["replace", "replace", "delete", "add", "longer", "deeper"]))
        if how == "add" or not at:
            changed[draw(st.text(max_size=20))] = draw(JUNK)
            continue
        container, key = draw(st.sampled_from(at))
        old = container[key]
        match how:
            case "delete":
                del container[key]
            case "longer" if isinstance(old, str):
                container[key] = old + "x" * draw(st.sampled_from([1, 20, 500, 20_000]))
            case "longer" if isinstance(old, list) and old:
                container[key] = old * draw(st.sampled_from([2, 1000]))
            case "deeper":
                for _ in range(draw(st.sampled_from([1, 3, 300]))):
                    old = [old]
                container[key] = old
            case _:
                container[key] = draw(JUNK)
    return changed


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Any]:
    """A command with a payload that is good, or nearly, or not at all."""
    action = draw(st.sampled_from(COMMANDS))
    payload: Any = draw(messages(request_model(action)).map(lambda m: m.to_wire()))
    if action is Action.CHANGE_CONFIGURATION:
        payload["key"] = draw(st.sampled_from(KEYS) | st.text(max_size=50))
        payload["value"] = draw(NUMBERS | st.text(max_size=500))
    payload = draw(st.one_of(broken(payload), broken(payload), broken(payload), JUNK))
    assume(action not in ENDS_THE_CONNECTION or not valid(action, without_nulls(payload)))
    assume(len(wire(payload)) < MAX_FRAME_BYTES // 2)
    return action.value, payload


def valid(name: str, payload: Any) -> bool:
    """Whether it fits the official schema."""
    exact = json.loads(json.dumps(payload), parse_float=Decimal, parse_constant=Decimal)
    return bool(schema(name).is_valid(exact))


def without_nulls(value: Any) -> Any:
    """A field that is null is taken as one that is not there: many backends write so."""
    match value:
        case dict():
            return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [without_nulls(inner) for inner in value]
    return value


def check_answer(action: str, payload: Any, answer: list[Any]) -> None:
    """A CALLRESULT that fits the schema, or a CALLERROR of table 7; a bad CALL gets the latter."""
    match answer:
        case [3, str(), dict(result)]:
            assert valid(f"{action}Response", result)
            assert valid(action, without_nulls(payload)), answer
        case [4, str(), str(code), str(words), dict()]:
            assert code in ERROR_CODES
            assert code != "InternalError", answer  # nothing that arrives is our failure
            assert len(words) <= 255
        case _:
            pytest.fail(f"no answer of OCPP: {answer}")


def wire(value: Any) -> str:
    """JSON, also of what is none: NaN, halves of surrogate pairs."""
    return json.dumps(value)


def fuzz(line: Line, action: str, payload: Any) -> None:
    backend, connections = line.backend, line.backend.connections

    async def ask() -> None:
        frame = wire([2, "fuzz", action, payload])
        check_answer(action, payload, await backend.answer("fuzz", frame))
        await backend.wait_for_heartbeat()

    line.run(ask())
    assert backend.connections == connections


FAST = settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
LONG = settings(FAST, max_examples=1500)
of_this_commit = seed(random.Random(f"fuzz {revision()}").getrandbits(64))
"""Every commit draws others, and the same again when it is run again."""


@given(call=calls())
@of_this_commit
@FAST
def test_every_command_is_answered(line: Line, call: tuple[str, Any]) -> None:
    fuzz(line, *call)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@given(call=calls())
@LONG
def test_every_command_is_answered_long(line: Line, call: tuple[str, Any]) -> None:
    fuzz(line, *call)


TRIGGERED = [
    Action.DIAGNOSTICS_STATUS_NOTIFICATION,
    Action.FIRMWARE_STATUS_NOTIFICATION,
    Action.HEARTBEAT,
    Action.METER_VALUES,
    Action.STATUS_NOTIFICATION,
]
TIMES = st.sampled_from(
    ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "now", 0]
)


@st.composite
def replies(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A message of the station, and an answer to it that is good, or nearly, or not at all."""
    action = draw(st.sampled_from(TRIGGERED))
    payload = draw(messages(response_model(action)).map(lambda m: m.to_wire()))
    if action is Action.HEARTBEAT and draw(st.booleans()):
        payload["currentTime"] = draw(TIMES)
    result = draw(st.one_of(st.just(payload), broken(payload), JUNK))
    error = draw(st.lists(JUNK | st.sampled_from(sorted(ERROR_CODES)), max_size=4))
    assume(len(wire([result, error])) < MAX_FRAME_BYTES // 2)
    return action.value, draw(st.sampled_from([[3, result], [3], [3, result, 1], [4, *error]]))


def reply_with(line: Line, action: str, reply: list[Any]) -> None:
    backend, connections = line.backend, line.backend.connections

    async def call_and_wait() -> None:
        backend.replies = {action: reply}
        await backend.wait_for_call(action)
        backend.replies = {}
        await backend.wait_for_heartbeat()

    line.run(call_and_wait())
    assert backend.connections == connections


@given(drawn=replies())
@of_this_commit
@FAST
def test_the_station_goes_on_after_any_answer(line: Line, drawn: tuple[str, list[Any]]) -> None:
    reply_with(line, *drawn)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@given(drawn=replies())
@LONG
def test_the_station_goes_on_after_any_answer_long(
    line: Line, drawn: tuple[str, list[Any]]
) -> None:
    reply_with(line, *drawn)


IDS = st.sampled_from(["", "1", "x" * 36, "x" * 255, "\u2028", 'a"b', "\U0001f600"]) | st.text()
FRAMES = st.one_of(
    st.tuples(JUNK, JUNK).map(list),
    st.tuples(st.sampled_from([2, 2.0, "2", True, None, 0, 1, 5, 10**40]), IDS).map(list),
    st.tuples(st.just(2), IDS, JUNK).map(list),
    st.tuples(st.just(2), IDS, JUNK, JUNK).map(list),
    st.tuples(st.just(2), JUNK, st.sampled_from([a.value for a in Action]), JUNK).map(list),
    st.tuples(st.just(2), IDS, st.text(max_size=60), st.just({}), JUNK).map(list),
    st.tuples(st.sampled_from([3, 4]), JUNK, JUNK, JUNK, JUNK).map(list),
    JUNK,
)


def expected_id(frame: Any) -> str | None:
    """The id under which a frame must be answered: it is a CALL, whatever is wrong with it."""
    match frame:
        case [int(kind), str(message_id), *_] if kind == 2 and not isinstance(kind, bool):
            return message_id if len(message_id) <= 255 else None
    return None


def throw(line: Line, frame: str | bytes, message_id: str | None) -> None:
    backend, connections = line.backend, line.backend.connections

    async def send() -> None:
        if message_id is None:
            await backend.send(frame)
        else:
            kind, echoed, code, *_ = await backend.answer(message_id, frame)
            assert (kind, echoed) == (4, message_id)
            assert code in ERROR_CODES - {"InternalError"}
        await backend.wait_for_heartbeat()

    line.run(send())
    assert backend.connections == connections


def sound(frame: Any) -> bool:
    """Frames that are good are for the other test."""
    match frame:
        case [2, str(), str(action), dict()] if action in set(Action):
            return True
    return False


def is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def throw_frame(line: Line, frame: Any) -> None:
    assume(not sound(frame))
    text = wire(frame)
    message_id = expected_id(frame)
    if message_id is not None and not is_unicode(text.encode().decode("unicode_escape", "replace")):
        message_id = None  # halves of surrogate pairs are no JSON of ours
    throw(line, text, message_id)


@given(frame=FRAMES)
@of_this_commit
@FAST
def test_a_bad_frame_is_answered_when_it_was_a_call(line: Line, frame: Any) -> None:
    throw_frame(line, frame)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@given(frame=FRAMES)
@LONG
def test_a_bad_frame_is_answered_when_it_was_a_call_long(line: Line, frame: Any) -> None:
    throw_frame(line, frame)


@given(noise=st.binary(max_size=300) | st.text(st.characters(codec="utf-8"), max_size=300))
@of_this_commit
@settings(FAST, max_examples=60)
def test_noise_is_ignored(line: Line, noise: str | bytes) -> None:
    throw(line, noise, None)


SPECIAL: dict[str, str | bytes] = {
    "empty": "",
    "binary CALL": b'[2,"1","Reset",{}]',
    "deep brackets": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "deep and closed": '[2,"deep","DataTransfer",{"data":' + "[" * 50_000 + "]" * 50_000 + "}]",
    "huge number": '[2,"n","RemoteStopTransaction",{"transactionId":' + "9" * 100_000 + "}]",
    "huge id": json.dumps([2, "x" * 400_000, "Heartbeat", {}]),
    "lone surrogate": '[2,"\\ud800","ClearCache",{}]',
    "byte order mark": '\ufeff[2,"1","ClearCache",{}]',
    "a key twice": '[2,"twice","Reset",{"type":"Soft","type":"Nothing"}]',
    "many keys": json.dumps([2, "k", "ClearCache", {f"k{n}": n for n in range(20_000)}]),
    "just below the limit": json.dumps([2, "l", "DataTransfer", {"data": "x" * 500_000}]),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_frames(line: Line, name: str) -> None:
    throw(line, SPECIAL[name], None)


def test_text_that_is_not_utf_8_is_ignored(line: Line) -> None:
    async def send() -> None:
        await line.backend.send(b'[2,"1","ClearCache",{"\xff":1}]', text=True)
        await line.backend.wait_for_heartbeat()

    connections = line.backend.connections
    line.run(send())
    assert line.backend.connections == connections


def test_a_flood_of_commands_is_answered(line: Line) -> None:
    """More commands at once than a backend may send: each has its answer."""

    async def send() -> list[list[Any]]:
        asking = (line.backend.call("GetConfiguration", {"key": ["None"]}) for _ in range(200))
        answers = await asyncio.gather(*asking)
        await line.backend.wait_for_heartbeat()
        return answers

    kinds = {answer[0] if answer[0] == 3 else answer[2] for answer in line.run(send())}
    assert kinds <= {3, "GenericError"}


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 1, 10_000_000])
def test_a_frame_over_the_limit_ends_the_connection_only(line: Line, size: int) -> None:
    backend = line.backend
    connections = backend.connections

    async def send() -> None:
        while not backend.connected.empty():
            backend.connected.get_nowait()
        await backend.send("x" * size)
        await asyncio.wait_for(backend.connected.get(), TEST_TIMEOUT_S)
        await backend.wait_for_heartbeat()

    line.run(send())
    assert backend.connections == connections + 1
    assert backend.close_codes[-1] == 1009
