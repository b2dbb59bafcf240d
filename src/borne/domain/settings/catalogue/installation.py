"""Menu "Installation", for electricians and the maker (manual 1.5, 7.1 to 7.3, 7.5, 7.6, 9)."""

from __future__ import annotations

from borne.domain.principals import Role
from borne.domain.settings.builder import Section
from borne.domain.settings.catalogue.meter_profiles import (
    BILLING_CHOICES,
    PARITIES,
    SERIAL_PORT_HELP,
)
from borne.domain.settings.choices import (
    ContactPolarity,
    DisableEnable,
    DisplayBoard,
    LedBoard,
    MasterSlave,
    OffOn,
    OptoInput,
    PhaseRotation,
    PhasesConnected,
    RcmbMode,
    WeldCheck,
)
from borne.domain.settings.entry import (
    Connectors,
    Feature,
    Format,
    Has,
    Is,
    IsNot,
    Menu,
    MeterReach,
    MeterReachedBy,
    OcppAccess,
    Origin,
    SettingKind,
    SettingScope,
)
from borne.foundation.messages import N_

_general = Section(Menu.INSTALLATION, N_("General"), role=Role.INSTALLER, ocpp=OcppAccess.READ)
_meter = Section(
    Menu.INSTALLATION,
    N_("Meter"),
    role=Role.INSTALLER,
    ocpp=OcppAccess.READ,
    scope=SettingScope.CONNECTOR,
    restart=True,
)
_safety = Section(
    Menu.INSTALLATION,
    N_("Safety & Protection"),
    role=Role.MANUFACTURER,
    ocpp=OcppAccess.READ,
    restart=True,
    origin=Origin.VENDOR,
)
_maker = Section(
    Menu.INSTALLATION,
    N_("Manufacturer"),
    role=Role.MANUFACTURER,
    ocpp=OcppAccess.READ,
    restart=True,
    origin=Origin.VENDOR,
)

_TWO = (Connectors(2),)
_ONE_LINE = (Connectors(2), Is("SingleSupplyLine", ("on",)))
_OPTO = {
    OptoInput.DISABLE: N_("Disable"),
    OptoInput.OPTO_1: N_("Enable Opto 1 In"),
    OptoInput.OPTO_2: N_("Enable Opto 2 In"),
}

