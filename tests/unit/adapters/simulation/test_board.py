"""What a simulated board reports, and what it does by itself."""

import asyncio

import pytest

from borne.domain.station.board import (
    BoardCapabilities,
    BoardLinkReport,
    BrownOutReport,
    Contact,
    ContactorReport,
    ContactReport,
    DiodeCheck,
    LockPosition,
    LockReport,
    OtherFaultReport,
    PilotNominal,
    PilotOff,
    PilotReport,
    PilotState,
    Plug,
    PlugKind,
    PlugReport,
    ResidualCurrentReport,
    TemperatureReport,
)
from tests.support.bench import Bench
from tests.support.virtual_time import virtual_time

LOCKED, UNLOCKED, MOVING = LockPosition.LOCKED, LockPosition.UNLOCKED, LockPosition.MOVING


@virtual_time
async def test_start_reports_everything_once() -> None:
    bench = await Bench().start()
    assert [report for _, report in bench.reports] == [
        PilotReport(PilotState.A, pwm=False),
        PlugReport(Plug(PlugKind.NONE)),
        LockReport(UNLOCKED),
        ContactorReport(closed=False),
        TemperatureReport(25.0),
    ]


@virtual_time
async def test_start_finds_a_vehicle_that_is_already_there() -> None:
    bench = Bench()
    await bench.plug(cable_a=20)
    await bench.start()
    assert PlugReport(Plug(PlugKind.VALID, 20)) in bench.reports_of(PlugReport)
    assert bench.reports_of(PilotReport) == [PilotReport(PilotState.B, pwm=False)]


@virtual_time
async def test_plug_is_reported_before_the_pilot_and_after_it_when_pulled() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.plug()
    await asyncio.sleep(1)
    bench.socket.unplug()
    await asyncio.sleep(1)
    assert [type(report) for _, report in bench.reports] == [
        PlugReport,
        PilotReport,
        PilotReport,
        PlugReport,
    ]


@virtual_time
async def test_commands_never_report_before_they_return() -> None:
    bench = await Bench().start()
    bench.forget()
    bench.board.set_lock(True)
    assert bench.reports == []
    await asyncio.sleep(0)
    assert bench.reports_of(LockReport) == [LockReport(MOVING)]


@virtual_time
async def test_a_glitch_shorter_than_the_debounce_is_not_seen() -> None:
    bench = await Bench().charging()
    await bench.cause("pilot-open")
    await asyncio.sleep(0.02)
    await bench.cause("pilot-open", active=False)
    await asyncio.sleep(1)
    assert bench.reports == []


@pytest.mark.parametrize("current_a", [0.0, 5.9])
@virtual_time
async def test_less_than_6_a_is_no_offer(current_a: float) -> None:
    bench = await Bench().start()
    bench.board.set_pilot(PilotNominal(current_a))
    await asyncio.sleep(1)
    assert bench.view()["pilot"]["duty_percent"] == 100.0


@virtual_time
async def test_more_than_the_board_carries_is_not_offered() -> None:
    bench = await Bench(capabilities=BoardCapabilities(max_current_a=16)).start()
    bench.board.set_pilot(PilotNominal(32))
    assert bench.view()["pilot"]["duty_percent"] == pytest.approx(26.67)


@virtual_time
async def test_fixed_cable_is_always_plugged_and_has_no_lock() -> None:
    capabilities = BoardCapabilities(has_lock=False, tethered_cable_a=32)
    bench = await Bench(capabilities=capabilities).start()
    assert bench.reports_of(PlugReport) == [PlugReport(Plug(PlugKind.VALID, 32))]
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    assert bench.reports_of(LockReport) == [LockReport(UNLOCKED)]


# Lock ---------------------------------------------------------------------------------------


@virtual_time
async def test_lock_travels_300_to_600_ms() -> None:
    bench = await Bench().start()
    bench.forget()
    bench.board.set_lock(True)
    await asyncio.sleep(0.29)
    assert bench.reports_of(LockReport) == [LockReport(MOVING)]
    await asyncio.sleep(0.32)
    assert bench.reports_of(LockReport) == [LockReport(MOVING), LockReport(LOCKED)]


@pytest.mark.parametrize("how", ["cause", "vehicle"])
@virtual_time
async def test_bolt_comes_back_from_a_plug_that_is_not_in(how: str) -> None:
    bench = await Bench().start()
    await bench.plug(half_plugged=how == "vehicle")
    if how == "cause":
        await bench.cause("plug-lock")
    bench.forget()
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    assert bench.reports_of(LockReport) == [LockReport(MOVING), LockReport(UNLOCKED)]


