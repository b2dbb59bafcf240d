"""Enumerations for settings with a list of choices.

A member's value is the stable English slug used by API, CLI and files (decision D3). Members are in
the order of the manual; OCPP numbers them from 0 (free charging modes from 1).
"""

from __future__ import annotations

from enum import StrEnum


class OffOn(StrEnum):
    """A switch that the manual shows as a list."""

    OFF = "off"
    ON = "on"


class NetworkSelection(StrEnum):
    """How the mobile operator is selected (manual 2, 4)."""

    AUTO = "auto"
    MANUAL = "manual"
    MANUAL_AUTO = "manual_auto"


class ModemAccess(StrEnum):
    """Radio technology of the modem."""

    AUTO = "auto"
    GSM = "2g"
    UTRAN = "3g"
    LTE = "4g"


class OperatorNameFormat(StrEnum):
    """Spelling of a mobile operator's name (3GPP TS 27.007)."""

    LONG = "alphanumeric_long"
    SHORT = "alphanumeric_short"
    NUMERIC = "numeric"


class EthernetMode(StrEnum):
    """Source of the Ethernet address (manual 4)."""

    AUTO = "auto"
    MANUAL = "manual"
    DHCP_SERVER = "dhcp_server"


class WlanMode(StrEnum):
    """Source of the WLAN address."""

    AUTO = "auto"
    MANUAL = "manual"


class ConnectionType(StrEnum):
    """Interface of the backend link (manual 1.3, 4)."""

    NO_BACKEND = "no_backend"
    GSM = "gsm"
    ETHERNET = "ethernet"
    WLAN = "wlan"
    USB = "usb"


class OcppMode(StrEnum):
    """OCPP version and binding (manual 1.3, 4)."""

    SOAP_1_5 = "soap_1_5"
    SOAP_1_6 = "soap_1_6"
    JSON_1_6 = "json_1_6"


class TlsStrictness(StrEnum):
    """How strictly a server certificate is checked (manual 4), weakest first."""

    ENCRYPT_ONLY = "encrypt_only"
    EXPIRED_AND_ANY_HOST = "allow_expired_skip_host"
    ANY_HOST = "skip_host"
    EXPIRED = "allow_expired"
    NORMAL = "normal"


class ServerTls(StrEnum):
    """TLS policy of the station's own SOAP server (manual 4)."""

    ENCRYPT_ONLY = "encrypt_only"
    EXPIRED_AND_ANY_HOST = "allow_expired_skip_host"
    ANY_HOST = "skip_host"
    EXPIRED = "allow_expired"
    NORMAL = "normal"
    PLAIN = "plain"


class PublicAddress(StrEnum):
    """Source of the address announced to a SOAP backend (manual 4)."""

    LOCAL = "local"
    MANUAL = "manual"
    AUTO = "auto"
    TELTONIKA = "teltonika"


class StatusStrategy(StrEnum):
    """When a connector is reported as occupied (manual 4)."""

    ON_CHARGING = "occupied_on_charging"
    ON_AUTHORIZED_OR_PLUGGED = "occupied_on_authorized_plugged"


