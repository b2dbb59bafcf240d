"""What one catalogue entry says; it serves form, validation, API, OCPP, CLI and docs alike."""

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
"""A setting's value in the station; None where nothing is set."""


EnumClass = type[StrEnum]


class Kind(StrEnum):
    """What an entry is."""

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
        """Written, never read back."""
        return self in {Type.SECRET, Type.SECRET_KEY}


class Format(StrEnum):
    """What a text, or each item of a list, must look like."""

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


class Scope(StrEnum):
    """One value for the station, or one for each connector."""

    STATION = "station"
    CONNECTOR = "connector"


class OcppAccess(StrEnum):
    """What a backend may do with the key."""

    NONE = "-"
    READ = "R"
    WRITE = "W"
    READ_WRITE = "RW"

    @property
    def readable(self) -> bool:
        """GetConfiguration shows the value."""
        return self in {OcppAccess.READ, OcppAccess.READ_WRITE}

    @property
    def writable(self) -> bool:
        """ChangeConfiguration may change it."""
        return self in {OcppAccess.WRITE, OcppAccess.READ_WRITE}


class Origin(StrEnum):
    """Where the key and its rules are known from."""

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
    """Parts that a station may have."""

    MODEM = "modem"
    WLAN = "wlan"
    USB_NETWORK = "usb_network"
    ACTUATOR = "actuator"
    PLC = "plc"
    PHASE_SWITCHING = "phase_switching"
    RCMB = "rcmb"
    LIGHTS = "lights"
    """Lights whose brightness can be set."""


@dataclass(frozen=True, slots=True)
class HardwareFacts:
    """What the settings must know of the station: its parts, and what was made once for it."""

    connectors: int = 2
    features: frozenset[Feature] = frozenset(Feature)
    serial_number: str = ""
    site_key: str = field(default="", repr=False)
    """Made at first start; the default of the DLM site key on a master."""
    installer_known: bool = False
    """The installer's account has had a password: the installation is his from then on."""


class Has(NamedTuple):
    """The station has the part."""

    feature: Feature


class Connectors(NamedTuple):
    """The station has so many connectors."""

    number: int


class Is(NamedTuple):
    """The setting has one of the values (slugs; `on` and `off` for switches)."""

    key: str
    slugs: tuple[str, ...]


class IsNot(NamedTuple):
    """The setting has another value than this one."""

    key: str
    slug: str


class MeterInNetwork(NamedTuple):
    """The meter chosen by the setting is reached by address and port."""

    key: str


class AnyOf(NamedTuple):
    """One of these suffices."""

    conditions: tuple[Condition, ...]


Condition = Has | Connectors | Is | IsNot | MeterInNetwork | AnyOf


class Choice(NamedTuple):
    """One value of a choice: slug for files, label for people and OCPP."""

    slug: str
    label: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Entry:
    """A row of the catalogue. `key` is stable; per connector it stands for connector 1."""

    key: str
    label: str
    menu: Menu
    group: str
    type: Type
    kind: Kind = Kind.SETTING
    default: Value = None
    help: str = ""
    unit: str = ""
    scope: Scope = Scope.STATION
    role: Role = Role.OPERATOR
    """May change it (decision D35 widens this)."""
    ocpp: OcppAccess = OcppAccess.READ_WRITE
    restart: bool = False
    when: tuple[Condition, ...] = ()
    """Shown while all hold; a hidden value is kept."""
    origin: Origin = Origin.MANUAL
    low: int | None = None
    high: int | None = None
    also: Mapping[int, str] = field(default_factory=dict)
    """Values with a meaning of their own, outside the range."""
    at_most: str = ""
    """Key of the setting that it may not exceed."""
    choices: tuple[Choice, ...] = ()
    enum: EnumClass | None = None
    format: Format = Format.FREE
    min_length: int = 0
    max_length: int = 200
    max_items: int = 64
    constant: bool = False
    """Told by the software or the hardware; nobody can change it."""
    derived_from: str = ""
    """A view of another setting (decision D30)."""
    backend_raises_only: bool = False
    safe: Value = None
    """For limits: used where a stored value is lost, because the default could allow more."""
    instead_of: str = ""
    """The manual's default, where ours differs (decision D39)."""

    def __repr__(self) -> str:
        return f"<Entry {self.key}>"

    @property
    def ocpp_standard(self) -> bool:
        """A key of the OCPP standard: booleans read true and false."""
        return self.origin is Origin.OCPP

    def choice(self, slug: str) -> Choice:
        """The choice with that slug."""
        return next(choice for choice in self.choices if choice.slug == slug)
