"""The account of a meter, whatever the meter does and whenever the station is killed.

The world knows what truly flowed. The station sees readings through the door, keeps its account in
a file that a kill leaves a second old and a power cut some seconds, and goes on after each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from borne.domain.station import metering
from borne.domain.station.metering import Account, opened
from borne.domain.station.reading import MeterReading, UnusableReading, usable
from borne.foundation.clock import Moment
from borne.foundation.units import PerPhase

MAX_W = 24_288.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
V230 = PerPhase.same(230.0)
GARBAGE: list[dict[str, Any]] = [
    {"register_wh": math.nan},
    {"register_wh": -5},
    {"register_wh": "12"},
    {"current_a": PerPhase.same(math.inf)},
    {"voltage_v": None},
    {"power_w": 4.29e9},
    {"at_s": -1e9},
]

powers_w = st.one_of(st.just(0.0), st.floats(1_400, 22_000))
acts = st.one_of(
    st.tuples(st.just("charge"), st.tuples(powers_w, st.integers(1, 120))),
    st.tuples(st.just("step"), st.integers(-(10**6), 10**6)),
    st.tuples(st.just("small step"), st.integers(-30, 60)),
    st.tuples(st.just("factor"), st.sampled_from([0.0, 0.5, 1.0, 1.3, 10.0])),
    st.tuples(st.just("silence"), st.tuples(powers_w, st.integers(1, 60))),
    st.tuples(st.just("garbage"), st.sampled_from(GARBAGE)),
    st.tuples(st.just("exchange"), st.integers(0, 10**7)),
    st.tuples(st.just("kill"), st.integers(0, 600)),
    st.tuples(st.just("power cut"), st.integers(0, 600)),
    st.tuples(st.just("clock"), st.floats(-1e7, 1e7)),
)


@dataclass
class Life:
    """One session, in the world and in the station."""

    now_s: float = 0.0
    boot: int = 0
    wall_error: timedelta = timedelta()
    true_wh: float = 0.0
    base_wh: float = 1_000_000.0
    counted_wh: float = 0.0
    factor: float = 1.0
    serial: str = "A"
    lied: bool = False
    unseen: bool = False
    """The station could not see all."""
    possible_wh: float = 0.0
    """What can have flowed, as far as anybody could know."""
    kept: list[tuple[float, Account]] = field(default_factory=list)
    account: Account = field(init=False)
    power_w: float = 0.0

    def __post_init__(self) -> None:
        self.account = opened(self.reading(), self.at()).begin("s", self.at())
        self.started_wh = self.account.line_wh
        self.keep()

    def at(self) -> Moment:
        wall = NOON + timedelta(seconds=self.now_s) + self.wall_error
        return Moment(str(self.boot), self.now_s, wall)

    def reading(self) -> MeterReading:
        amps = PerPhase.same(self.power_w / 690.0)
        shown_wh = max(0, int(self.base_wh + self.counted_wh))
        return MeterReading(shown_wh, amps, V230, self.power_w, self.now_s, self.serial)

    def flow(self, power_w: float, seconds: float) -> None:
        self.power_w = power_w
        self.now_s += seconds
        self.true_wh += power_w * seconds / 3600
        self.counted_wh += power_w * seconds / 3600 * self.factor

    def see(self, read: MeterReading, *, watched: bool = True) -> None:
        """Through the station's interfaces."""
        before = self.account
        try:
            reading = usable(read, self.now_s)
        except UnusableReading:
            self.unseen = True
            return
        hours = max(0.0, (self.now_s - before.at.monotonic_s) / 3600)
        if before.at.boot_id != str(self.boot) and before.at.wall is not None:
            gap_s = (self.at().wall or NOON) - before.at.wall
            self.possible_wh += max(0.0, gap_s.total_seconds()) / 3600 * MAX_W + 20
        elif watched:
            highest_w = max(before.power_w, reading.power_w)
            self.possible_wh += hours * (highest_w * 1.1 + 100)
        else:
            self.possible_wh += hours * MAX_W * metering.POWER_MARGIN + 20
        self.account, _ = before.update(reading, self.at(), MAX_W, watched=watched)
        assert self.account.line_wh >= before.line_wh
        assert self.account.doubts >= before.doubts
        self.keep()

    def keep(self) -> None:
        self.kept = [*self.kept[-9:], (self.now_s, self.account)]

    def off(self, seconds: float, lost_s: float) -> None:
        """The station loses power and its contactor opens; it starts again with an older
        account."""
        old = [account for at_s, account in self.kept if at_s <= self.now_s - lost_s]
        self.account = old[-1] if old else self.kept[0][1]
        self.flow(0.0, seconds)
        self.boot += 1
        self.now_s += 1
        self.unseen = True
        self.see(self.reading())


def play(life: Life, act: str, value: Any) -> None:
    match act:
        case "charge":
            for _ in range(value[1]):
                life.flow(value[0], 1.0)
                life.see(life.reading())
        case "step" | "small step":
            life.base_wh += value
            life.lied |= value != 0
            life.see(life.reading())
        case "factor":
            life.factor = value
            life.lied |= value != 1.0
        case "silence":
            life.flow(*value)
            life.unseen = True
            life.see(life.reading(), watched=False)
        case "garbage":
            life.see(replace(life.reading(), **value), watched=False)
        case "exchange":
            life.base_wh, life.counted_wh, life.lied = value, 0.0, True
            life.serial += "'"
            life.see(life.reading())
        case "kill":
            life.off(value, lost_s=1.0)
        case "power cut":
            life.off(value, lost_s=6.0)
        case "clock":
            life.wall_error += timedelta(seconds=value)
            life.unseen = True


@given(st.lists(acts, max_size=14))
def test_billed_energy_was_believed_and_can_have_flowed(steps: list[tuple[str, Any]]) -> None:
    life = Life()
    for act, value in steps:
        play(life, act, value)
    billed_wh = life.account.line_wh - life.started_wh
    assert 0 <= billed_wh <= life.possible_wh + metering.TOLERANCE_WH + 1
    event(f"doubts: {bool(life.account.doubts)}")
    if not life.lied and not any(act == "clock" for act, _ in steps):
        assert not life.account.doubts
        assert abs(billed_wh - life.true_wh) <= 1
    elif not life.account.doubts and not life.unseen:
        slack_wh = metering.TOLERANCE_WH + metering.LATENCY_S / 3600 * MAX_W
        slack_wh += metering.IDLE_W * life.now_s / 3600
        assert abs(billed_wh - life.true_wh) <= life.true_wh * metering.CLASS + slack_wh + 1


@given(st.lists(acts, max_size=14))
def test_another_serial_number_or_a_lower_register_always_raises_a_doubt(
    steps: list[tuple[str, Any]],
) -> None:
    life = Life()
    for act, value in steps:
        register_wh = life.reading().register_wh
        play(life, act, value)
        fell = act in ("step", "small step") and life.reading().register_wh < register_wh
        if act == "exchange" or fell:
            assert life.account.doubts
