"""A simulated charge controller board: measures, debounces, protects, executes commands.

Like a real board it protects without Linux (docs/safety.md): it opens the contactor within 100 ms
in states A, E, F and on faults of its own, closes only with PWM and a detected diode, and switches
the pilot off if the keep-alive is missing. It subscribes to its socket and uses one-shot timers,
without polling. Reports are delivered in order in the next iteration of the event loop, never
within a command.
"""

from __future__ import annotations

from collections.abc import Callable

from borne.adapters.simulation.outlet import Socket
from borne.adapters.simulation.residual import SELF_TEST_S, trip_delay_s
from borne.adapters.simulation.wire import Drive, generator_for
from borne.adapters.simulation.world import World
from borne.domain.station import pilot
from borne.domain.station.board import (
    NO_PLUG,
    AllowContactor,
    BoardCapabilities,
    BoardCommand,
    BoardLinkReport,
    BoardReport,
    BrownOutReport,
    Contact,
    ContactorReport,
    ContactReport,
    DiodeCheck,
    KeepAlive,
    LockPosition,
    LockReport,
    MoveLock,
    OtherFaultReport,
    PilotCommand,
    PilotInterrupt,
    PilotOff,
    PilotReport,
    PilotState,
    Plug,
    PlugKind,
    PlugReport,
    Rearm,
    ResidualCurrentReport,
    SelfTest,
    SetPilot,
    SupplyReport,
    TemperatureReport,
)
from borne.foundation.events import Signal, Unsubscribe
from borne.foundation.timers import Timers

DEBOUNCE_S = 0.03
"""Three equal samples. With 20 ms of the contactor, an unplugged car is off within 100 ms."""
ASKING = (PilotState.C, PilotState.D)
PRESENT_V = 50.0
"""The supply counts as missing if all phases are below this voltage."""
CAPABILITIES = BoardCapabilities(has_digital_pilot=True)


