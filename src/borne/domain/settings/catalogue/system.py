"""Menu "System" (manual 2, 8, 10)."""

from __future__ import annotations

from borne.domain.principals import Role
from borne.domain.settings.builder import Section
from borne.domain.settings.choices import Language, LogLevel
from borne.domain.settings.entry import (
    Feature,
    Format,
    Has,
    Menu,
    OcppAccess,
    Origin,
    SettingKind,
    SettingScope,
)
from borne.foundation.messages import N_

_general = Section(Menu.SYSTEM, N_("General"), ocpp=OcppAccess.NONE, origin=Origin.OURS)
_password = Section(Menu.SYSTEM, N_("Password"), origin=Origin.VENDOR)
_security = Section(
    Menu.SYSTEM, N_("Security"), role=Role.INSTALLER, ocpp=OcppAccess.NONE, origin=Origin.OURS
)
_privacy = Section(Menu.SYSTEM, N_("Privacy"), ocpp=OcppAccess.NONE, origin=Origin.OURS)
_firmware = Section(Menu.SYSTEM, N_("Firmware Update"))
_stick = Section(Menu.SYSTEM, N_("USB stick"))
_overview = Section(Menu.SYSTEM, N_("Overview"))
_care = Section(Menu.SYSTEM, N_("System Maintenance"))

SETTINGS = (
    _general.choice(
        "WebUILanguage",
        N_("Language of the web interface"),
        {
            Language.EN: "English",
            Language.FR: "Français",
            Language.DE: "Deutsch",
            Language.NL: "Nederlands",
        },
        N_("Language of the pages until a user chooses one."),
        role=Role.USER,
        ocpp=OcppAccess.READ_WRITE,
        origin=Origin.VENDOR,
    ),
    _general.text(
        "TimeZone",
        N_("Time zone"),
        N_("Zone of schedules and of the times on the pages, for example Europe/Brussels."),
        default="UTC",
        format=Format.TIME_ZONE,
        min_length=1,
        max_length=64,
        ocpp=OcppAccess.READ_WRITE,
        origin=Origin.INFERRED,
    ),
    _general.text(
        "StationName",
        N_("Name of the station"),
        N_("Shown at the top of the pages and in mails."),
        default="Station",
        min_length=1,
        max_length=40,
    ),
    _general.text(
        "ConnectorName",
        N_("Name of the socket"),
        N_("Shown beside the number of the socket."),
        max_length=20,
        scope=SettingScope.CONNECTOR,
    ),
    _general.items(
        "NTPServers",
        N_("NTP servers"),
        N_("Time servers; empty uses those of the system."),
        format=Format.HOST,
        max_items=8,
    ),
    _password.flag(
        "EnforcePasswordChange",
        N_("Enforce Password change"),
        N_("The operator must choose a new password at the next login."),
        role=Role.MANUFACTURER,
        ocpp=OcppAccess.READ,
    ),
    _password.flag(
        "EnforceStrongPasswords",
        N_("Enforce strong login passwords"),
        N_("A password needs small and capital letters, a digit and a special character."),
        role=Role.MANUFACTURER,
        ocpp=OcppAccess.READ,
    ),
    _security.flag(
        "WebOnMobileNetwork",
        N_("Web interface reachable over the mobile network"),
        N_("Leave this off unless you need it: anyone in that network can try passwords."),
        when=(Has(Feature.MODEM),),
    ),
    _security.flag(
        "WebOnWLAN",
        N_("Web interface reachable over WLAN"),
        N_("Off closes the pages to the wireless network."),
        default=True,
        when=(Has(Feature.WLAN),),
    ),
    _security.items(
        "WebHostNames",
        N_("Names of the web interface"),
        N_(
            "Names under which browsers may open these pages, in addition to the station's "
            "addresses and the name of its machine: for example that of a proxy in front of it."
        ),
        format=Format.HOST,
        max_items=16,
    ),
    _security.flag(
        "RestStateOpen",
        N_("State for home automation without login"),
        N_(
            "Anyone in the network may read /rest/full_state: whether a car charges, power and "
            "energy, no card numbers. If off, it needs a login or an API token."
        ),
    ),
    _privacy.integer(
        "SessionRetentionDays",
        N_("Keep charging sessions for"),
        N_("Older sessions are deleted."),
        default=730,
        low=1,
        high=3650,
        also={0: N_("without limit")},
        unit="day",
    ),
    _stick.flag(
        "USBFirmwareUpdate",
        N_("USB stick firmware update"),
        N_("Firmware may come from a stick."),
        default=True,
    ),
    _stick.flag(
        "USBConfiguration",
        N_("USB stick configuration"),
        N_("Settings may come from a stick."),
        default=True,
        origin=Origin.VENDOR,
    ),
    _stick.flag(
        "USBFieldEngineer",
        N_("USB stick log and configuration export"),
        N_("Logs and settings may be copied to a stick."),
        default=True,
        origin=Origin.INFERRED,
    ),
    _care.choice(
        "LogLevel",
        N_("Log level"),
        {
            LogLevel.ERROR: N_("Error"),
            LogLevel.WARNING: N_("Warning"),
            LogLevel.INFO: N_("Info"),
            LogLevel.DEBUG: N_("Debug"),
        },
        N_("How much the station writes into its log."),
        default=LogLevel.INFO,
        origin=Origin.INFERRED,
    ),
)

