"""What holds on the simulated world whatever happens."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from borne.application.ports.hardware import MeterSilent
from borne.domain.station.board import PilotInterrupt, PilotNominal, PilotOff, PilotStateF
from borne.domain.station.pilot import offer_of_duty
from tests.support.bench import Bench
from tests.support.virtual_time import run_virtual

FOLLOW_S = 5.0
STOP_S = 3.0

vehicles = st.fixed_dictionaries(
    {
        "phases": st.sampled_from([1, 2, 3]),
        "max_a": st.sampled_from([6, 13, 16, 32, 63]),
        "battery_kwh": st.sampled_from([0.2, 2, 60]),
        "soc": st.floats(0, 1),
        "taper": st.floats(0, 1),
        "reaction_s": st.floats(0, 5),
        "simplified_pilot": st.booleans(),
        "ventilation": st.booleans(),
        "wake_up": st.booleans(),
    }
)


@dataclass(frozen=True)
class Act:
    """Something that happens, and the time after it."""

    name: Any
    value: Any
    then_s: float


acts = st.builds(
    lambda act, then_s: Act(act[0], act[1], then_s),
    st.one_of(
        st.tuples(st.just("offer"), st.floats(6, 32)),
        st.tuples(st.just("pause"), st.none()),
        st.tuples(st.just("refuse"), st.none()),
        st.tuples(st.just("interrupt"), st.floats(0.1, 10)),
        st.tuples(st.just("allow"), st.booleans()),
        st.tuples(st.just("replug"), vehicles),
        st.tuples(st.just("wants"), st.booleans()),
        st.tuples(st.just("volts"), st.floats(0, 260)),
        st.tuples(st.just("power"), st.floats(0, 60)),
        st.tuples(
            st.tuples(
                st.just("cause"),
                st.sampled_from(
                    [
                        "residual-current",
                        "vehicle-signal",
                        "pilot-open",
                        "mcb-type2",
                        "phase-loss",
                        "contactor-open",
                        "brown-out",
                        "board-lost",
                        "diode-check",
                    ]
                ),
            ),
            st.booleans(),
        ),
    ),
    st.one_of(st.floats(0, 5), st.floats(0, 300)),
)


class Observer:
    """Watches socket 1 at every event: integrates for itself, and remembers what was wrong."""

    def __init__(self, bench: Bench, check: Callable[[Bench], str | None]) -> None:
        self._bench = bench
        self._check = check
        self._since_s = bench.world.loop.time()
        self._power_w = 0.0
        self._last_wh = bench.socket.register_wh
        self.first_wh = self._last_wh
        self.energy_ws = 0.0
        self.wrong: list[str] = []
        bench.socket.changed.subscribe(lambda _: self._look())

    def _look(self) -> None:
        now_s = self._bench.world.loop.time()
        self.energy_ws += self._power_w * (now_s - self._since_s)
        self._since_s = now_s
        self._power_w = self._bench.socket.power_w
        register_wh = self._bench.socket.register_wh
        if register_wh < self._last_wh:
            self.wrong.append(f"register fell from {self._last_wh} to {register_wh}")
        self._last_wh = register_wh
        if problem := self._check(self._bench):
            self.wrong.append(f"at {self._bench.now_s} s: {problem}")


async def perform(bench: Bench, act: Act) -> None:
    match act.name:
        case "offer":
            bench.board.set_pilot(PilotNominal(act.value))
        case "pause":
            bench.board.set_pilot(PilotOff())
        case "refuse":
            bench.board.set_pilot(PilotStateF())
        case "interrupt":
            bench.board.set_pilot(PilotInterrupt(act.value))
        case "allow":
            bench.board.allow_contactor(act.value)
        case "replug":
            await bench.simulator.unplug(1, force=True)
            await bench.plug(**act.value)
        case "wants":
            await bench.simulator.change_vehicle(1, {"wants_charge": act.value})
        case "volts":
            await bench.simulator.set_site({"voltage_v": act.value})
        case "power":
            bench.world.cut_power()
            await asyncio.sleep(act.value)
            bench.world.restore_power()
            await bench.start()
        case ("cause", name):
            await bench.cause(name, active=act.value)


def live(vehicle: dict[str, Any], steps: list[Act], check: Callable[[Bench], str | None]) -> None:
    """Run the steps and check the register's law and to `check` at every event."""

    async def play() -> None:
        bench = await Bench().start()
        observer = Observer(bench, check)
        await bench.plug(**vehicle)
        bench.offer(16)
        for act in steps:
            await asyncio.sleep(act.then_s)
            await perform(bench, act)
        await asyncio.sleep(FOLLOW_S)
        bench.socket.settle()
        assert observer.wrong == []
        counted_wh = bench.socket.register_wh - observer.first_wh
        assert counted_wh == int(observer.energy_ws / 3600 + 1e-6)

    run_virtual(play())