GENERAL = (
    _general.integer(
        "InstallationCurrentLimit",
        N_("Installation Current Limit"),
        N_("Current that cables and fuses on site allow for each socket."),
        default=32,
        low=6,
        at_most="MaximumCurrent",
        unit="A",
        scope=SettingScope.CONNECTOR,
        when=(Is("SingleSupplyLine", ("off",)),),
        safe=6,
    ),
    _general.flag(
        "SingleSupplyLine",
        N_("Charging station with a single supply line"),
        N_("Both sockets are on one supply line and share its capacity."),
        when=_TWO,
        restart=True,
    ),
    _general.flag(
        "SingleSupplyLineInstallerAccess",
        N_("Single supply line settings accessible to installer"),
        N_("Off hides the settings of the single supply line from all but the manufacturer."),
        default=True,
        role=Role.MANUFACTURER,
        when=_TWO,
    ),
    _general.integer(
        "StationCurrentCapacity",
        N_("Current carrying capacity of the charging station"),
        N_("Capacity of wiring and fuses inside the station, for both sockets together."),
        default=32,
        low=6,
        high=80,
        unit="A",
        role=Role.MANUFACTURER,
        when=_ONE_LINE,
        safe=6,
    ),
    _general.integer(
        "SupplyLineCurrentCapacity",
        N_("Current carrying capacity of the supply line"),
        N_(
            "Capacity of the supply line on site, for both sockets together. Until it is set: "
            "the lowest installation limit."
        ),
        default=32,
        low=6,
        at_most="StationCurrentCapacity",
        unit="A",
        when=_ONE_LINE,
        safe=6,
    ),
    _general.integer(
        "PowerSourceVoltage",
        N_("Power source voltage"),
        N_("Between line and neutral, with three phases too; 230 V in most of Europe."),
        default=230,
        low=100,
        high=400,
        unit="V",
    ),
    _general.choice(
        "PhasesConnected",
        N_("Phases connected to the ChargePoint"),
        {
            PhasesConnected.SINGLE: N_("Single-phase system"),
            PhasesConnected.SINGLE_IT: N_("Single-phase system (IT ground)"),
            PhasesConnected.THREE: N_("Three-phase system"),
        },
        N_("Phases that are wired to the socket."),
        default=PhasesConnected.THREE,
        scope=SettingScope.CONNECTOR,
        restart=True,
    ),
    _general.choice(
        "ConnectorPhaseRotation",
        N_("Phase rotation of the ChargePoint"),
        {
            PhaseRotation.RST: N_("RST (L1/L2/L3, standard phasing)"),
            PhaseRotation.RTS: N_("RTS (L1/L3/L2)"),
            PhaseRotation.SRT: N_("SRT (L2/L1/L3)"),
            PhaseRotation.STR: N_("STR (L2/L3/L1)"),
            PhaseRotation.TRS: N_("TRS (L3/L1/L2)"),
            PhaseRotation.TSR: N_("TSR (L3/L2/L1)"),
            PhaseRotation.UNKNOWN: N_("Unknown (counts on every phase)"),
        },
        N_("Grid phases at the terminals of the socket, in their order."),
        scope=SettingScope.CONNECTOR,
        origin=Origin.OCPP,
        ocpp=OcppAccess.READ_WRITE,
    ),
    _general.flag(
        "OperatorMayInstall",
        N_("Operator may change installation settings"),
        N_(
            "Off leaves the installation to the installer; the operator still sees it. It is "
            "switched off when the installer gets a password."
        ),
        default=True,
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
)

_IN_NETWORK = MeterReachedBy("MeterConfig", (MeterReach.NETWORK,))
_ON_LINE = MeterReachedBy("MeterConfig", (MeterReach.LINE,))
_BY_MODBUS = MeterReachedBy("MeterConfig", (MeterReach.NETWORK, MeterReach.LINE))
_WITH_ADDRESS = MeterReachedBy("MeterConfig", (MeterReach.NETWORK, MeterReach.MULTICAST))

METER = (
    _meter.meter(
        "MeterConfig",
        N_("Meter configuration (OCPP meter)"),
        BILLING_CHOICES,
        N_("Meter whose energy is billed."),
        default="internal_meter",
    ),
    _meter.address(
        "MeterIP",
        N_("IP address of OCPP meter"),
        N_("Address of the meter in your network."),
        when=(_WITH_ADDRESS,),
    ),
    _meter.integer(
        "MeterPort",
        N_("Port number of OCPP meter"),
        N_("Usually 502."),
        default=502,
        low=1,
        high=65535,
        when=(_IN_NETWORK,),
    ),
    _meter.text(
        "MeterSerialPort",
        N_("Serial port of OCPP meter"),
        SERIAL_PORT_HELP,
        format=Format.DEVICE,
        max_length=100,
        when=(_ON_LINE,),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.integer(
        "MeterBaudRate",
        N_("Baud rate of OCPP meter"),
        N_("Speed of the serial bus."),
        default=9600,
        low=1200,
        high=115200,
        unit="Bd",
        when=(_ON_LINE,),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.choice(
        "MeterParity",
        N_("Parity of OCPP meter"),
        PARITIES,
        N_("As set at the meter; all devices of a bus have the same."),
        when=(_ON_LINE,),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.integer(
        "MeterUnitId",
        N_("Modbus unit id of OCPP meter"),
        N_("Address of the meter on its bus."),
        default=1,
        low=0,
        high=255,
        when=(_BY_MODBUS,),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
)

SAFETY = (
    _safety.integer(
        "RCMBDelta",
        N_("RCMB delta"),
        N_("A residual current that changes by more than this is reported to the backend."),
        default=0,
        low=1,
        high=999,
        also={0: N_("off")},
        unit="0.1 mA",
        role=Role.INSTALLER,
        restart=False,
        when=(Has(Feature.RCMB),),
    ),
    _safety.choice(
        "RCMBMode",
        N_("RCMB mode"),
        {
            RcmbMode.OFF: N_("Off"),
            RcmbMode.IEC_62752: N_("On (IEC 62752)"),
            RcmbMode.IEC_62955: N_("On (IEC 62955)"),
        },
        N_("Monitors for a smooth residual current of 6 mA."),
        default=RcmbMode.IEC_62955,
        origin=Origin.INFERRED,
    ),
    _safety.choice(
        "WeldCheck",
        N_("Welded contactor detection"),
        {
            WeldCheck.DISABLE: N_("Disable"),
            WeldCheck.OPTO_C6_5: N_("Enable Opto C6/5"),
            WeldCheck.OPTO_C8_7: N_("Enable Opto C8/7"),
        },
        N_("Input that detects whether the contactor really opened."),
        default=WeldCheck.OPTO_C6_5,
    ),
    _safety.choice(
        "WeldCheckInType",
        N_("Weld check input type"),
        {
            ContactPolarity.NORMALLY_OPEN: N_("Normally open"),
            ContactPolarity.NORMALLY_CLOSED: N_("Normally closed"),
        },
        N_("Rest position of that input's contact."),
        when=(IsNot("WeldCheck", "disable"),),
    ),
    _safety.choice(
        "RCDInput",
        N_("RCD feedback input"),
        _OPTO,
        N_("Auxiliary contact of the residual current device."),
        origin=Origin.MANUAL,
    ),
    _safety.choice(
        "MCBType2Input",
        N_("MCB feedback input, type 2 socket"),
        _OPTO,
        N_("Auxiliary contact of the circuit breaker of the charging socket."),
        origin=Origin.MANUAL,
    ),
    _safety.choice(
        "MCBDomesticInput",
        N_("MCB feedback input, domestic socket"),
        _OPTO,
        N_("Auxiliary contact of the circuit breaker of the household socket."),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _safety.choice(
        "SPDInput",
        N_("SPD monitoring input"),
        _OPTO,
        N_("Contact of the surge protection device."),
        origin=Origin.INFERRED,
    ),
    _safety.flag(
        "CableAttached",
        N_("Permanently locked / attached cable"),
        N_("The station has a cable of its own instead of a socket."),
    ),
    _safety.choice(
        "SchukoConfig",
        N_("Domestic (Schuko) socket configuration"),
        {DisableEnable.DISABLE: N_("Disable"), DisableEnable.ENABLE: N_("Enable")},
        N_("The station has a household socket too."),
    ),
    _safety.flag(
        "VentilationAvailable",
        N_("Ventilation available (state D)"),
        N_("Without ventilation a car that needs it gets no current."),
        role=Role.INSTALLER,
        ocpp=OcppAccess.NONE,
        restart=False,
        origin=Origin.OURS,
    ),
)

MAKER = (
    _maker.integer(
        "MaximumCurrent",
        N_("Maximum Current"),
        N_("Current that contactor, socket and wiring of the station can carry."),
        default=32,
        low=6,
        high=80,
        unit="A",
        scope=SettingScope.CONNECTOR,
        origin=Origin.MANUAL,
        restart=False,
        safe=6,
    ),
    _maker.choice(
        "MasterSlaveMode",
        N_("Master/Slave Mode"),
        {
            MasterSlave.OFF: N_("Off"),
            MasterSlave.MASTER: N_("Master"),
            MasterSlave.SLAVE: N_("Slave"),
        },
        N_("Two controllers in one station: the master communicates with the backend for both."),
        origin=Origin.MANUAL,
    ),
    _maker.flag(
        "RFIDEnable",
        N_("Enable RFID"),
        N_("A card reader is fitted."),
        default=True,
        restart=False,
    ),
    _maker.flag(
        "RFIDSlave",
        N_("RFID Slave"),
        N_("The second controller has a reader of its own."),
        when=(Is("MasterSlaveMode", ("slave",)),),
        origin=Origin.INFERRED,
    ),
    _maker.choice(
        "LEDType",
        N_("Type of LED"),
        {
            LedBoard.RFID105: "RFID105",
            LedBoard.RFID110: "RFID110",
            LedBoard.RFID114: "RFID114",
            LedBoard.RFID117: "RFID117",
            LedBoard.HMI140: "HMI140",
            LedBoard.HMI145: "HMI145",
            LedBoard.HMI150: "HMI150",
        },
        N_("Board with lights and reader; with a wrong one no card is read."),
        default=LedBoard.RFID110,
        origin=Origin.MANUAL,
    ),
    _maker.choice(
        "DisplayType",
        N_("Type of Display"),
        {
            DisplayBoard.NONE: N_("None"),
            DisplayBoard.DPM2X16FP: N_("Bender LCD-Module DPM2x16FP"),
        },
        N_("Display with two lines of text."),
        restart=False,
    ),
    _maker.text(
        "ChargePointVendor",
        N_("ChargePointVendor"),
        N_("Name of the manufacturer that is sent to the backend."),
        default="borne",
        format=Format.PRINTABLE_ASCII,
        min_length=1,
        max_length=20,
        instead_of=N_("name of the original manufacturer"),
    ),
    _maker.text(
        "ChargePointModel",
        N_("ChargePointModel"),
        N_("Model that is sent to the backend."),
        default="AC station",
        format=Format.PRINTABLE_ASCII,
        min_length=1,
        max_length=20,
        instead_of=N_("model of the original manufacturer"),
    ),
    _maker.text(
        "ChargePointSerialNumber",
        N_("ChargePointSerialNumber"),
        N_("Number that is sent to the backend; generated once at the first start."),
        format=Format.PRINTABLE_ASCII,
        max_length=25,
    ),
    _maker.text(
        "ManufacturerURL",
        N_("Manufacturer URL"),
        N_("Website of the manufacturer, linked from the web interface."),
        format=Format.HTTP_URL,
        restart=False,
    ),
    _maker.other(
        SettingKind.READING,
        "ChargePointUUID",
        N_("ChargePoint UUID"),
        N_("Unique number of this station."),
        restart=False,
    ),
    _maker.choice(
        "SSHAccessUsb",
        N_("SSH access via USB"),
        {OffOn.OFF: N_("Off"), OffOn.ON: N_("On")},
        N_("Remote login over the USB network."),
        default=OffOn.ON,
    ),
    _maker.choice(
        "SSHAccessWlanNetwork",
        N_("SSH access via WLAN"),
        {OffOn.OFF: N_("Off"), OffOn.ON: N_("On")},
        N_("Remote login over the wireless network."),
    ),
)

ENTRIES = GENERAL + METER + SAFETY + MAKER