ACCOUNTS = (
    _password.other(
        SettingKind.ACCOUNT,
        "OperatorPassword",
        N_("Operator password (current, new, confirm)"),
        N_("Change it here; the first login asks for a new one."),
        origin=Origin.MANUAL,
    ),
    _password.other(
        SettingKind.ACCOUNT,
        "UserPassword",
        N_("User password"),
        N_("Not set at first."),
        role=Role.USER,
    ),
    _password.other(
        SettingKind.ACCOUNT,
        "InstallerPassword",
        N_("Installer password"),
        N_("Not set at first."),
        role=Role.INSTALLER,
    ),
    _password.other(
        SettingKind.ACCOUNT,
        "ManufacturerPassword",
        N_("Manufacturer password"),
        N_("Not set at first."),
        role=Role.MANUFACTURER,
    ),
    _password.other(
        SettingKind.ACCOUNT,
        "PUK",
        N_("PUK"),
        N_("Code that resets a lost operator password."),
        role=Role.MANUFACTURER,
    ),
)

ACTIONS = (
    _firmware.other(
        SettingKind.ACTION,
        "action.firmware_update",
        N_("Firmware update (.deb upload)"),
        N_("Checks and installs a package; up to 15 minutes."),
        restart=True,
    ),
    _overview.other(
        SettingKind.ACTION,
        "action.download_logs",
        N_("Download log files"),
        N_("Everything that support needs, without secrets, as a ZIP file."),
    ),
    _overview.other(
        SettingKind.ACTION,
        "action.system_logs",
        N_("System logs / state page"),
        N_("The log, live."),
    ),
    _care.other(
        SettingKind.ACTION,
        "action.restart",
        N_("Restart"),
        N_("Now, or when no car charges."),
    ),
    _care.other(
        SettingKind.ACTION,
        "action.operator_default",
        N_("Operator Default & Restart"),
        N_("Resets the operator's settings to the values that the manufacturer froze."),
        restart=True,
    ),
    _care.other(
        SettingKind.ACTION,
        "action.delete_private_data",
        N_("Delete private data"),
        N_("Deletes sessions, lists and logs with personal data."),
        origin=Origin.VENDOR,
    ),
    _care.other(
        SettingKind.ACTION,
        "action.backup",
        N_("Backup / restore configuration"),
        N_("Save all settings as a file, or restore them."),
        restart=True,
        origin=Origin.VENDOR,
    ),
    _care.other(
        SettingKind.ACTION,
        "action.factory_reset",
        N_("Factory reset"),
        N_("Resets everything to the state of delivery."),
        role=Role.MANUFACTURER,
        restart=True,
    ),
    _care.other(
        SettingKind.ACTION,
        "action.freeze_operator_defaults",
        N_("Freeze current values as operator defaults"),
        N_("Values that the operator default restores from now on."),
        role=Role.MANUFACTURER,
        restart=True,
        origin=Origin.VENDOR,
    ),
)

ENTRIES = SETTINGS + ACCOUNTS + ACTIONS
