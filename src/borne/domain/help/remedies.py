"""Help for every fault (manual 9) and every row of the troubleshooting table (manual 10), by slug:
what it means, whether charging is possible, who can repair it, and how.

Data for pages, mails and printed help, in English and marked for translation. A fault's title is
the activation text of the catalogue of faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from borne.domain.station.faults import CATALOGUE, Fault, FaultKind
from borne.foundation.messages import N_


class CanCharge(StrEnum):
    """Whether charging is possible during the fault."""

    YES = "yes"
    NOT_HERE = "not_here"
    """Not at this socket, but possibly at another one."""
    NOBODY = "nobody"
    LATER = "later"
    """The station retries automatically."""
    PERHAPS = "perhaps"


CAN_CHARGE: Mapping[CanCharge, str] = MappingProxyType(
    {
        CanCharge.YES: N_("Yes, charging continues."),
        CanCharge.NOT_HERE: N_("Not at this socket. Another socket may work."),
        CanCharge.NOBODY: N_("No, the whole station is out of order."),
        CanCharge.LATER: N_("Not now. The station tries again by itself."),
        CanCharge.PERHAPS: N_("Perhaps: it depends on the cause."),
    }
)


class Who(StrEnum):
    """Who can repair the fault, in the order to ask."""

    YOU = "you"
    OPERATOR = "operator"
    ELECTRICIAN = "electrician"
    SERVICE = "service"


WHO: Mapping[Who, str] = MappingProxyType(
    {
        Who.YOU: N_("You"),
        Who.OPERATOR: N_("The operator"),
        Who.ELECTRICIAN: N_("An electrician"),
        Who.SERVICE: N_("The manufacturer's service"),
    }
)


class RemedyAction(StrEnum):
    """A button beside a step."""

    UNLOCK = "unlock"
    RESTART = "restart"
    OUT_OF_SERVICE = "out_of_service"
    CONNECTION_STEPS = "connection_steps"
    OPEN_SETTINGS = "open_settings"
    CONFIRM_SETTINGS = "confirm_settings"
    TAKE_NOTE = "take_note"
    SHOW_CURVE = "show_curve"
    DIAGNOSTICS = "diagnostics"
    TEACH_CARD = "teach_card"
    READ_METER = "read_meter"


class Check(StrEnum):
    """A condition that the station checks itself; the step is ticked while it holds."""

    UNPLUGGED = "unplugged"
    PLUGGED = "plugged"
    PILOT_IN_ORDER = "pilot_in_order"
    CABLE_READABLE = "cable_readable"
    LOCK_MOVES = "lock_moves"
    CONTACTOR_OPEN = "contactor_open"
    CONTACT_CLOSED = "contact_closed"
    MONITOR_ARMED = "monitor_armed"
    METER_ANSWERS = "meter_answers"
    EXTERNAL_METER_ANSWERS = "external_meter_answers"
    READER_ANSWERS = "reader_answers"
    CARD_SEEN = "card_seen"
    NETWORK_UP = "network_up"
    BACKEND_CONNECTED = "backend_connected"
    BACKEND_ACCEPTED = "backend_accepted"
    TEMPERATURE_LOW = "temperature_low"
    VOLTAGE_IN_ORDER = "voltage_in_order"
    BOARD_ANSWERS = "board_answers"
    ROOM_ON_DISK = "room_on_disk"


@dataclass(frozen=True, slots=True)
class RemedyStep:
    """One step of the help."""

    text: str
    action: RemedyAction | None = None
    check: Check | None = None
    settings: tuple[str, ...] = ()
    """Keys of the settings that the text mentions; the button opens them."""
    without: str = ""
    """Replaces the text while one of these settings is planned."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One help page."""

    slug: str
    title: str
    explanation: str
    can_charge: CanCharge
    who: tuple[Who, ...]
    steps: tuple[RemedyStep, ...]
    clears: str
    """When the fault ends, for users."""
    fault: Fault | None = None

    @property
    def kind(self) -> FaultKind | None:
        """The fault's codes and texts for the backend; None for a row of manual 10."""
        return CATALOGUE[self.fault] if self.fault is not None else None