def no_current_through_open_contacts(bench: Bench) -> str | None:
    socket = bench.socket
    if socket.current_a.total > 0 and not socket.contactor.closed:
        return f"{socket.current_a} through open contacts"
    return None


@settings(max_examples=60, deadline=None)
@given(vehicles, st.lists(acts, max_size=12))
def test_no_current_flows_through_an_open_contactor(
    vehicle: dict[str, Any], steps: list[Act]
) -> None:
    live(vehicle, steps, no_current_through_open_contacts)


class Obedience:
    """An obedient car draws at most what was offered at some time in the last 5 s."""

    def __init__(self) -> None:
        self._offers: list[tuple[float, float]] = [(0.0, 0.0)]

    def __call__(self, bench: Bench) -> str | None:
        now_s = bench.world.loop.time()
        offer_a = offer_of_duty(bench.socket.generator.duty_percent).current_a
        self._offers.append((now_s, offer_a))
        recent = [a for at_s, a in self._offers if at_s >= now_s - FOLLOW_S]
        before = [a for at_s, a in self._offers if at_s < now_s - FOLLOW_S]
        allowed_a = max(recent + before[-1:])
        drawn_a = max(bench.socket.current_a)
        return None if drawn_a <= allowed_a + 1e-6 else f"{drawn_a} A drawn, {allowed_a} A offered"


@settings(max_examples=60, deadline=None)
@given(vehicles, st.lists(acts, max_size=12))
def test_obedient_vehicles_draw_what_was_offered_within_5_s(
    vehicle: dict[str, Any], steps: list[Act]
) -> None:
    live(vehicle, steps, Obedience())


@settings(max_examples=30, deadline=None)
@given(vehicles, st.floats(0, 5000), st.floats(0, 600))
def test_a_power_cut_keeps_the_register(
    vehicle: dict[str, Any], charged_s: float, dark_s: float
) -> None:
    async def play() -> None:
        bench = await Bench().charging(16, **vehicle)
        await asyncio.sleep(charged_s)
        before_wh = (await bench.meter.read()).register_wh
        bench.world.cut_power()
        await asyncio.sleep(dark_s)
        bench.world.restore_power()
        await bench.start()
        after_wh = (await bench.meter.read()).register_wh
        assert before_wh <= after_wh <= before_wh + 1

    run_virtual(play())


@settings(max_examples=30, deadline=None)
@given(vehicles, st.floats(6, 32))
def test_without_an_offer_obedient_vehicles_stop_in_3_s(
    vehicle: dict[str, Any], offer_a: float
) -> None:
    async def play() -> None:
        bench = await Bench().charging(offer_a, **vehicle)
        bench.board.set_pilot(PilotOff())
        await asyncio.sleep(STOP_S + 0.001)
        assert bench.socket.current_a.total == 0

    run_virtual(play())


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=10))
def test_a_silent_meter_never_answers_with_a_number(steps: list[tuple[bool, float]]) -> None:
    async def play() -> None:
        bench = await Bench().charging(16)
        for silent, then_s in steps:
            await bench.cause("meter-ocpp", active=silent)
            await asyncio.sleep(then_s)
            try:
                await bench.meter.read()
                answered = True
            except MeterSilent:
                answered = False
            assert answered is not silent

    run_virtual(play())
