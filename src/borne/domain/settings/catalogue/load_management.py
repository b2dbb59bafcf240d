"""Menu "Load management" (manual 1.4, 7.1, 7.4 to 7.8)."""

from __future__ import annotations

from borne.domain.principals import Role
from borne.domain.settings.builder import Section
from borne.domain.settings.catalogue.meter_profiles import (
    PARITIES,
    SERIAL_PORT_HELP,
    SITE_CHOICES,
)
from borne.domain.settings.choices import (
    DlmInput1,
    DlmInput2,
    DlmRole,
    ExternalInput,
    MeterLocation,
    OffOn,
    PhaseSwitch,
    RegisterSet,
    SampleRate,
    SempMode,
)
from borne.domain.settings.entry import (
    Amps,
    AnyOf,
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
from borne.domain.station.modes import WakeUp
from borne.foundation.messages import N_

_MENU = Menu.LOAD_MANAGEMENT
_MEMBER = (IsNot("DLMRole", "disabled"),)
_MASTER = (Is("DLMRole", ("master", "standalone_master")),)
_SLAVE = (Is("DLMRole", ("slave_auto", "slave_fixed")),)
_NO_SLAVE = (Is("DLMRole", ("disabled", "master", "standalone_master")),)
_EXTERNAL_METER = (*_NO_SLAVE, Is("DLMExternalMeterSupport", ("on",)))
_METER = (*_MASTER, Is("DLMExternalMeterSupport", ("on",)))
_MODBUS = (Is("ModbusTCPServer", ("on",)),)
_SEMP = (Is("SEMPInterface", ("on",)),)
_EEBUS = (Is("EEBusInterface", ("on",)),)

_local = Section(_MENU, N_("Local"), origin=Origin.INFERRED)
_modbus = Section(_MENU, N_("Modbus interface"), when=_MODBUS, origin=Origin.VENDOR)
_semp = Section(
    _MENU, N_("SEMP interface (SMA Sunny Home Manager)"), when=_SEMP, origin=Origin.INFERRED
)
_eebus = Section(_MENU, N_("EEBUS"), when=_EEBUS, origin=Origin.INFERRED)
_aski = Section(_MENU, N_("ASKI over OCPP-S"), restart=True, origin=Origin.INFERRED)
_dlm = Section(_MENU, N_("Dynamic Load Management"), when=_MASTER)
_meter = Section(_MENU, N_("Meter"), when=_EXTERNAL_METER, restart=True)

_ZERO = Amps(0, 0, 0)
_INPUT_WHILE_ACTIVE = N_("No more than this for the whole group while the input is active.")

LOCAL = (
    _local.integer(
        "OperatorCurrentLimit",
        N_("Operator Current Limit"),
        N_("Highest current that a car is offered; it may change during a session."),
        default=32,
        low=6,
        also={0: N_("pause")},
        at_most="InstallationCurrentLimit",
        unit="A",
        scope=SettingScope.CONNECTOR,
        origin=Origin.VENDOR,
        safe=6,
    ),
    _local.choice(
        "EnergyManExternalInput",
        N_("Energy management from external input"),
        {
            ExternalInput.DISABLE: N_("Disable"),
            ExternalInput.OPTO_1: N_("Enable Opto 1 In"),
            ExternalInput.OPTO_2: N_("Enable Opto 2 In"),
            ExternalInput.MAINS_230V: N_("Enable 230V In"),
        },
        N_("A contact of the grid operator or of the building reduces the current."),
        restart=True,
    ),
    _local.integer(
        "EnergyManExternalInputLimit",
        N_("Energy management external input current limit"),
        N_("Current of each socket while that contact is active."),
        default=6,
        low=0,
        at_most="OperatorCurrentLimit",
        unit="A",
        when=(IsNot("EnergyManExternalInput", "disable"),),
        safe=0,
    ),
    _local.integer(
        "SinglePhaseLimit",
        N_("Unbalanced load limit for single-phase charging"),
        N_(
            "Highest current offered to a car on one or two phases; 20 A where VDE-AR-N 4100 "
            "applies."
        ),
        default=0,
        low=1,
        high=32,
        also={0: N_("off")},
        unit="A",
        safe=6,
    ),
    _local.choice(
        "EVWakeupMethod",
        N_("EV wake-up method"),
        {
            WakeUp.PILOT_INTERRUPTION: N_("Pilot interruption"),
            WakeUp.STATE_F: N_("State F"),
            WakeUp.STATE_E: N_("State E"),
        },
        N_("How a car that fell asleep during a pause is woken."),
        role=Role.INSTALLER,
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
)

ENERGY_MANAGERS = (
    _modbus.flag(
        "ModbusTCPServer",
        N_("Modbus TCP Server"),
        N_("Lets an energy manager read the station and set its current."),
        when=(),
        restart=True,
        origin=Origin.MANUAL,
    ),
    _modbus.integer(
        "ModbusTCPServerBasePort",
        N_("Modbus TCP Server Base Port"),
        N_("Port of socket 1; socket 2 has the next one."),
        default=502,
        low=1,
        high=65534,
        restart=True,
    ),
    _modbus.choice(
        "ModbusTCPServerRegisterSet",
        N_("Modbus TCP Server Register Address Set"),
        {
            RegisterSet.PHOENIX: N_("Phoenix"),
            RegisterSet.TQ_DM100: N_("TQ-DM100"),
            RegisterSet.EBEE: N_("Ebee"),
            RegisterSet.ISE_IGT_KASSEL: N_("ISE/IGT Kassel"),
        },
        N_("Register map that your energy manager expects."),
        default=RegisterSet.EBEE,
        restart=True,
    ),
    _modbus.flag(
        "ModbusAllowStartStop",
        N_("Modbus TCP Server Allow Start/Stop Transaction"),
        N_("The energy manager may begin and end sessions."),
    ),
    _modbus.flag(
        "ModbusAllowUIDDisclose",
        N_("Modbus TCP Server Allow UID Disclose"),
        N_("The energy manager may read who charges."),
    ),
    _semp.flag(
        "SEMPInterface",
        N_("SEMP interface"),
        N_("Lets an SMA Sunny Home Manager plan the charging."),
        when=(),
        restart=True,
        origin=Origin.MANUAL,
    ),
    _semp.choice(
        "SEMPChargingMode",
        N_("SEMP Charging Mode"),
        {
            SempMode.SURPLUS: N_("Surplus Charging"),
            SempMode.ENERGY_TARGET: N_("Energy target"),
            SempMode.FAST: N_("Fast"),
        },
        N_("Only surplus, an amount until a time, or as fast as possible."),
    ),
    _semp.text(
        "SEMPTarget",
        N_("SEMP energy demand [kWh] / departure time"),
        N_("Energy and time to reach, for example 20 07:30."),
        format=Format.ENERGY_TARGET,
        when=(*_SEMP, Is("SEMPChargingMode", ("energy_target",))),
    ),
    _semp.choice(
        "PhaseSwitchFunction",
        N_("Software function to use phase switching"),
        {
            PhaseSwitch.OFF: N_("Off"),
            PhaseSwitch.SEMP: N_("SEMP"),
            PhaseSwitch.MODBUS: N_("Modbus"),
            PhaseSwitch.SOLAR_DLM: N_("Solar DLM"),
        },
        N_("Function that may switch a session between three phases and one."),
        when=(Has(Feature.PHASE_SWITCHING),),
        restart=True,
    ),
    _eebus.flag(
        "EEBusInterface",
        N_("EEBus interface"),
        N_("Lets an EEBus energy manager limit the station."),
        when=(),
        restart=True,
        origin=Origin.MANUAL,
    ),
    _eebus.other(
        SettingKind.READING,
        "EEBusSKI",
        N_("EEBus SKI"),
        N_("Identity of this station, to be entered in the energy manager."),
    ),
    _eebus.other(
        SettingKind.ACTION,
        "action.eebus_pairing",
        N_("EEBus pairing (couple / uncouple energy manager)"),
        N_("Accept an energy manager, or forget it."),
        origin=Origin.VENDOR,
    ),
    _eebus.integer(
        "EEBusFailsafePower",
        N_("EEBus failsafe power in case of connection failure"),
        N_("Power of the station while the energy manager is silent."),
        default=4200,
        low=0,
        high=22000,
        unit="W",
        safe=0,
    ),
    _eebus.integer(
        "EEBusFailsafeDuration",
        N_("EEBus minimum duration for failsafe state"),
        N_("The failsafe power applies for at least this time."),
        default=7200,
        low=7200,
        high=86400,
        unit="s",
        origin=Origin.VENDOR,
    ),
    _eebus.integer(
        "EEBusFallbackCurrent",
        N_("EEBus Control communication fallback current"),
        N_("Current of each socket while the energy manager is silent."),
        default=6,
        low=0,
        high=32,
        unit="A",
        safe=0,
    ),
    _aski.flag(
        "ASKIInterface",
        N_("ASKI over OCPP-S"),
        N_("Lets an ASKI controller set the operator limits over SOAP."),
    ),
    _aski.integer(
        "ASKIPort",
        N_("ASKI OCPP-S server port"),
        N_("Port on which the station listens for the ASKI controller."),
        default=13000,
        low=1,
        high=65535,
        when=(Is("ASKIInterface", ("on",)),),
    ),
)

GROUP = (
    _dlm.choice(
        "DLMRole",
        N_("Dynamic Load Management - DLM Master/Slave"),
        {
            DlmRole.DISABLED: N_("Disabled"),
            DlmRole.SLAVE_AUTO: N_("DLM Slave (Master-Auto-Discovery)"),
            DlmRole.SLAVE_FIXED: N_("DLM Slave (Master-Fixed-IP)"),
            DlmRole.MASTER: N_("DLM Master (With internal DLM-Slave)"),
            DlmRole.STANDALONE_MASTER: N_("DLM Master (Standalone)"),
        },
        N_("Role of the station in a group that shares one supply; a group has one master."),
        when=(),
        restart=True,
    ),
    _dlm.integer(
        "DLMNetworkId",
        N_("DLM Network Id"),
        N_("Stations with the same number form a group; use it when a network carries several."),
        default=0,
        low=0,
        high=255,
        when=_MEMBER,
        restart=True,
        origin=Origin.INFERRED,
    ),
    _dlm.text(
        "DLMMasterAddress",
        N_("DLM Master IP and port"),
        N_("Address of the master, as host:port."),
        format=Format.HOST_PORT,
        when=(Is("DLMRole", ("slave_fixed",)),),
        restart=True,
        origin=Origin.VENDOR,
    ),
    _dlm.flag(
        "DLMDisableDiscovery",
        N_("Disable Discovery Broadcasting"),
        N_("The master no longer announces itself; its slaves need its address then."),
        restart=True,
    ),
    _dlm.choice(
        "DLMSampleRate",
        N_("DLM Algorithm Sample Rate"),
        {
            SampleRate.S1: N_("1 sec"),
            SampleRate.S5: N_("5 sec"),
            SampleRate.S10: N_("10 sec"),
            SampleRate.S30: N_("30 sec"),
            SampleRate.S60: N_("60 sec"),
        },
        N_("How often the current is redistributed; a car that starts is served at once."),
        default=SampleRate.S30,
        origin=Origin.INFERRED,
    ),
    _dlm.flag(
        "DLMAllowEVWakeup",
        N_("Allow EV Wakeup"),
        N_("Wakes cars that fell asleep while they had to wait."),
        default=True,
        when=(),
        origin=Origin.INFERRED,
    ),
    _dlm.amps(
        "DLMEVSESubDistributionLimit",
        N_("EVSE Sub-Distribution Limit (L1/L2/L3)"),
        N_("Fuse of the distribution board that feeds all stations of the group."),
        default=Amps(16, 16, 16),
        safe=_ZERO,
    ),
    _dlm.amps(
        "DLMOperatorEVSESubDistributionLimit",
        N_("Operator EVSE Sub-Distribution Limit (L1/L2/L3)"),
        N_(
            "Current that is really distributed, at most the limit above; it may change at any "
            "time."
        ),
        default=Amps(16, 16, 16),
        high=None,
        at_most="DLMEVSESubDistributionLimit",
        safe=_ZERO,
    ),
    _dlm.choice(
        "DLMExternalInput1Config",
        N_("External Input 1 Config"),
        {
            DlmInput1.DISABLE: N_("Disable"),
            DlmInput1.OPTO_1: N_("Enable Opto 1 In"),
            DlmInput1.OPTO_1_INVERTED: N_("Enable Opto 1 In inverted"),
        },
        N_("A contact at the master reduces the current of the whole group."),
        restart=True,
        origin=Origin.INFERRED,
    ),
    _dlm.amps(
        "DLMExternalInput1Limit",
        N_("External Input 1 current limit while active (L1/L2/L3)"),
        _INPUT_WHILE_ACTIVE,
        default=_ZERO,
        when=(*_MASTER, IsNot("DLMExternalInput1Config", "disable")),
        origin=Origin.INFERRED,
        safe=_ZERO,
    ),
    _dlm.choice(
        "DLMExternalInput2Config",
        N_("External Input 2 Config"),
        {
            DlmInput2.DISABLE: N_("Disable"),
            DlmInput2.OPTO_2: N_("Enable Opto 2 In"),
            DlmInput2.OPTO_2_INVERTED: N_("Enable Opto 2 In inverted"),
        },
        N_("A second contact at the master reduces the current of the whole group."),
        restart=True,
        origin=Origin.INFERRED,
    ),
    _dlm.amps(
        "DLMExternalInput2Limit",
        N_("External Input 2 current limit while active (L1/L2/L3)"),
        _INPUT_WHILE_ACTIVE,
        default=_ZERO,
        when=(*_MASTER, IsNot("DLMExternalInput2Config", "disable")),
        origin=Origin.INFERRED,
        safe=_ZERO,
    ),
    _dlm.flag(
        "DLMExternalMeterSupport",
        N_("External Meter Support"),
        N_(
            "A second meter measures what the building draws; the group gets what the main "
            "distribution leaves."
        ),
        when=_NO_SLAVE,
        restart=True,
    ),
    _dlm.choice(
        "DLMMeterDigitalInputConfig",
        N_("Meter Digital Input Config"),
        {OffOn.OFF: N_("Off"), OffOn.ON: N_("On")},
        N_("Contacts at the second meter count as external inputs."),
        when=_METER,
        restart=True,
        origin=Origin.INFERRED,
    ),
    _dlm.amps(
        "DLMMeterDigitalInputLimit",
        N_("Meter digital input current limit while active (L1/L2/L3)"),
        _INPUT_WHILE_ACTIVE,
        default=_ZERO,
        when=(*_METER, Is("DLMMeterDigitalInputConfig", ("on",))),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
        safe=_ZERO,
    ),
    _dlm.amps(
        "DLMMainDistributionLimit",
        N_("Main Distribution Limit (L1/L2/L3)"),
        N_("Fuse of the building where the second meter measures. It must be set."),
        when=_METER,
        safe=_ZERO,
    ),
    _dlm.amps(
        "DLMExternalLoadHeadroom",
        N_("External Load Headroom (L1/L2/L3)"),
        N_("Kept free below the main distribution limit."),
        default=_ZERO,
        when=_METER,
    ),
    _dlm.amps(
        "DLMExternalLoadFallback",
        N_("External Load Fallback (L1/L2/L3)"),
        N_("Load assumed while the meter is silent; 9999 leaves nothing for cars."),
        default=Amps(9999, 9999, 9999),
        when=_METER,
        origin=Origin.INFERRED,
        safe=Amps(9999, 9999, 9999),
    ),
    _dlm.choice(
        "DLMExternalMeterLocation",
        N_("External Meter Location"),
        {
            MeterLocation.INCLUDING: N_("Including EVSE Sub-Distribution"),
            MeterLocation.EXCLUDING: N_("Excluding EVSE Sub-Distribution"),
        },
        N_("Whether the meter also sees the stations. When in doubt: excluding."),
        default=MeterLocation.EXCLUDING,
        when=_EXTERNAL_METER,
    ),
    _dlm.integer(
        "DLMExternalLoadAveraging",
        N_("External Load Averaging Length"),
        N_("Smooths short peaks of the building."),
        default=10,
        low=1,
        high=300,
        unit="s",
        when=_METER,
        origin=Origin.INFERRED,
    ),
    _dlm.flag(
        "DLMCurrentImbalancePrevention",
        N_("Current Imbalance Prevention"),
        N_("Keeps the currents of the phases similar."),
    ),
    _dlm.integer(
        "DLMCurrentImbalanceLimit",
        N_("Current Imbalance Limit"),
        N_("Largest difference between two phases that charging may cause."),
        default=20,
        low=1,
        high=9999,
        unit="A",
        when=(*_MASTER, Is("DLMCurrentImbalancePrevention", ("on",))),
        origin=Origin.INFERRED,
    ),
    _dlm.integer(
        "DLMMinimumCurrentLimit",
        N_("Minimum Current Limit"),
        N_("A car gets at least this or waits; some cars need 8 A."),
        default=7,
        low=6,
        high=32,
        unit="A",
        when=(AnyOf((*_MEMBER, Is("SingleSupplyLine", ("on",)))),),
    ),
    _dlm.integer(
        "DLMDisconnectedLimit",
        N_("Disconnected Limit"),
        N_("Current of each socket while the master is out of reach."),
        default=7,
        low=0,
        high=32,
        unit="A",
        when=_MEMBER,
        safe=0,
    ),
    _dlm.flag(
        "DLMITNetwork",
        N_("IT Network"),
        N_("Supply without neutral: a car on one phase loads two lines."),
        origin=Origin.INFERRED,
    ),
    _dlm.other(
        SettingKind.ACTION,
        "action.clear_dlm_slaves",
        N_("Clear persistent DLM slave DB"),
        N_("Deletes all slaves, and the current that was reserved for those that are silent."),
        origin=Origin.INFERRED,
    ),
    _dlm.flag(
        "DLMMaxCurrentScheduler",
        N_("Maximum Current Scheduler"),
        N_("Limits the group by time of day."),
        origin=Origin.INFERRED,
    ),
    _dlm.items(
        "DLMMaxCurrentSchedule",
        N_("Maximum Current Scheduler entries"),
        N_("From, to and amperes, for example 07:00;09:30;10,10,10. The lowest one applies."),
        format=Format.TIME_WINDOW,
        unit="A",
        when=(*_MASTER, Is("DLMMaxCurrentScheduler", ("on",))),
        origin=Origin.INFERRED,
    ),
    _dlm.secret(
        "DLMSiteKey",
        N_("DLM site key"),
        N_("Shared secret of the group: copy it from the master to every slave."),
        when=_MEMBER,
        origin=Origin.OURS,
    ),
    _dlm.items(
        "DLMGroups",
        N_("DLM groups (tree of sub-distributions)"),
        N_("Name, parent and amperes, for example hall;;63,63,63. Empty: one flat group."),
        format=Format.GROUP,
        unit="A",
        role=Role.INSTALLER,
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _dlm.text(
        "DLMGroup",
        N_("DLM group of this station"),
        N_("Name of the sub-distribution that feeds it. Empty: the EVSE sub-distribution itself."),
        max_length=40,
        when=_MEMBER,
        role=Role.INSTALLER,
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _dlm.flag(
        "DLMBackendLimitIsGroup",
        N_("Backend's station limit applies to the group"),
        N_("A limit that the backend sets for the whole station limits all stations together."),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _dlm.integer(
        "DLMPriority",
        N_("DLM priority of the socket"),
        N_("Higher numbers are served first when current is short."),
        default=0,
        low=0,
        high=9,
        scope=SettingScope.CONNECTOR,
        when=(),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _dlm.integer(
        "DLMTimeSlice",
        N_("DLM time slice when not all can charge"),
        N_("Cars take turns of this length."),
        default=30,
        low=5,
        high=120,
        unit="min",
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _dlm.flag(
        "DLMStandby",
        N_("DLM standby master"),
        N_("This slave may take over when the master is lost."),
        when=_SLAVE,
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
)

_IN_NETWORK = MeterReachedBy("SecondMeterConfig", (MeterReach.NETWORK,))
_ON_LINE = MeterReachedBy("SecondMeterConfig", (MeterReach.LINE,))
_BY_MODBUS = MeterReachedBy("SecondMeterConfig", (MeterReach.NETWORK, MeterReach.LINE))
_WITH_ADDRESS = MeterReachedBy("SecondMeterConfig", (MeterReach.NETWORK, MeterReach.MULTICAST))

SECOND_METER = (
    _meter.meter(
        "SecondMeterConfig",
        N_("Meter configuration (Second)"),
        SITE_CHOICES,
        N_("Type of the meter at the building's supply."),
        default="siemens_7km2200",
    ),
    _meter.address(
        "SecondMeterIP",
        N_("IP address of second meter"),
        N_("Address of the meter in your network."),
        when=(*_EXTERNAL_METER, _WITH_ADDRESS),
    ),
    _meter.integer(
        "SecondMeterPort",
        N_("Port number of Second Meter"),
        N_("Usually 502."),
        default=502,
        low=1,
        high=65535,
        when=(*_EXTERNAL_METER, _IN_NETWORK),
    ),
    _meter.integer(
        "SecondMeterUnitId",
        N_("Modbus unit id of second meter"),
        N_("Address of the meter on its bus."),
        default=1,
        low=0,
        high=255,
        when=(*_EXTERNAL_METER, _BY_MODBUS),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.text(
        "SecondMeterSerialPort",
        N_("Serial port of second meter"),
        SERIAL_PORT_HELP,
        format=Format.DEVICE,
        max_length=100,
        when=(*_EXTERNAL_METER, _ON_LINE),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.integer(
        "SecondMeterBaudRate",
        N_("Baud rate of second meter"),
        N_("Speed of the serial bus."),
        default=9600,
        low=1200,
        high=115200,
        unit="Bd",
        when=(*_EXTERNAL_METER, _ON_LINE),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
    _meter.choice(
        "SecondMeterParity",
        N_("Parity of second meter"),
        PARITIES,
        N_("As set at the meter; all devices of a bus have the same."),
        when=(*_EXTERNAL_METER, _ON_LINE),
        ocpp=OcppAccess.NONE,
        origin=Origin.OURS,
    ),
)

ENTRIES = LOCAL + ENERGY_MANAGERS + GROUP + SECOND_METER
