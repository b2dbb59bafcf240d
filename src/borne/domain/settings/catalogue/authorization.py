"""Menus "Authorization" and "Whitelists" (manual 5, 7.3)."""

from __future__ import annotations

from borne.domain.principals import Role
from borne.domain.settings.builder import Section
from borne.domain.settings.choices import (
    CacheExpiry,
    DisplayLanguage,
    FreeChargingMode,
    HighLevelCommunication,
    IfInDoubt,
    LetterCase,
    OffOn,
)
from borne.domain.settings.entry import (
    Feature,
    Format,
    Has,
    Is,
    IsNot,
    Menu,
    OcppAccess,
    Origin,
    SettingKind,
    SettingScope,
)
from borne.domain.station.modes import StopMode
from borne.foundation.messages import N_

_free = Section(Menu.AUTHORIZATION, N_("Free Charging"))
_general = Section(Menu.AUTHORIZATION, N_("General"))
_rfid = Section(Menu.AUTHORIZATION, N_("RFID Settings"), when=(Is("RFIDEnable", ("on",)),))
_lists = Section(Menu.AUTHORIZATION, N_("RFID Whitelists"), origin=Origin.OCPP)
_hlc = Section(Menu.AUTHORIZATION, N_("HLC 15118"), when=(Has(Feature.PLC),))
_local = Section(Menu.WHITELISTS, N_("Local Whitelists"), when=(Is("FLLEnable", ("on",)),))
_cache = Section(
    Menu.WHITELISTS, N_("OCPP Whitelist"), when=(Is("AuthorizationCacheEnabled", ("on",)),)
)

_HLC_ON = (Has(Feature.PLC), IsNot("HLC15118Mode", "off"))