@virtual_time
async def test_a_stuck_bolt_stays_locked_until_it_is_repaired() -> None:
    bench = await Bench().start()
    bench.board.set_lock(True)
    await asyncio.sleep(1)
    await bench.cause("lock-stuck")
    bench.forget()
    bench.board.set_lock(False)
    await asyncio.sleep(1)
    assert bench.reports == []
    await bench.cause("lock-stuck", active=False)
    bench.board.set_lock(False)
    await asyncio.sleep(1)
    assert bench.reports_of(LockReport)[-1] == LockReport(UNLOCKED)


@virtual_time
async def test_missing_actuator_is_reported_absent() -> None:
    bench = await Bench().start()
    await bench.cause("lock-missing")
    await asyncio.sleep(0)
    assert bench.reports_of(LockReport)[-1] == LockReport(LockPosition.ABSENT)


# Contactor ----------------------------------------------------------------------------------


@virtual_time
async def test_welded_contactor_stays_closed_when_it_shall_open() -> None:
    bench = await Bench().charging()
    await bench.cause("contactor-welded")
    bench.board.allow_contactor(False)
    await asyncio.sleep(5)
    assert bench.when_contactor(closed=False) is None
    await bench.cause("contactor-welded", active=False)
    await asyncio.sleep(0)
    assert bench.when_contactor(closed=False) == 5.0


@virtual_time
async def test_contacts_that_weld_while_open_are_seen_closed() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.cause("contactor-welded")
    await asyncio.sleep(0)
    assert bench.reports_of(ContactorReport) == [ContactorReport(closed=True)]


@virtual_time
async def test_broken_coil_never_closes() -> None:
    bench = await Bench().start()
    await bench.cause("contactor-open")
    await bench.plug()
    bench.offer(16)
    await asyncio.sleep(5)
    assert bench.when_contactor(closed=True) is None
    assert bench.socket.current_a.total == 0


# Residual current ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dc_ma", "ac_ma", "limit_s"),
    [(6.0, 0.0, 10.0), (60.0, 0.0, 0.3), (200.0, 0.0, 0.1), (0.0, 30.0, 0.3), (0.0, 150.0, 0.04)],
)
@virtual_time
async def test_monitor_trips_within_the_limits_of_iec_62955(
    dc_ma: float, ac_ma: float, limit_s: float
) -> None:
    bench = await Bench().charging()
    await bench.cause("residual-current", dc_ma=dc_ma, ac_ma=ac_ma)
    await asyncio.sleep(limit_s + 0.1)
    opened_s = bench.when_contactor(closed=False)
    assert opened_s is not None
    assert opened_s <= limit_s + 0.02
    assert bench.reports_of(ResidualCurrentReport)[0] == ResidualCurrentReport(
        tripped=True, rms_ma=max(dc_ma, ac_ma), dc_ma=dc_ma
    )


@virtual_time
async def test_monitor_does_not_trip_below_its_threshold() -> None:
    bench = await Bench().charging()
    await bench.cause("residual-current", dc_ma=3, ac_ma=10)
    await asyncio.sleep(60)
    assert bench.reports == []


@virtual_time
async def test_trip_is_latched_until_rearmed() -> None:
    bench = await Bench().charging(leak_dc_ma=60)
    await asyncio.sleep(5)
    bench.forget()
    bench.offer(16)
    await asyncio.sleep(5)
    assert bench.when_contactor(closed=True) is None
    await bench.simulator.change_vehicle(1, {"leak_dc_ma": 0})
    bench.board.rearm()
    await asyncio.sleep(1)
    assert bench.reports_of(ResidualCurrentReport) == [ResidualCurrentReport(tripped=False)]
    assert bench.when_contactor(closed=True) is not None


@virtual_time
async def test_rearmed_while_current_leaks_it_trips_again() -> None:
    bench = await Bench().start()
    await bench.cause("residual-current")
    await asyncio.sleep(1)
    bench.forget()
    bench.board.rearm()
    await asyncio.sleep(1)
    tripped = [report.tripped for report in bench.reports_of(ResidualCurrentReport)]  # type: ignore[union-attr]  # reports_of() filters by type
    assert tripped == [False, True]


@pytest.mark.parametrize("defective", [False, True])
@virtual_time
async def test_self_test_reports_whether_the_monitor_works(defective: bool) -> None:
    bench = await Bench().start()
    await bench.cause("rcm-self-test", active=defective)
    bench.board.self_test()
    await asyncio.sleep(1)
    assert bench.reports_of(ResidualCurrentReport) == [
        ResidualCurrentReport(tripped=False, self_test_passed=not defective)
    ]