_YOU = (Who.YOU,)
_YOU_THEN_ELECTRICIAN = (Who.YOU, Who.ELECTRICIAN)
_YOU_THEN_SERVICE = (Who.YOU, Who.SERVICE)
_OPERATOR = (Who.OPERATOR,)
_ELECTRICIAN = (Who.ELECTRICIAN,)
_SERVICE = (Who.SERVICE,)

_BY_ITSELF = N_("It ends by itself when the cause is gone.")
_AT_UNPLUGGING = N_("It ends when the car is unplugged.")
_UNPLUG = RemedyStep(N_("Unplug the car from the station."), check=Check.UNPLUGGED)
_REPLUG = RemedyStep(N_("Plug in again, firmly, until the plug is fully in."), check=Check.PLUGGED)
_OTHER_CAR = RemedyStep(N_("Try another cable or another car, to find out which is at fault."))
_DIAGNOSTICS = RemedyStep(
    N_("Download the diagnostics and send them to the service."), RemedyAction.DIAGNOSTICS
)
_OUT_OF_SERVICE = RemedyStep(
    N_("Mark the socket as out of service until it is repaired."), RemedyAction.OUT_OF_SERVICE
)


def _for(
    fault: Fault,
    explanation: str,
    can_charge: CanCharge,
    who: tuple[Who, ...],
    steps: tuple[RemedyStep, ...],
    clears: str = _BY_ITSELF,
) -> Remedy:
    """A help page for a fault, titled with its activation text."""
    title = CATALOGUE[fault].activation
    return Remedy(fault.value, title, explanation, can_charge, who, steps, clears, fault)


