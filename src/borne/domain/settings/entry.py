"""An entry of the catalogue, used by forms, validation, API, OCPP, CLI and docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from borne.domain.principals import Role


class Amps(NamedTuple):
    """Whole amperes for L1, L2, L3."""

    l1: int
    l2: int
    l3: int


Value = bool | int | str | bytes | Amps | tuple[str, ...] | None
"""The internal value of a setting; None if unset."""


EnumClass = type[StrEnum]


class SettingKind(StrEnum):
    """Kind of an entry."""

    SETTING = "setting"
    READING = "reading"
    ACTION = "action"
    LIST = "list"
    ACCOUNT = "account"
    UI = "ui"


class Type(StrEnum):
    """Type of a value."""

    BOOL = "bool"
    INT = "int"
    TEXT = "text"
    CHOICE = "choice"
    SECRET = "secret"
    SECRET_KEY = "secret_key"
    """Bytes: text for people, hex digits over OCPP (decision D32)."""
    IP = "ip"
    LIST = "list"
    PER_PHASE = "per_phase"
    STATE = "state"
    ACTION = "action"

    @property
    def is_secret(self) -> bool:
        """True if the value is write-only."""
        return self in {Type.SECRET, Type.SECRET_KEY}


class Format(StrEnum):
    """Format of a text or of each item of a list."""

    FREE = "free"
    PRINTABLE_ASCII = "printable_ascii"
    IDENTITY = "identity"
    WEB_SOCKET_URL = "web_socket_url"
    HTTP_URL = "http_url"
    HOST = "host"
    HOST_PORT = "host_port"
    NETWORK_NAME = "network_name"
    EMAIL = "email"
    CARD = "card"
    TIME_ZONE = "time_zone"
    DEVICE = "device"
    PIN = "pin"
    IP = "ip"
    NETMASK = "netmask"
    MEASURAND = "measurand"
    WORD = "word"
    TIME_WINDOW = "time_window"
    GROUP = "group"
    ENERGY_TARGET = "energy_target"


class SettingScope(StrEnum):
    """One value for the station, or one for each connector."""

    STATION = "station"
    CONNECTOR = "connector"


class OcppAccess(StrEnum):
    """Access of the backend to a key."""

    NONE = "-"
    READ = "R"
    WRITE = "W"
    READ_WRITE = "RW"

    @property
    def readable(self) -> bool:
        """GetConfiguration may return the value."""
        return self in {OcppAccess.READ, OcppAccess.READ_WRITE}

    @property
    def writable(self) -> bool:
        """ChangeConfiguration may change it."""
        return self in {OcppAccess.WRITE, OcppAccess.READ_WRITE}


class Origin(StrEnum):
    """Source of the key and its constraints."""

    MANUAL = "manual"
    INFERRED = "inferred"
    VENDOR = "vendor"
    OCPP = "ocpp"
    OURS = "ours"


class Menu(StrEnum):
    """Pages of the settings (manual 2)."""

    DASHBOARD = "dashboard"
    NETWORK = "network"
    BACKEND = "backend"
    AUTHORIZATION = "authorization"
    WHITELISTS = "whitelists"
    LOAD_MANAGEMENT = "load-management"
    INSTALLATION = "installation"
    SYSTEM = "system"


class Feature(StrEnum):
    """Optional hardware of a station."""

    MODEM = "modem"
    WLAN = "wlan"
    USB_NETWORK = "usb_network"
    GROUP_LINK = "group_link"
    """A link to the other stations of a load-managed group."""
    ACTUATOR = "actuator"
    PLC = "plc"
    PHASE_SWITCHING = "phase_switching"
    RCMB = "rcmb"
    LIGHTS = "lights"
    """Lights with adjustable brightness."""


@dataclass(frozen=True, slots=True)
class HardwareFacts:
    """Facts about the station on which settings depend."""

    connectors: int = 2
    features: frozenset[Feature] = frozenset(Feature)
    serial_number: str = ""
    site_key: str = field(default="", repr=False)
    """Generated at the first start; default of the DLM site key on a master."""
    installer_known: bool = False
    """The installer's account has a password, so installation settings are reserved for that
    role."""


class Has(NamedTuple):
    """The station has the part."""

    feature: Feature


class Connectors(NamedTuple):
    """The station has this number of connectors."""

    number: int


class Is(NamedTuple):
    """The setting has one of the values (slugs; `on` and `off` for booleans)."""

    key: str
    slugs: tuple[str, ...]


class IsNot(NamedTuple):
    """The setting has any other value."""

    key: str
    slug: str


class MeterReach(StrEnum):
    """How a meter type is reached."""

    NONE = "none"
    """No meter, or the one inside the station."""
    NETWORK = "network"
    """By IP address and port."""
    LINE = "line"
    """On a serial line."""
    MULTICAST = "multicast"
    """It sends by itself to everybody in the network."""


class MeterReachedBy(NamedTuple):
    """The meter type selected by the setting is reached in one of these ways."""

    key: str
    ways: tuple[MeterReach, ...]


class AnyOf(NamedTuple):
    """At least one condition holds."""

    conditions: tuple[Condition, ...]


Condition = Has | Connectors | Is | IsNot | MeterReachedBy | AnyOf


class Choice(NamedTuple):
    """A selectable value: slug for files, label for users and OCPP."""

    slug: str
    label: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Entry:
    """A row of the catalogue. `key` is stable; for settings per connector it names connector 1."""

    key: str
    label: str
    menu: Menu
    group: str
    type: Type
    kind: SettingKind = SettingKind.SETTING
    default: Value = None
    help: str = ""
    unit: str = ""
    scope: SettingScope = SettingScope.STATION
    role: Role = Role.OPERATOR
    """Minimum role for changes (see also decision D35)."""
    ocpp: OcppAccess = OcppAccess.READ_WRITE
    restart: bool = False
    when: tuple[Condition, ...] = ()
    """Shown if all conditions hold; a hidden value is kept."""
    origin: Origin = Origin.MANUAL
    low: int | None = None
    high: int | None = None
    also: Mapping[int, str] = field(default_factory=dict)
    """Special values outside the range, with their meaning."""
    at_most: str = ""
    """Key of the setting that limits this one."""
    choices: tuple[Choice, ...] = ()
    enum: EnumClass | None = None
    format: Format = Format.FREE
    min_length: int = 0
    max_length: int = 200
    max_items: int = 64
    constant: bool = False
    """Set by software or hardware; not changeable."""
    derived_from: str = ""
    """Key of the setting of which this is a view (decision D30)."""
    backend_raises_only: bool = False
    safe: Value = None
    """For limits: replaces a lost value, because the default could allow a higher current."""
    instead_of: str = ""
    """The manual's default, if ours differs (decision D39)."""

    def __repr__(self) -> str:
        return f"<Entry {self.key}>"

    @property
    def ocpp_standard(self) -> bool:
        """A key of the OCPP standard: booleans are sent as true and false."""
        return self.origin is Origin.OCPP

    def choice(self, slug: str) -> Choice:
        return next(choice for choice in self.choices if choice.slug == slug)