# Link, supply, contacts ---------------------------------------------------------------------


@virtual_time
async def test_a_lost_link_is_reported_and_the_watchdog_opens() -> None:
    bench = await Bench().charging()
    await bench.cause("board-lost")
    await asyncio.sleep(10)
    assert [report for _, report in bench.reports] == [BoardLinkReport(alive=False)]
    assert not bench.socket.contactor.closed
    bench.forget()
    await bench.cause("board-lost", active=False)
    await asyncio.sleep(0)
    assert bench.reports[0] == (0.0, BoardLinkReport(alive=True))
    assert ContactorReport(closed=False) in bench.reports_of(ContactorReport)


@virtual_time
async def test_brown_out_turns_everything_off_and_reports_all() -> None:
    bench = await Bench().charging()
    await bench.cause("brown-out")
    await asyncio.sleep(5)
    assert bench.reports[0] == (0.0, BrownOutReport())
    assert bench.when_contactor(closed=False) == 0.02
    assert bench.reports_of(PilotReport)[-1] == PilotReport(PilotState.B, pwm=False)


@pytest.mark.parametrize(
    ("cause", "contact", "cuts"),
    [
        ("rcd-tripped", Contact.RCD, True),
        ("mcb-type2", Contact.MCB_TYPE2, True),
        ("mcb-schuko", Contact.MCB_DOMESTIC, False),
        ("spd", Contact.SPD, False),
    ],
)
@virtual_time
async def test_auxiliary_contacts(cause: str, contact: Contact, cuts: bool) -> None:
    bench = await Bench().charging()
    await bench.cause(cause)
    await asyncio.sleep(0)
    assert bench.reports_of(ContactReport) == [ContactReport(contact, tripped=True)]
    assert (bench.socket.current_a.total == 0) is cuts
    await bench.cause(cause, active=False)
    await asyncio.sleep(0)
    assert bench.reports_of(ContactReport)[-1] == ContactReport(contact, tripped=False)


@virtual_time
async def test_any_error_code_can_be_reported() -> None:
    bench = await Bench().start()
    await bench.cause("other:WeakSignal")
    await asyncio.sleep(0)
    assert bench.reports_of(OtherFaultReport) == [OtherFaultReport("WeakSignal", active=True)]


@virtual_time
async def test_defects_from_before_the_start_are_reported() -> None:
    bench = Bench()
    await bench.cause("spd")
    await bench.cause("board-lost")
    await bench.start()
    assert [report for _, report in bench.reports] == [BoardLinkReport(alive=False)]
    await bench.cause("board-lost", active=False)
    await asyncio.sleep(0)
    assert ContactReport(Contact.SPD, tripped=True) in bench.reports_of(ContactReport)


@virtual_time
async def test_temperature_is_reported_when_it_changes() -> None:
    bench = await Bench().start()
    bench.forget()
    await bench.simulator.set_temperature(71.5, 1)
    await asyncio.sleep(0)
    assert bench.reports_of(TemperatureReport) == [TemperatureReport(71.5)]


@virtual_time
async def test_diode_is_judged_with_pwm_only() -> None:
    bench = await Bench().start()
    await bench.plug(vehicle="faulty")
    await asyncio.sleep(1)
    assert bench.reports_of(PilotReport)[-1] == PilotReport(PilotState.B, pwm=False)
    bench.offer(16)
    await asyncio.sleep(0.5)
    assert bench.reports_of(PilotReport)[-1] == PilotReport(PilotState.B, True, DiodeCheck.FAILED)


@pytest.mark.parametrize("end", ["stop", "power_cut"])
@virtual_time
async def test_after_its_stop_a_board_is_safe_and_ignores_commands(end: str) -> None:
    bench = await Bench().charging()
    if end == "stop":
        await bench.board.stop()
    else:
        bench.world.cut_power()
    bench.offer(32)
    bench.board.set_lock(True)
    await asyncio.sleep(10)
    assert bench.reports == []
    assert bench.view()["pilot"]["drive"] != "square wave"
    assert not bench.socket.contactor.closed


@virtual_time
async def test_a_board_without_supply_does_not_start() -> None:
    bench = Bench()
    bench.world.cut_power()
    await bench.start()
    bench.board.set_pilot(PilotOff())
    assert bench.reports == []
    assert bench.view()["pilot"]["high_v"] == 0.0