_FAULTS = (
    _for(
        Fault.RESIDUAL_CURRENT,
        N_("Current leaked to earth. The sensor in the station switched off to protect people."),
        CanCharge.NOT_HERE,
        _YOU_THEN_ELECTRICIAN,
        (
            _UNPLUG,
            RemedyStep(N_("Look at cable and plugs: are they dry, clean and undamaged?")),
            RemedyStep(N_("Wait until the sensor is armed again."), check=Check.MONITOR_ARMED),
            _REPLUG,
            _OTHER_CAR,
            RemedyStep(
                N_("If it returns without a car: have the sensor, its coil and its wires checked.")
            ),
        ),
        N_("At unplugging; otherwise 10 s after the car has left (15 min with old sensors)."),
    ),
    _for(
        Fault.VEHICLE_SIGNAL,
        N_("The car or its cable gives a signal that means an error."),
        CanCharge.NOT_HERE,
        _YOU,
        (
            _UNPLUG,
            RemedyStep(N_("Look into the plug: is a pin bent or dirty?")),
            _REPLUG,
            RemedyStep(N_("The signal is in order."), check=Check.PILOT_IN_ORDER),
            RemedyStep(N_("If the fault remains, follow the instructions of the car.")),
            _OTHER_CAR,
        ),
        N_("By itself when the signal is correct; then the session continues."),
    ),
    _for(
        Fault.DIODE_CHECK,
        N_(
            "A part that every car must have was not found: the car is defective, or something "
            "was put in between."
        ),
        CanCharge.NOT_HERE,
        _YOU_THEN_SERVICE,
        (
            _UNPLUG,
            RemedyStep(N_("Use the cable alone, without adapter.")),
            _REPLUG,
            _OTHER_CAR,
            RemedyStep(
                N_(
                    "With this car only: its workshop must look at it. With every car: call the "
                    "service."
                )
            ),
        ),
        _AT_UNPLUGGING,
    ),
    _for(
        Fault.MCB_TYPE2,
        N_(
            "The circuit breaker of this charging socket is off: too much current, or somebody "
            "switched it off."
        ),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            _UNPLUG,
            RemedyStep(N_("Look at the currents before it tripped."), RemedyAction.SHOW_CURVE),
            RemedyStep(N_("Switch the breaker on again."), check=Check.CONTACT_CLOSED),
            RemedyStep(
                N_("If it trips again at once: check wiring and contactor before anyone charges.")
            ),
        ),
    ),
    _for(
        Fault.MCB_DOMESTIC,
        N_(
            "The circuit breaker of the household socket is off: too much current, or somebody "
            "switched it off."
        ),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            RemedyStep(N_("Unplug what is in the household socket.")),
            RemedyStep(N_("Switch the breaker on again."), check=Check.CONTACT_CLOSED),
            RemedyStep(
                N_("If it trips again: what was plugged in is defective, or the wiring is.")
            ),
        ),
    ),
    _for(
        Fault.RCD_TRIPPED,
        N_("The residual current device of the station is off: current leaked to earth."),
        CanCharge.NOBODY,
        _ELECTRICIAN,
        (
            RemedyStep(N_("Unplug all cars."), check=Check.UNPLUGGED),
            RemedyStep(N_("Switch the device on again."), check=Check.CONTACT_CLOSED),
            RemedyStep(
                N_("If it trips without a car: check whether a contactor sticks, and the wiring.")
            ),
            RemedyStep(
                N_("If it tripped four times in a day: find the cause, then restart the station."),
                RemedyAction.RESTART,
            ),
        ),
        N_("By itself when the device is on again, three times a day; then after a restart."),
    ),
    _for(
        Fault.RCD_METER_LOSS,
        N_(
            "There is no voltage at the socket and no contact shows why: perhaps its residual "
            "current device or its fuse is off."
        ),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            _UNPLUG,
            RemedyStep(N_("Switch on what is off: residual current device, breaker, fuse.")),
            RemedyStep(N_("The supply is there."), check=Check.VOLTAGE_IN_ORDER),
            RemedyStep(N_("The meter answers."), check=Check.METER_ANSWERS),
        ),
    ),
    _for(
        Fault.SURGE_PROTECTION,
        N_(
            "The surge protection is used up after a lightning stroke or a surge. Charging is "
            "possible, but the next surge will hit the station."
        ),
        CanCharge.YES,
        _ELECTRICIAN,
        (
            RemedyStep(
                N_("Replace the surge protection device. It cannot be reset."),
                check=Check.CONTACT_CLOSED,
            ),
        ),
        N_("It ends when the device has been replaced."),
    ),
    _for(
        Fault.CONTACTOR_WELDED,
        N_(
            "The switch that disconnects the socket does not open any more. The socket may be "
            "live although nothing is plugged in."
        ),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            RemedyStep(N_("Danger: touch neither socket nor plug. Keep people away.")),
            RemedyStep(N_("Switch off the breaker of this socket.")),
            _OUT_OF_SERVICE,
            RemedyStep(N_("Have the contactor replaced, soon."), check=Check.CONTACTOR_OPEN),
        ),
        N_("It ends when the feedback of the contactor is open. The plug stays locked until then."),
    ),
    _for(
        Fault.BACKEND_OFFLINE,
        N_(
            "The station cannot reach the operator's system. Charging sessions are stored and "
            "reported later."
        ),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(N_("See which connection step fails."), RemedyAction.CONNECTION_STEPS),
            RemedyStep(N_("The network is up."), check=Check.NETWORK_UP),
            RemedyStep(N_("The backend is connected."), check=Check.BACKEND_CONNECTED),
        ),
    ),
    _for(
        Fault.PLUG_LOCK,
        N_("The bolt that holds the plug did not go in. Usually the plug is not fully in."),
        CanCharge.NOT_HERE,
        _YOU_THEN_SERVICE,
        (
            _UNPLUG,
            RemedyStep(N_("Look into the socket: is something in the way?")),
            _REPLUG,
            RemedyStep(N_("The station has locked the plug."), check=Check.LOCK_MOVES),
            _OTHER_CAR,
        ),
        _AT_UNPLUGGING,
    ),
    _for(
        Fault.LOCK_STUCK,
        N_("The bolt that holds the plug does not come out, so the cable cannot be pulled."),
        CanCharge.NOT_HERE,
        _YOU_THEN_SERVICE,
        (
            RemedyStep(
                N_("Press the plug in while you let the station unlock."),
                RemedyAction.UNLOCK,
                Check.LOCK_MOVES,
            ),
            RemedyStep(N_("Restart the station: it tries once more."), RemedyAction.RESTART),
            RemedyStep(N_("Open the lock with the red lever behind the cover.")),
            RemedyStep(
                N_("Clean the actuator and move it several times by hand; else replace it.")
            ),
        ),
        N_("It ends when the bolt is out: after an unlock command, a restart, or by hand."),
    ),
    _for(
        Fault.LOCK_MISSING,
        N_("The station does not find the actuator that locks the plug."),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            RemedyStep(
                N_("Restart the station: it looks for the actuator again."),
                RemedyAction.RESTART,
                Check.LOCK_MOVES,
            ),
            RemedyStep(N_("Check the actuator's connector, then replace it.")),
            _OUT_OF_SERVICE,
        ),
        N_("It ends when the actuator is found."),
    ),
    _for(
        Fault.METER_BILLING,
        N_(
            "The meter for billing does not answer, so no energy can be sold. A running session "
            "ends with what was measured until then."
        ),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            RemedyStep(
                N_("Read the meter: does it answer now?"),
                RemedyAction.READ_METER,
                Check.METER_ANSWERS,
            ),
            RemedyStep(N_("Is the meter's display on? Otherwise it has no supply.")),
            RemedyStep(
                N_(
                    "A meter on a serial bus: check the wires of the bus, its termination, and "
                    "whether another device has the same unit id."
                )
            ),
            RemedyStep(
                N_(
                    "A meter in the network: check its network cable, and whether its address has "
                    "changed."
                )
            ),
            RemedyStep(
                N_("Compare type and address of the meter with the settings."),
                RemedyAction.OPEN_SETTINGS,
                settings=("MeterConfig", "MeterIP", "MeterSerialPort", "MeterUnitId"),
            ),
        ),
    ),
    _for(
        Fault.METER_EXTERNAL,
        N_(
            "The meter of the building does not answer. Sessions go on. Load management assumes "
            "the fallback value instead; with 9999 A nothing is left for cars."
        ),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(
                N_("Read the meter: does it answer now?"),
                RemedyAction.READ_METER,
                Check.EXTERNAL_METER_ANSWERS,
            ),
            RemedyStep(N_("Is the meter's display on, and is its network cable plugged in?")),
            RemedyStep(N_("Is the meter in the same network as the station?")),
            RemedyStep(
                N_(
                    "Until it answers, load management counts with the External Load Fallback: is "
                    "it the highest load that the building can have?"
                ),
                RemedyAction.OPEN_SETTINGS,
                settings=("DLMExternalLoadFallback",),
            ),
            RemedyStep(
                N_("Compare address, port and type with the settings."),
                RemedyAction.OPEN_SETTINGS,
                settings=(
                    "DLMExternalMeterSupport",
                    "SecondMeterConfig",
                    "SecondMeterIP",
                    "SecondMeterSerialPort",
                ),
            ),
        ),
    ),
    _for(
        Fault.CARD_READER,
        N_("The card reader does not answer. Charging is possible without a card only."),
        CanCharge.PERHAPS,
        _SERVICE,
        (
            RemedyStep(N_("Restart the station."), RemedyAction.RESTART, Check.READER_ANSWERS),
            RemedyStep(N_("Check the cable of the reader; else replace it.")),
            _DIAGNOSTICS,
        ),
    ),
    _for(
        Fault.CONTACTOR_OPEN,
        N_("The switch that connects the socket does not close."),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            _UNPLUG,
            _REPLUG,
            RemedyStep(N_("If it returns: have the contactor and its wires checked.")),
            _OUT_OF_SERVICE,
        ),
        _AT_UNPLUGGING,
    ),
    _for(
        Fault.OVER_CURRENT,
        N_(
            "The car draws more than it was allowed. To protect the wiring the station "
            "switched off."
        ),
        CanCharge.LATER,
        _YOU,
        (
            RemedyStep(N_("Look at the current that it drew."), RemedyAction.SHOW_CURVE),
            RemedyStep(N_("Limit the current in the car's menu, if there is one.")),
            _UNPLUG,
            RemedyStep(N_("If the fault remains, the car's workshop must look at it.")),
            _OTHER_CAR,
        ),
        N_("The station tries again after 30 s, 2 min and 10 min; then it waits for unplugging."),
    ),
    _for(
        Fault.OVER_TEMPERATURE,
        N_("The station is too hot. It already reduced the current, now it must cool down."),
        CanCharge.LATER,
        _OPERATOR,
        (
            RemedyStep(N_("It has cooled down."), check=Check.TEMPERATURE_LOW),
            RemedyStep(N_("Are the ventilation openings free? Does the sun shine on it all day?")),
            RemedyStep(
                N_("If it returns on cool days: have the terminals checked, they may be loose.")
            ),
        ),
    ),
    _for(
        Fault.PHASE_LOSS,
        N_("A phase of the supply is missing, or its voltage is too low."),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            RemedyStep(N_("Are all fuses of the supply on?")),
            RemedyStep(N_("All voltages are in order."), check=Check.VOLTAGE_IN_ORDER),
            RemedyStep(
                N_("If only one phase is connected: set it so."),
                RemedyAction.OPEN_SETTINGS,
                settings=("PhasesConnected",),
            ),
            RemedyStep(N_("If the whole street is dark: wait for the grid.")),
        ),
    ),
    _for(
        Fault.OVER_VOLTAGE,
        N_(
            "The voltage of the supply is too high. Perhaps the neutral is interrupted, which is "
            "dangerous for the whole building."
        ),
        CanCharge.NOT_HERE,
        _ELECTRICIAN,
        (
            RemedyStep(
                N_(
                    "If lamps in the building flicker or are very bright: switch off the main "
                    "switch and call the grid operator."
                )
            ),
            RemedyStep(N_("All voltages are in order."), check=Check.VOLTAGE_IN_ORDER),
            RemedyStep(N_("Have neutral and earth of the supply checked.")),
        ),
    ),
    _for(
        Fault.BOARD_LOST,
        N_("The board that controls the socket does not answer. It has switched off by itself."),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            RemedyStep(N_("Restart the station."), RemedyAction.RESTART, Check.BOARD_ANSWERS),
            RemedyStep(N_("Check the cable between the two boards.")),
            _DIAGNOSTICS,
        ),
    ),
    _for(
        Fault.METER_IMPLAUSIBLE,
        N_(
            "The meter showed less than before, or more than is possible. The session was "
            "ended at the last good value."
        ),
        CanCharge.NOT_HERE,
        _OPERATOR,
        (
            _UNPLUG,
            RemedyStep(N_("Was the meter replaced or reset? Then nothing more is needed.")),
            RemedyStep(N_("The meter answers."), check=Check.METER_ANSWERS),
            RemedyStep(
                N_("If it returns: have the meter and its type in the settings checked."),
                RemedyAction.OPEN_SETTINGS,
                settings=("MeterConfig",),
                without=N_("If it returns: have the meter checked."),
            ),
        ),
        _AT_UNPLUGGING,
    ),
    _for(
        Fault.CABLE_CHANGED,
        N_(
            "The coding of the cable changed while the car was charging: a loose plug, or a "
            "damaged cable."
        ),
        CanCharge.NOT_HERE,
        _YOU,
        (
            _UNPLUG,
            RemedyStep(N_("Look at cable and plug: is something broken or wet?")),
            _REPLUG,
            _OTHER_CAR,
        ),
        _AT_UNPLUGGING,
    ),
    _for(
        Fault.CABLE_INVALID,
        N_(
            "The station cannot read how much current the cable can carry. Usually the plug is "
            "not fully in."
        ),
        CanCharge.NOT_HERE,
        _YOU,
        (
            _UNPLUG,
            _REPLUG,
            RemedyStep(N_("The cable is read."), check=Check.CABLE_READABLE),
            _OTHER_CAR,
        ),
    ),
    _for(
        Fault.SELF_TEST,
        N_(
            "The sensor that protects people from current to earth failed its self-test. "
            "Without it charging is not allowed here."
        ),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            RemedyStep(
                N_("Unplug, or restart the station: it tests the sensor again."),
                RemedyAction.RESTART,
                Check.MONITOR_ARMED,
            ),
            RemedyStep(N_("Check the coil of the sensor and its wires; else replace it.")),
            _OUT_OF_SERVICE,
        ),
        N_("It ends with a passed self-test, after unplugging or at a restart."),
    ),
    _for(
        Fault.STORAGE_FULL,
        N_(
            "The memory is full, so no new session could be billed. Running sessions continue "
            "and are recorded."
        ),
        CanCharge.NOBODY,
        _OPERATOR,
        (
            RemedyStep(N_("There is free space again."), check=Check.ROOM_ON_DISK),
            RemedyStep(
                N_("The backend accepts the waiting messages."), check=Check.BACKEND_CONNECTED
            ),
            RemedyStep(
                N_("Export the sessions, then keep them for fewer days."),
                RemedyAction.OPEN_SETTINGS,
                settings=("SessionRetentionDays",),
            ),
            _DIAGNOSTICS,
        ),
    ),
    _for(
        Fault.STORAGE_DAMAGED,
        N_(
            "Stored data was damaged, missing, of another station or of another version. What "
            "could not be used was put aside, and charging continues. Details are below."
        ),
        CanCharge.YES,
        _OPERATOR,
        (
            RemedyStep(
                N_(
                    "Read what was put aside and what is missing; compare the sessions with those "
                    "of the backend."
                ),
                RemedyAction.SHOW_CURVE,
            ),
            RemedyStep(
                N_(
                    "Keep the files that were put aside: the manufacturer's service can read "
                    "sessions from them."
                )
            ),
            _DIAGNOSTICS,
            RemedyStep(N_("Acknowledge the notice."), RemedyAction.TAKE_NOTE),
            RemedyStep(N_("If it happens again: have the memory replaced.")),
        ),
    ),
    _for(
        Fault.SETTINGS_DAMAGED,
        N_(
            "The settings could not be read, so the station does not know its limits. Charging "
            "is not possible before they are confirmed."
        ),
        CanCharge.NOBODY,
        _ELECTRICIAN,
        (
            RemedyStep(
                N_("Compare the limits of current with the installation."),
                RemedyAction.OPEN_SETTINGS,
                settings=("InstallationCurrentLimit", "MaximumCurrent"),
            ),
            RemedyStep(N_("Confirm the settings."), RemedyAction.CONFIRM_SETTINGS),
        ),
        N_("It ends when the settings are confirmed."),
    ),
    _for(
        Fault.OTHER,
        N_("The controller reports an error that has no page of its own."),
        CanCharge.NOT_HERE,
        _SERVICE,
        (
            _UNPLUG,
            RemedyStep(N_("Restart the station."), RemedyAction.RESTART),
            _DIAGNOSTICS,
        ),
    ),
    _for(
        Fault.VENTILATION,
        N_(
            "The car asks for ventilation because its battery may give off gas. This place has "
            "none, so it gets no current."
        ),
        CanCharge.NOT_HERE,
        _YOU,
        (
            RemedyStep(N_("Charge this car outdoors or where there is ventilation.")),
            RemedyStep(
                N_("If there is ventilation here: the installer may set it."),
                RemedyAction.OPEN_SETTINGS,
                settings=("VentilationAvailable",),
            ),
        ),
    ),
)

