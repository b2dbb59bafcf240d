"""Control of the simulated world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, NotRequired, Protocol

from typing_extensions import TypedDict  # pydantic reads that of the library from Python 3.12 on

from borne.application.commands import ConnectorId, Effect, IdToken, Length, Members, Range, command
from borne.application.refusals import Refused
from borne.domain.principals import Role
from borne.foundation.messages import Message

Amps = Sequence[float]
"""Per phase: L1, L2, L3."""
LinkName = Literal["backend", "meter", "external-meter", "master", "usb"]
LinkFailure = Literal["reset", "blackhole", "refuse"]
FaultName = Annotated[str, Length(0, 60)]
ErrorCode = Annotated[str, Length(0, 200)]
NOTHING: Members = MappingProxyType({})
InputNumber = Annotated[int, Range(1, 3)]
Celsius = Annotated[float, Range(-60, 200)]
MeterId = Annotated[str, Length(1, 40)]
MeterFaultName = Literal["silent", "slow", "exception", "wrong-unit", "garbage", "frozen"]


class SimulatorError(Refused):
    """The simulated world refuses: something does not exist, is physically impossible (a second
    plug), or the request is invalid."""

    def __init__(
        self, code: Literal["not_found", "conflict", "invalid"], message: Message | str
    ) -> None:
        super().__init__(code, message)


class VehicleView(TypedDict):
    """A vehicle that can be plugged in; it has more members, see the schema."""

    name: str
    phases: int
    max_a: float


class Vehicles(TypedDict):
    """What can be plugged in, by name, and the JSON schema of a vehicle."""

    vehicles: Mapping[str, VehicleView]
    schema: Mapping[str, object]


class PluggedView(VehicleView):
    """The vehicle at a socket."""

    soc: float
    state: str
    """IEC 61851-1: A, B, C, D."""
    asleep: bool
    wants_charge: bool
    ventilation: bool


class PilotView(TypedDict):
    """Values measured at the control pilot."""

    drive: str
    duty_percent: float
    high_v: float
    low_v: float


class SocketView(TypedDict):
    """A socket with its state."""

    id: int
    vehicle: PluggedView | None
    lock: str
    locked: bool
    contactor_closed: bool
    contactor_cycles: int
    pilot: PilotView
    proximity_ohm: float | None
    current_a: Amps
    voltage_v: Sequence[float]
    power_w: int
    register_wh: int
    energy_wh: float
    meter_serial: str
    led: str
    led_percent: int
    temperature_c: float


class CardView(TypedDict):
    """A card of the simulator."""

    name: str
    uid: str
    note: str


class LinkView(TypedDict):
    """A connection of the station."""

    up: bool
    mode: str


class CauseValue(TypedDict):
    """The value of a cause and its bounds."""

    unit: str
    default: object
    minimum: float | None
    maximum: float | None
    choices: Sequence[str]


class CauseView(TypedDict):
    """A physical cause of a fault, and where it is set."""

    id: str
    label: str
    scope: str
    provokes: str | None
    value: NotRequired[CauseValue | None]
    connectors: Sequence[int]
    active: bool
    error_codes: NotRequired[Sequence[str]]


class SiteView(TypedDict):
    """The building."""

    building_a: Amps
    voltage_v: Sequence[float]
    pv_w: float
    meter_input: bool
    """The digital input of the second meter is active."""
    grid_a: Amps


class MeterValues(TypedDict):
    """What a simulated meter measures now, signed: negative for export. A value that it does not
    have is None."""

    voltage_v: Sequence[float | None]
    current_a: Sequence[float | None]
    power_w: Sequence[float | None]
    power_total_w: float | None
    import_wh: int | None
    export_wh: int | None
    frequency_hz: float | None
    serial_number: str


class ServedMeterView(TypedDict):
    """A simulated energy meter that other programs read."""

    id: str
    type: str
    """Slug of the meter profile."""
    label: str
    source: str
    """What it measures: "site", "building", "socket-1", ..."""
    host: str
    port: int
    unit: int
    framing: Literal["tcp", "rtu"]
    serial: bool
    """On a serial line of its own."""
    fault: MeterFaultName | None
    state: Literal["starting", "serving", "failed"]
    note: str
    """Why it does not serve."""
    address: str
    """"HOST:PORT", the multicast group, or the path of the serial line; empty if not served."""
    requests: int
    """Since it was started; of Speedwire the packets that were sent."""
    last_client: str
    """Address of the client that asked last."""
    values: MeterValues | None
    """None while it is not served."""


@dataclass(frozen=True, slots=True)
class AddedMeter:
    """A meter that was added."""

    meter: str
    """Its id."""


class WorldView(TypedDict):
    """The complete simulated world."""

    power: Literal["on", "off"]
    sockets: Sequence[SocketView]
    vehicles: Mapping[str, str]
    """Names for people."""
    cards: Sequence[CardView]
    reader_alive: bool
    links: Mapping[str, LinkView]
    faults: Sequence[CauseView]
    site: SiteView
    inputs: Mapping[str, bool]
    meters: Sequence[ServedMeterView]


class SimulatorPort(Protocol):
    """The world around a simulated station, for page, API and tests. All methods return after the
    change. Raises SimulatorError."""

    def view(self) -> WorldView:
        """All of it."""

    def vehicles(self) -> Vehicles:
        """The vehicles that can be plugged in."""

    def faults(self) -> Sequence[CauseView]:
        """Every physical cause that can be set, with its state."""

    @command("simulator/connectors/{connector}/plug", Role.OPERATOR, "Plug a vehicle in")
    async def plug(self, connector: ConnectorId, vehicle: Members = NOTHING) -> None:
        """`{}`, `{"vehicle": NAME}` or a complete vehicle. Refused if a vehicle is plugged in."""

    @command("simulator/connectors/{connector}/unplug", Role.OPERATOR, "Pull the plug")
    async def unplug(self, connector: ConnectorId, *, force: bool = False) -> None:
        """Refused if the plug is locked, unless forced."""

    @command("simulator/connectors/{connector}/vehicle", Role.OPERATOR, "Change the vehicle")
    async def change_vehicle(self, connector: ConnectorId, change: Members) -> None:
        """`{"wants_charge": false, "soc": 0.8}` and other members of a vehicle."""

    @command("simulator/cards", Role.OPERATOR, "Hold a card to a reader")
    async def present_card(
        self,
        *,
        uid: Annotated[str, Length(0, 64)] | None = None,
        connector: ConnectorId | None = None,
        hold_s: Annotated[float, Range(0, 60)] | None = None,
        secure: bool | None = None,
        id_token: IdToken | None = None,
    ) -> None:
        """A card by its UID, or a complete token by `id_token`. Without `connector`: at the shared
        reader."""

    @command("simulator/faults/{fault}", Role.OPERATOR, "Set or clear a cause", Effect.SET)
    async def set_fault(
        self,
        fault: FaultName,
        *,
        active: bool,
        connector: ConnectorId | None = None,
        error_code: ErrorCode | None = None,
        value: float | ErrorCode | Mapping[str, float] | None = None,
        extent: Mapping[str, float] | None = None,
    ) -> None:
        """Sets a cause; the station detects the fault. `value` is the severity in the unit of the
        cause; `extent` is the same by name. The list of causes has unit, default and bounds.
        `other` accepts an OCPP error code."""

    @command("simulator/links/{link}", Role.OPERATOR, "Cut or mend a connection", Effect.SET)
    async def set_link(self, link: LinkName, *, up: bool, mode: LinkFailure | None = None) -> None:
        """`up: true` also clears the back-off."""

    @command("simulator/site", Role.OPERATOR, "The building", Effect.SET)
    async def set_site(self, change: Members) -> None:
        """Building load and voltage per phase, photovoltaics, digital input of the second meter."""

    @command("simulator/inputs/{number}", Role.OPERATOR, "A digital input", Effect.SET)
    async def set_input(self, number: InputNumber, *, active: bool) -> None:
        """Optocoupler 1 or 2; 3: the input for 230 V."""

    @command("simulator/temperature", Role.OPERATOR, "Temperature of the boards", Effect.SET)
    async def set_temperature(self, board_c: Celsius, connector: ConnectorId | None = None) -> None:
        """In degrees Celsius; of one board, or of all."""

    @command("simulator/meters", Role.OPERATOR, "Add an energy meter", Effect.ADD)
    async def add_meter(self, setup: Members) -> AddedMeter:
        """As `PUT simulator/meters/{meter}`, with an id of the simulator's choice."""

    @command("simulator/meters/{meter}", Role.OPERATOR, "Serve an energy meter", Effect.SET)
    async def set_meter(self, meter: MeterId, change: Members) -> None:
        """`{"type": LABEL or slug, "source": "site", "host": "127.0.0.1", "port": 0, "unit": 0,
        "framing": "tcp", "serial": false, "fault": null}`. Omitted members stay; of a new meter
        only `type` is needed. Port 0 is a free one, unit 0 the usual one of the type. `source`:
        "site", "building", "socket-1", ...; `fault`: "silent", "slow", "exception", "wrong-unit",
        "garbage", "frozen" or null."""

    @command("simulator/meters/{meter}", Role.OPERATOR, "Remove an energy meter", Effect.REMOVE)
    async def remove_meter(self, meter: MeterId) -> None:
        """Its connections are closed."""