ENTRIES = (
    _free.flag(
        "FreeCharging",
        N_("Free Charging"),
        N_("Anyone may charge; neither cards nor backend are checked."),
        origin=Origin.VENDOR,
    ),
    _free.choice(
        "FreeChargingMode",
        N_("Free Charging Mode"),
        {
            FreeChargingMode.NO_OCPP: N_("No OCPP"),
            FreeChargingMode.STATUS_WITHOUT_AUTH: N_("With OCPP status notif without auth"),
            FreeChargingMode.STATUS_WITH_AUTH: N_("With OCPP status notif with auth"),
            FreeChargingMode.FULL_FIXED_WITH_AUTH: N_("With OCPP Full fixed RFID with auth"),
            FreeChargingMode.FULL_FIXED_WITHOUT_AUTH: N_("With OCPP Full fixed RFID without auth"),
            FreeChargingMode.FULL_ANY_RFID: N_("With OCPP Full any RFID"),
        },
        N_(
            "What is reported to the backend about free sessions, and whether a card must be shown."
        ),
        first=1,
        when=(Is("FreeCharging", ("on",)),),
    ),
    _free.text(
        "FreeChargingRfidTag",
        N_("RFID Tag for Free Charging with OCPP Full, fixed rfid modes"),
        N_("Card number that the backend sees in the modes with a fixed card."),
        default="freecharging",
        format=Format.PRINTABLE_ASCII,
        min_length=1,
        max_length=20,
        when=(
            Is("FreeCharging", ("on",)),
            Is("FreeChargingMode", ("full_fixed_with_auth", "full_fixed_without_auth")),
        ),
        origin=Origin.INFERRED,
    ),
    _free.choice(
        "IfInDoubtAllowCharging",
        N_("If in doubt allow charging"),
        {
            IfInDoubt.OFF: N_("Off"),
            IfInDoubt.ON: N_("On"),
            IfInDoubt.IMMEDIATELY: N_("Immediately when plugged"),
        },
        N_(
            "Whether an unknown card may charge while the backend cannot answer. Unpaid energy "
            "is possible."
        ),
        when=(Is("FreeCharging", ("off",)),),
    ),
    _general.integer(
        "ConnectionTimeOut",
        N_("Vehicle connection timeout"),
        N_("Time to plug in after the card was accepted."),
        default=45,
        low=1,
        high=3600,
        unit="s",
        origin=Origin.OCPP,
    ),
    _general.flag(
        "AuthorizeRemoteTxRequests",
        N_("Send Authorize for RemoteStart"),
        N_("Also asks the backend about the card of a remote start."),
        default=True,
        when=(IsNot("ConnectionType", "no_backend"),),
        origin=Origin.OCPP,
    ),
    _general.choice(
        "StopTransactionMode",
        N_("Stop Transaction Mode"),
        {
            StopMode.NORMAL: N_("Normal"),
            StopMode.ONLY_DISCONNECT: N_("Only stop by disconnect"),
            StopMode.ONLY_RFID_REMOTE: N_("Only by RFID/RemoteStop"),
            StopMode.NORMAL_MODE_D_RCD: N_("Normal + Mode D + RCD detected"),
        },
        N_("What ends a session: unplugging at the car, the card, or only one of them."),
    ),
    _general.flag(
        "LockActuatorOnlyIfAuthorized",
        N_("Lock Actuator only if authorized"),
        N_("Off locks the plug as soon as it is plugged in; on waits for the card."),
        when=(Has(Feature.ACTUATOR),),
    ),
    _rfid.choice(
        "RFIDTagLetterCase",
        N_("RFID Tag letter case"),
        {
            LetterCase.LOWER: N_("Lower Case"),
            LetterCase.UPPER: N_("Upper Case"),
            LetterCase.LOWER_INVERTED: N_("Lower Case Inverted Byte Order"),
            LetterCase.UPPER_INVERTED: N_("Upper Case Inverted Byte Order"),
        },
        N_("How card numbers are written in lists and messages; some backends insist on one."),
    ),
    _rfid.flag(
        "EnforceMasterRFID",
        N_("Enforce Master RFID"),
        N_("A master card must be known; it resets forgotten passwords."),
        origin=Origin.INFERRED,
    ),
    _rfid.text(
        "MasterRFID",
        N_("Master RFID"),
        N_("Number of the master card."),
        format=Format.CARD,
        ocpp=OcppAccess.NONE,
        max_length=20,
        when=(),
        origin=Origin.VENDOR,
    ),
    _rfid.flag(
        "EnforceSecureRFID",
        N_("Enforce using Secure RFID"),
        N_("Only cards protected against copying are read."),
        origin=Origin.INFERRED,
    ),
    _rfid.choice(
        "DisplayLanguage",
        N_("Language of Display"),
        {
            DisplayLanguage.MULTI: N_("Multi-Language EN-DE-FR-NL"),
            DisplayLanguage.ENGLISH: N_("English"),
            DisplayLanguage.GERMAN: N_("German"),
            DisplayLanguage.FRENCH: N_("French"),
            DisplayLanguage.DUTCH: N_("Dutch"),
            DisplayLanguage.ITALIAN: N_("Italian"),
            DisplayLanguage.SPANISH: N_("Spanish"),
            DisplayLanguage.FINNISH: N_("Finnish"),
            DisplayLanguage.SWEDISH: N_("Swedish"),
            DisplayLanguage.NORWEGIAN: N_("Norwegian"),
            DisplayLanguage.DANISH: N_("Danish"),
        },
        N_("Language of the two-line display; the first shows four in turn."),
        when=(),
        origin=Origin.INFERRED,
    ),
    _lists.flag(
        "FLLEnable",
        N_("Enable local whitelist"),
        N_("Cards on the list of the station may always charge."),
        origin=Origin.MANUAL,
    ),
    _lists.flag(
        "AuthorizationCacheEnabled",
        N_("Enable OCPP whitelist"),
        N_("Stores the backend's answers about cards."),
        default=True,
    ),
    _lists.choice(
        "CacheExpiryMode",
        N_("OCPP whitelist expiry mode"),
        {
            CacheExpiry.END_2038: N_("End of epoch 2038 (default)"),
            CacheExpiry.ONE_YEAR: N_("In one year"),
        },
        N_("How long an answer without expiry date is valid."),
        when=(Is("AuthorizationCacheEnabled", ("on",)),),
        origin=Origin.MANUAL,
    ),
    _lists.flag(
        "LocalPreAuthorize",
        N_("Local Pre Authorize"),
        N_("Starts at once with a card known to the station and asks the backend meanwhile."),
        default=True,
    ),
    _lists.flag(
        "LocalAuthorizeOffline",
        N_("Local Authorize Offline"),
        N_("Known cards may charge while the backend is out of reach."),
        default=True,
    ),
    _hlc.choice(
        "HLC15118Mode",
        N_("HLC 15118 Configuration"),
        {
            HighLevelCommunication.OFF: N_("Off"),
            HighLevelCommunication.ENCOURAGE: N_("On (Encourage)"),
            HighLevelCommunication.OFFER: N_("On (Offer)"),
            HighLevelCommunication.FORCE: N_("On (Force)"),
            HighLevelCommunication.ED2: N_("On (Ed2)"),
        },
        N_("Digital communication with the car. Encourage and Force are for old cars only."),
        scope=SettingScope.CONNECTOR,
        restart=True,
    ),
    _hlc.choice(
        "Autocharge",
        N_("Autocharge"),
        {OffOn.OFF: N_("Off"), OffOn.ON: N_("On")},
        N_("The car's own address replaces the card."),
        when=_HLC_ON,
        origin=Origin.INFERRED,
    ),
    _hlc.flag(
        "ISO15118PnCEnabled",
        N_("ISO 15118 Plug & Charge"),
        N_("The car's contract certificate replaces the card."),
        when=_HLC_ON,
        restart=True,
        origin=Origin.INFERRED,
    ),
    _local.other(
        SettingKind.LIST,
        "FLLEntries",
        N_("Local whitelist entries"),
        N_("Cards and cars that may always charge, for one socket or both."),
    ),
    _local.other(
        SettingKind.ACTION,
        "action.teach_in",
        N_("Add entry"),
        N_("Every card shown and every car plugged is added until you finish."),
    ),
    _local.flag(
        "FLLFillMode",
        N_("Local whitelist learning mode"),
        N_("The teach-in as a switch, for scripts and backends."),
        origin=Origin.VENDOR,
    ),
    _local.other(
        SettingKind.ACTION,
        "action.whitelist_tools",
        N_("Import list / Export list / Delete whole list / Search for Id"),
        N_("Work with the whole list."),
    ),
    _cache.other(
        SettingKind.LIST,
        "CacheEntries",
        N_("OCPP whitelist entries"),
        N_("The backend's answers about cards, with their expiry."),
        role=Role.OPERATOR,
    ),
)