_ROWS_OF_MANUAL_10 = (
    Remedy(
        "card-not-read",
        N_("A card is not read"),
        N_("The reader reacts to no card, or to some only."),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(
                N_("Hold the card flat to the circle for at least two seconds."),
                RemedyAction.TEACH_CARD,
                Check.CARD_SEEN,
            ),
            RemedyStep(
                N_("Is a card reader switched on in the settings?"),
                RemedyAction.OPEN_SETTINGS,
                settings=("RFIDEnable",),
            ),
            RemedyStep(
                N_(
                    "Do the settings of the reader fit: type of LED, RFID slave? A factory "
                    "reset changes both."
                ),
                RemedyAction.OPEN_SETTINGS,
                settings=("LEDType", "RFIDSlave"),
                without=N_(
                    "The type of LED and the second reader cannot be set here yet: this version "
                    "finds the reader by itself."
                ),
            ),
            RemedyStep(
                N_(
                    "Is it a kind that can be read: MIFARE Classic, Ultralight, Plus, DESFire, "
                    "2GO, SmartMX?"
                )
            ),
            RemedyStep(N_("The reader answers."), check=Check.READER_ANSWERS),
        ),
        N_("It ends with a card that is read."),
    ),
    Remedy(
        "no-backend-gsm",
        N_("No backend over mobile network"),
        N_("The station should reach its operator by mobile network, but does not."),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(
                N_('Is the connection type "GSM"?'),
                RemedyAction.OPEN_SETTINGS,
                settings=("ConnectionType",),
            ),
            RemedyStep(
                N_("SIM card, PIN and APN are those of the provider."),
                RemedyAction.OPEN_SETTINGS,
                settings=("APN", "APNUsername", "APNPassword", "SIMPin"),
                without=N_(
                    "SIM card, PIN and APN are those of the provider. They cannot be set here yet: "
                    "this version takes them from the operating system."
                ),
            ),
            RemedyStep(N_("The network is up."), check=Check.NETWORK_UP),
            RemedyStep(
                N_("See which connection step fails."),
                RemedyAction.CONNECTION_STEPS,
                Check.BACKEND_CONNECTED,
            ),
        ),
        N_("It ends when the backend is connected."),
    ),
    Remedy(
        "no-backend-ethernet",
        N_("No backend over Ethernet"),
        N_("The station should reach its operator by cable, but does not."),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(
                N_(
                    "Does the light at the Ethernet socket blink? Otherwise the cable is not "
                    "connected."
                )
            ),
            RemedyStep(
                N_('Is the connection type "Ethernet"?'),
                RemedyAction.OPEN_SETTINGS,
                settings=("ConnectionType",),
            ),
            RemedyStep(
                N_("Are the addresses of the station right?"),
                RemedyAction.OPEN_SETTINGS,
                settings=("EthernetConfigMode", "StaticIP"),
                without=N_(
                    "Are the addresses of the station right? They cannot be set here yet: this "
                    "version takes them from the operating system."
                ),
            ),
            RemedyStep(N_("Do router and switch work for other devices?")),
            RemedyStep(N_("The network is up."), check=Check.NETWORK_UP),
            RemedyStep(
                N_("See which connection step fails."),
                RemedyAction.CONNECTION_STEPS,
                Check.BACKEND_CONNECTED,
            ),
        ),
        N_("It ends when the backend is connected."),
    ),
    Remedy(
        "backend-config",
        N_("Network, but no backend: settings"),
        N_("The network works, but the operator's system is not reached with these settings."),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(
                N_(
                    "Compare with what the operator gave you: OCPP mode, identity of the station, "
                    "address, password."
                ),
                RemedyAction.OPEN_SETTINGS,
                settings=("OCPPMode", "ChargePointID", "WebSocketsBackendURL", "AuthorizationKey"),
                without=N_(
                    "Compare with what the operator gave you: identity of the station, address, "
                    "password. This version speaks OCPP-J 1.6."
                ),
            ),
            RemedyStep(
                N_("See which connection step fails."),
                RemedyAction.CONNECTION_STEPS,
                Check.BACKEND_CONNECTED,
            ),
        ),
        N_("It ends when the backend is connected."),
    ),
    Remedy(
        "backend-not-ready",
        N_("Network, but no backend: not ready"),
        N_("The operator's system is reached, but does not accept this station."),
        CanCharge.PERHAPS,
        _OPERATOR,
        (
            RemedyStep(N_("Is the operator's system in service? Ask the operator.")),
            RemedyStep(
                N_("Has the operator entered this station and its type?"),
                check=Check.BACKEND_ACCEPTED,
            ),
        ),
        N_("It ends when the backend accepts the station."),
    ),
    Remedy(
        "backend-drops",
        N_("The connection to the backend is unstable"),
        N_("The connection is lost again and again, usually because the mobile signal is weak."),
        CanCharge.YES,
        _OPERATOR,
        (
            RemedyStep(
                N_("See when the connection was lost, and what failed."),
                RemedyAction.CONNECTION_STEPS,
            ),
            RemedyStep(N_("Move the antenna or the station, or use a router outside.")),
            RemedyStep(
                N_("With a roaming SIM card: choose another mobile network."),
                RemedyAction.OPEN_SETTINGS,
                settings=("NetworkSelectionMode", "RequestedNetworkOperator"),
                without=N_(
                    "With a roaming SIM card: ask its provider to prefer another mobile network."
                ),
            ),
        ),
        N_("It ends when the connection is stable."),
    ),
    Remedy(
        "leds-off",
        N_("All lights are off, no display"),
        N_("The station has no supply: a fuse, a breaker or a residual current device is off."),
        CanCharge.NOBODY,
        _ELECTRICIAN,
        (
            RemedyStep(N_("Unplug the cars.")),
            RemedyStep(N_("Look at the station from outside: is it damaged, is it wet?")),
            RemedyStep(
                N_("Switch on again what is off, from the main distribution to the station.")
            ),
            RemedyStep(N_("If it goes off again: leave it off and call an electrician.")),
        ),
        N_("It ends with the supply."),
    ),
    Remedy(
        "leds-gyb-meter-dark",
        N_("Lights blink green, yellow, blue; the meter is dark"),
        N_(
            "The controller works, but the sockets have no supply: the residual current device "
            "is off."
        ),
        CanCharge.NOBODY,
        _ELECTRICIAN,
        (
            RemedyStep(N_("Unplug the cars."), check=Check.UNPLUGGED),
            RemedyStep(
                N_("Switch the residual current device on again."), check=Check.CONTACT_CLOSED
            ),
            RemedyStep(
                N_(
                    "If it goes off again: does one of the contactors (7Q1, 9Q1) stick? Replace it."
                ),
                check=Check.CONTACTOR_OPEN,
            ),
        ),
        N_("It ends with the supply."),
    ),
    Remedy(
        "error-on-plug-in",
        N_("Error as soon as a car is plugged in"),
        N_("The bolt that locks the plug is stuck or dirty."),
        CanCharge.NOT_HERE,
        _YOU_THEN_SERVICE,
        (
            _UNPLUG,
            RemedyStep(
                N_("Clean the actuator. Lock and unlock it five times by hand with the red lever.")
            ),
            RemedyStep(N_("Restart the station."), RemedyAction.RESTART, Check.LOCK_MOVES),
            RemedyStep(N_("If the fault remains: have the actuator replaced.")),
        ),
        N_("It ends when the bolt moves again."),
    ),
)

REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {remedy.slug: remedy for remedy in (*_FAULTS, *_ROWS_OF_MANUAL_10)}
)
"""By slug. For "Other errors" (manual 10) see the fault `other`."""

LIGHTS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "available": (N_("Free: plug in, or show a card."), ()),
        "reserved": (N_("Reserved by the operator."), ()),
        "finishing": (N_("The previous session is being ended, up to 30 s."), ()),
        "checking": (N_("Your card is being checked. Please wait."), ("no-backend-ethernet",)),
        "authorized": (N_("Accepted: charging can begin. Plug in."), ("error-on-plug-in",)),
        "charging": (N_("The car is charging, or its session waits."), ()),
        "rejected": (N_("The card was refused."), ("card-not-read", "backend-config")),
        "faulted": (
            N_("Out of order because of a technical error."),
            ("leds-gyb-meter-dark", "error-on-plug-in", "other"),
        ),
        "identifying": (N_("Somebody is looking for this station, for half a minute."), ()),
        "updating": (N_("New software is being installed, up to 10 min."), ()),
        "unavailable": (N_("Switched off by the operator, or no supply."), ("leds-off",)),
        "preparing": (N_("Plugged in: show a card."), ("card-not-read",)),
    }
)
"""Meaning of each light pattern (manual 6), and the help pages about it."""