class MailEncryption(StrEnum):
    """Transport security of outgoing mail."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class FreeChargingMode(StrEnum):
    """Free charging modes 1 to 6 (manual 5.2)."""

    NO_OCPP = "no_ocpp"
    STATUS_WITHOUT_AUTH = "status_without_auth"
    STATUS_WITH_AUTH = "status_with_auth"
    FULL_FIXED_WITH_AUTH = "full_fixed_with_auth"
    FULL_FIXED_WITHOUT_AUTH = "full_fixed_without_auth"
    FULL_ANY_RFID = "full_any_rfid"


class IfInDoubt(StrEnum):
    """Treatment of a card that cannot be checked (manual 5.1)."""

    OFF = "off"
    ON = "on"
    IMMEDIATELY = "immediately"


class LetterCase(StrEnum):
    """Spelling of card numbers (manual 5.3)."""

    LOWER = "lower"
    UPPER = "upper"
    LOWER_INVERTED = "lower_inverted"
    UPPER_INVERTED = "upper_inverted"


class DisplayLanguage(StrEnum):
    """Language of the two-line display."""

    MULTI = "multi"
    ENGLISH = "english"
    GERMAN = "german"
    FRENCH = "french"
    DUTCH = "dutch"
    ITALIAN = "italian"
    SPANISH = "spanish"
    FINNISH = "finnish"
    SWEDISH = "swedish"
    NORWEGIAN = "norwegian"
    DANISH = "danish"


class CacheExpiry(StrEnum):
    """How long a cache entry without expiry date is valid (manual 5.4)."""

    END_2038 = "end_2038"
    ONE_YEAR = "one_year"


class HighLevelCommunication(StrEnum):
    """ISO 15118 mode of a connector (manual 7.3)."""

    OFF = "off"
    ENCOURAGE = "encourage"
    OFFER = "offer"
    FORCE = "force"
    ED2 = "ed2"


class ExternalInput(StrEnum):
    """Input that limits the current (manual 7.1)."""

    DISABLE = "disable"
    OPTO_1 = "opto_1"
    OPTO_2 = "opto_2"
    MAINS_230V = "mains_230v"


class OptoInput(StrEnum):
    """Optocoupler input for a feedback contact."""

    DISABLE = "disable"
    OPTO_1 = "opto_1"
    OPTO_2 = "opto_2"


class DlmInput1(StrEnum):
    """External input 1 of the load management."""

    DISABLE = "disable"
    OPTO_1 = "opto_1"
    OPTO_1_INVERTED = "opto_1_inverted"


class DlmInput2(StrEnum):
    """External input 2 of the load management."""

    DISABLE = "disable"
    OPTO_2 = "opto_2"
    OPTO_2_INVERTED = "opto_2_inverted"


class RegisterSet(StrEnum):
    """Register map of the Modbus TCP server."""

    PHOENIX = "phoenix"
    TQ_DM100 = "tq_dm100"
    EBEE = "ebee"
    ISE_IGT_KASSEL = "ise_igt_kassel"


class SempMode(StrEnum):
    """Kind of request sent to the energy manager."""

    SURPLUS = "surplus"
    ENERGY_TARGET = "energy_target"
    FAST = "fast"


class PhaseSwitch(StrEnum):
    """Function that may switch between one and three phases."""

    OFF = "off"
    SEMP = "semp"
    MODBUS = "modbus"
    SOLAR_DLM = "solar_dlm"


class DlmRole(StrEnum):
    """Role of the station in load management (manual 7.4), in the order of register 600 (D12)."""

    DISABLED = "disabled"
    SLAVE_AUTO = "slave_auto"
    SLAVE_FIXED = "slave_fixed"
    MASTER = "master"
    STANDALONE_MASTER = "standalone_master"

    @property
    def is_master(self) -> bool:
        """True with or without a slave function of its own."""
        return self in {DlmRole.MASTER, DlmRole.STANDALONE_MASTER}


class SampleRate(StrEnum):
    """Interval of the load management (decision D5)."""

    S1 = "1s"
    S5 = "5s"
    S10 = "10s"
    S30 = "30s"
    S60 = "60s"

    @property
    def seconds(self) -> int:
        return int(self.value[:-1])


class MeterLocation(StrEnum):
    """Whether the external meter also sees the charging current (manual 7.4.2)."""

    INCLUDING = "including"
    EXCLUDING = "excluding"


class PhasesConnected(StrEnum):
    """Phases wired to a connector (manual 7.1)."""

    SINGLE = "single"
    SINGLE_IT = "single_it"
    THREE = "three"


class PhaseRotation(StrEnum):
    """Order of the grid phases at the terminals (manual 7.6, OCPP 1.6)."""

    RST = "rst"
    RTS = "rts"
    SRT = "srt"
    STR = "str"
    TRS = "trs"
    TSR = "tsr"
    UNKNOWN = "unknown"
    """Not proven yet: load management counts the socket on every phase."""


class RcmbMode(StrEnum):
    """Monitoring of smooth residual current."""

    OFF = "off"
    IEC_62752 = "iec_62752"
    IEC_62955 = "iec_62955"


class WeldCheck(StrEnum):
    """Input that detects a welded contactor."""

    DISABLE = "disable"
    OPTO_C6_5 = "opto_c6_5"
    OPTO_C8_7 = "opto_c8_7"


class ContactPolarity(StrEnum):
    """Rest position of a contact."""

    NORMALLY_OPEN = "normally_open"
    NORMALLY_CLOSED = "normally_closed"


class DisableEnable(StrEnum):
    """A part that is fitted or not."""

    DISABLE = "disable"
    ENABLE = "enable"


class MasterSlave(StrEnum):
    """Role of this controller in a station with two controllers (manual 7.3)."""

    OFF = "off"
    MASTER = "master"
    SLAVE = "slave"


class LedBoard(StrEnum):
    """LED and reader board (manual 10)."""

    RFID105 = "rfid105"
    RFID110 = "rfid110"
    RFID114 = "rfid114"
    RFID117 = "rfid117"
    HMI140 = "hmi140"
    HMI145 = "hmi145"
    HMI150 = "hmi150"


class DisplayBoard(StrEnum):
    """Two-line display."""

    NONE = "none"
    DPM2X16FP = "dpm2x16fp"


class Language(StrEnum):
    """Language of the web interface."""

    EN = "en"
    FR = "fr"
    DE = "de"
    NL = "nl"


class LogLevel(StrEnum):
    """How much is logged."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