class SimulatedBoard:
    """An `EvsePort` for one socket of a world; serves for one power-up."""

    def __init__(
        self, world: World, socket: Socket, capabilities: BoardCapabilities = CAPABILITIES
    ) -> None:
        self._world = world
        self._socket = socket
        self._capabilities = capabilities
        self._loop = world.loop
        self._reports: Signal[BoardReport] = Signal()
        self._outgoing: list[BoardReport] = []
        self._subscriptions: list[Unsubscribe] = []
        self._timers = Timers(world.loop)
        self._armed = False
        self._link_up = True
        self._command: PilotCommand = PilotOff()
        self._allowed = False
        self._interrupted = False
        self._alive_s = 0.0
        self._tripped = False
        self._pilot = PilotReport(PilotState.A, pwm=False)
        self._plug = NO_PLUG
        self._lock = LockPosition.UNLOCKED
        self._closed = False
        self._temperature_c = 0.0
        self._contacts: frozenset[Contact] = frozenset()
        self._other: frozenset[str] = frozenset()
        self._supplied = True

    # EvsePort -------------------------------------------------------------------------------

    @property
    def capabilities(self) -> BoardCapabilities:
        return self._capabilities

    async def start(self) -> None:
        """Arm the board; does nothing without power."""
        if self._armed or not self._world.power_on:
            return
        self._apply()
        self._armed = True
        self._link_up = not self._socket.defects.board_silent
        if not self._link_up:
            self._report(BoardLinkReport(False))
        self._report_all()
        self._subscriptions = [
            self._socket.changed.notify(self._sense),
            self._socket.brown_out.notify(self._brown_out),
            self._world.station_removed.notify(self._shut_down),
        ]
        self._sense()

    async def stop(self) -> None:
        """Switch off safely, then ignore all commands."""
        if self._armed:
            self._release()
            self._shut_down()

    def subscribe(self, listener: Callable[[BoardReport], None]) -> Unsubscribe:
        return self._reports.subscribe(listener)

    def send(self, command: BoardCommand) -> None:
        """Execute a command, unless the board is not armed or its link is broken."""
        match command:
            case SetPilot(pilot_command):
                self.set_pilot(pilot_command)
            case AllowContactor(allowed):
                self.allow_contactor(allowed)
            case MoveLock(locked):
                self.set_lock(locked)
            case KeepAlive():
                self.keep_alive()
            case SelfTest():
                self.self_test()
            case Rearm():
                self.rearm()

    def set_pilot(self, command: PilotCommand) -> None:
        """Set the pilot; after an interruption the previous command applies again."""
        if not self._accept_command():
            return
        if isinstance(command, PilotInterrupt):
            self._interrupt(command.duration_s)
        else:
            self._command = command
        self._apply()

    def allow_contactor(self, allowed: bool) -> None:
        """Allow or forbid closing the contactor."""
        if self._accept_command():
            self._allowed = allowed
            self._apply()

    def set_lock(self, locked: bool) -> None:
        if self._accept_command() and self._capabilities.has_lock:
            self._socket.lock.pulse(locked)

    def keep_alive(self) -> None:
        self._accept_command()

    def self_test(self) -> None:
        """Start the self-test of the residual current monitor."""
        if self._accept_command():
            self._timers.plan("self-test", SELF_TEST_S, self._finish_self_test)

    def rearm(self) -> None:
        """Reset the residual current monitor; it trips again if the current still flows."""
        if self._accept_command() and self._tripped:
            self._tripped = False
            self._report_residual()
            self._watch_residual()
            self._apply()

    # Reports --------------------------------------------------------------------------------

    def _report(self, report: BoardReport) -> None:
        if not self._link_up and not isinstance(report, BoardLinkReport):
            return
        if not self._outgoing:
            self._loop.call_soon(self._deliver)
        self._outgoing.append(report)

    def _deliver(self) -> None:
        while self._outgoing:
            report = self._outgoing.pop(0)
            if self._armed:
                self._reports.emit(report)

    def _report_all(self) -> None:
        """Report the complete state, measured without debouncing (after a start or a link
        failure)."""
        self._pilot = self._measured_pilot()
        self._plug = self._measured_plug()
        self._lock = self._measured_lock()
        self._closed = self._socket.contactor.closed
        self._temperature_c = self._socket.temperature_c
        for report in (
            self._pilot,
            PlugReport(self._plug),
            LockReport(self._lock),
            ContactorReport(self._closed),
            TemperatureReport(self._temperature_c),
        ):
            self._report(report)
        if self._tripped:
            self._report_residual()
        self._sense_contacts()

    def _report_residual(self, self_test_passed: bool | None = None) -> None:
        dc_ma, ac_ma = self._socket.residual_ma
        rms_ma = (dc_ma**2 + ac_ma**2) ** 0.5
        self._report(ResidualCurrentReport(self._tripped, rms_ma, dc_ma, self_test_passed))

    # Senses ---------------------------------------------------------------------------------

    def _sense(self) -> None:
        """React to a change at the socket: report, or start to debounce."""
        if not self._armed:
            return
        self._sense_link()
        self._sense_feedback()
        self._watch_residual()
        if self._measured_pilot() == self._pilot and self._measured_plug() == self._plug:
            self._timers.cancel("debounce")
        elif "debounce" not in self._timers:
            self._timers.plan("debounce", DEBOUNCE_S, self._accept_debounced)

    def _sense_link(self) -> None:
        up = not self._socket.defects.board_silent
        if up is self._link_up:
            return
        self._link_up = up
        self._report(BoardLinkReport(up))
        if up:
            self._report_all()

    def _sense_feedback(self) -> None:
        socket = self._socket
        if self._measured_lock() is not self._lock:
            self._lock = self._measured_lock()
            self._report(LockReport(self._lock))
        if socket.contactor.closed is not self._closed:
            self._closed = socket.contactor.closed
            self._report(ContactorReport(self._closed))
        if socket.temperature_c != self._temperature_c:
            self._temperature_c = socket.temperature_c
            self._report(TemperatureReport(self._temperature_c))
        self._sense_contacts()

    def _sense_contacts(self) -> None:
        if not self._link_up:
            return
        contacts = self._socket.defects.contacts
        for contact in sorted(contacts ^ self._contacts):
            self._report(ContactReport(contact, contact in contacts))
        self._contacts = contacts
        other = self._socket.defects.other
        for code in sorted(other ^ self._other):
            self._report(OtherFaultReport(code, code in other))
        self._other = other
        supplied = max(self._socket.voltage_v) >= PRESENT_V
        if supplied is not self._supplied:
            self._supplied = supplied
            self._report(SupplyReport(supplied))

    def _measured_pilot(self) -> PilotReport:
        generator = self._socket.generator
        levels = self._socket.pilot_levels
        pwm = generator.drive is Drive.PWM
        if self._interrupted:
            return self._pilot
        state = pilot.state_of_voltage(levels.high_v, self._pilot.state)
        return PilotReport(state, pwm, pilot.diode_of_voltage(levels.low_v, state, pwm=pwm))

    def _measured_plug(self) -> Plug:
        tethered_a = self._capabilities.tethered_cable_a
        if tethered_a is not None:
            return Plug(PlugKind.VALID, tethered_a)
        return pilot.plug_of_resistance(self._socket.proximity_ohm)

    def _measured_lock(self) -> LockPosition:
        if not self._capabilities.has_lock:
            return LockPosition.UNLOCKED
        return self._socket.lock.position

    def _accept_debounced(self) -> None:
        """Accept the measured state after the debounce time."""
        measured, plug = self._measured_pilot(), self._measured_plug()
        reports: list[BoardReport] = []
        if plug != self._plug:
            reports.append(PlugReport(plug))
        if measured != self._pilot:
            reports.insert(0 if measured.state is PilotState.A else len(reports), measured)
        self._pilot, self._plug = measured, plug
        self._apply()
        for report in reports:
            self._report(report)

    # Protection -----------------------------------------------------------------------------

    def _apply(self) -> None:
        """Drive generator and coil according to commands and protection."""
        highest_a = float(self._capabilities.max_current_a)
        self._socket.drive_pilot(
            generator_for(self._command, highest_a, connected=not self._interrupted)
        )
        self._socket.contactor.drive(self._may_close())

    def _may_close(self) -> bool:
        seen = self._pilot
        if not self._allowed or self._tripped or self._interrupted:
            return False
        if seen.state not in ASKING or seen.diode is DiodeCheck.FAILED:
            return False
        return self._socket.contactor.coil or (seen.pwm and seen.diode is DiodeCheck.GOOD)

    def _interrupt(self, duration_s: float) -> None:
        self._interrupted = True
        self._timers.plan("interrupt", duration_s, self._reconnect)

    def _reconnect(self) -> None:
        self._interrupted = False
        self._apply()
        self._sense()

    def _watch_residual(self) -> None:
        delay_s = trip_delay_s(*self._socket.residual_ma)
        monitored = self._capabilities.has_residual_current_monitor
        if delay_s is None or self._tripped or not monitored:
            self._timers.cancel("residual")
        elif "residual" not in self._timers:
            self._timers.plan("residual", delay_s, self._trip)

    def _trip(self) -> None:
        self._tripped = True
        self._report_residual()
        self._apply()

    def _finish_self_test(self) -> None:
        self._report_residual(self_test_passed=not self._socket.defects.monitor_defective)

    # Life -----------------------------------------------------------------------------------

    def _accept_command(self) -> bool:
        """True if the command is received; each command also resets the watchdog."""
        if not self._armed or self._socket.defects.board_silent:
            return False
        self._alive_s = self._loop.time()
        if "watchdog" not in self._timers:
            self._timers.plan("watchdog", self._capabilities.watchdog_s, self._watch)
        return True

    def _watch(self) -> None:
        """Watchdog: release at the deadline, or check again later if a command has arrived
        since."""
        if not self._allowed and isinstance(self._command, PilotOff):
            return
        left_s = self._alive_s + self._capabilities.watchdog_s - self._loop.time()
        if left_s > 0:
            self._timers.plan("watchdog", left_s, self._watch)
        else:
            self._release()

    def _release(self) -> None:
        """Switch the pilot off and open the contactor."""
        self._command = PilotOff()
        self._allowed = False
        self._interrupted = False
        self._timers.cancel("interrupt")
        self._apply()

    def _brown_out(self) -> None:
        """Short loss of supply: everything is switched off, then the board is armed again."""
        self._release()
        self._tripped = False
        self._report(BrownOutReport())
        self._report_all()

    def _shut_down(self) -> None:
        """Stop all reports, commands and timers."""
        self._armed = False
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
        self._timers.stop()
        self._outgoing.clear()
