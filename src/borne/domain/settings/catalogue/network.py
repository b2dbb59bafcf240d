"""Menu "Network" (manual 1.4, 2, 3, 4)."""

from __future__ import annotations

from borne.domain.settings.builder import Section
from borne.domain.settings.choices import (
    EthernetMode,
    ModemAccess,
    NetworkSelection,
    OperatorNameFormat,
    WlanMode,
)
from borne.domain.settings.entry import Feature, Format, Has, Is, Menu, Origin, SettingKind
from borne.foundation.messages import N_

_gsm = Section(Menu.NETWORK, N_("GSM"), when=(Has(Feature.MODEM),), restart=True)
_lan = Section(Menu.NETWORK, N_("LAN"), restart=True)
_usb = Section(
    Menu.NETWORK, N_("USB"), when=(Has(Feature.USB_NETWORK),), restart=True, origin=Origin.INFERRED
)
_wlan = Section(
    Menu.NETWORK, N_("WLAN"), when=(Has(Feature.WLAN),), restart=True, origin=Origin.VENDOR
)

_WLAN_ON = (Has(Feature.WLAN), Is("WLANEnabled", ("on",)))
_DHCP = (Is("EthernetConfigMode", ("auto",)),)
_STATIC = (Is("EthernetConfigMode", ("manual",)),)

ENTRIES = (
    _gsm.other(
        SettingKind.UI,
        "ui.show_modem",
        N_("Show Modem Configuration"),
        N_("Unfolds the block of the mobile modem."),
        restart=False,
    ),
    _gsm.text(
        "APN",
        N_("Access Point Name (APN)"),
        N_("Access point of the SIM card; the provider of the backend or of the card names it."),
        max_length=100,
    ),
    _gsm.text("APNUsername", N_("APN Username"), N_("Only if the provider gives one.")),
    _gsm.secret("APNPassword", N_("APN Password"), N_("Only if the provider gives one.")),
    _gsm.secret(
        "SIMPin",
        N_("SIM PIN"),
        N_("Four to eight digits; sent only when the card asks for them."),
        format=Format.PIN,
        max_length=8,
    ),
    _gsm.choice(
        "NetworkSelectionMode",
        N_("Network selection mode"),
        {
            NetworkSelection.AUTO: N_("Auto"),
            NetworkSelection.MANUAL: N_("Manual"),
            NetworkSelection.MANUAL_AUTO: N_("Manual/Auto"),
        },
        N_("How the mobile operator is chosen. Manual/Auto tries yours first, then any."),
    ),
    _gsm.choice(
        "ModemAccessTechnology",
        N_("Modem Access Technology"),
        {
            ModemAccess.AUTO: N_("Auto"),
            ModemAccess.GSM: N_("2G (GSM)"),
            ModemAccess.UTRAN: N_("3G (UTRAN)"),
            ModemAccess.LTE: N_("4G (LTE)"),
        },
        N_("Pin the modem to one radio technology where the automatic choice is unstable."),
    ),
    _gsm.flag(
        "ScanNetworkOperatorsAtBoot",
        N_("Scan network operators at boot"),
        N_("Looks once for operators at the next start, then turns itself off again."),
    ),
    _gsm.other(
        SettingKind.READING,
        "AvailableNetworkOperators",
        N_("Available network operators"),
        N_("What the last scan found."),
        restart=False,
        when=(),
    ),
    _gsm.text(
        "RequestedNetworkOperator",
        N_("Requested Network operator"),
        N_("Operator for the manual selection, spelled in the format below."),
        max_length=32,
    ),
    _gsm.choice(
        "NetworkOperatorNameFormat",
        N_("Network operator name format"),
        {
            OperatorNameFormat.LONG: N_("Alphanumeric Long"),
            OperatorNameFormat.SHORT: N_("Alphanumeric Short"),
            OperatorNameFormat.NUMERIC: N_("Numeric"),
        },
        N_("How the requested operator is spelled: up to 16 letters, up to 8, or its number."),
        default=OperatorNameFormat.SHORT,
        origin=Origin.INFERRED,
    ),
    _gsm.flag(
        "WANRouter",
        N_("WAN router"),
        N_("Lets the other stations reach the internet through this modem."),
    ),
    _gsm.integer(
        "MTU",
        N_("MTU"),
        N_("Largest packet on the mobile link; empty lets the modem decide."),
        low=576,
        high=1500,
        unit="byte",
        origin=Origin.INFERRED,
    ),
    _lan.other(
        SettingKind.UI,
        "ui.show_lan",
        N_("Show LAN Configuration"),
        N_("Unfolds the block of the Ethernet port."),
        restart=False,
    ),
    _lan.choice(
        "EthernetConfigMode",
        N_("Mode for Ethernet configuration"),
        {
            EthernetMode.AUTO: N_("Auto (DHCP client)"),
            EthernetMode.MANUAL: N_("Manual config"),
            EthernetMode.DHCP_SERVER: N_("DHCP server"),
        },
        N_(
            "Get an address, use a fixed one, or assign addresses to others (172.16.23.1, pool "
            ".100 to .254)."
        ),
    ),
    _lan.text(
        "DHCPClientHostname",
        N_("DHCP client hostname"),
        N_("Name that the station sends when it requests its address."),
        when=_DHCP,
        format=Format.NETWORK_NAME,
        max_length=63,
    ),
    _lan.integer(
        "DHCPClientRetries",
        N_("DHCP client request retries"),
        N_("Attempts before a pause."),
        default=5,
        low=0,
        high=100,
        when=_DHCP,
        origin=Origin.INFERRED,
    ),
    _lan.integer(
        "DHCPClientTimeout",
        N_("DHCP client request timeout"),
        N_("How long one attempt waits for an answer."),
        default=10,
        low=1,
        high=600,
        unit="s",
        when=_DHCP,
        origin=Origin.INFERRED,
    ),
    _lan.integer(
        "DHCPClientDelay",
        N_("DHCP client request delay"),
        N_("Pause before the next series of attempts."),
        default=10,
        low=0,
        high=600,
        unit="s",
        when=_DHCP,
        origin=Origin.INFERRED,
    ),
    _lan.address(
        "StaticIP",
        N_("Static network configuration IP"),
        N_("Fixed address of the station in your network."),
        default="192.168.1.100",
        when=_STATIC,
        origin=Origin.INFERRED,
    ),
    _lan.address(
        "StaticNetmask",
        N_("Static network configuration netmask"),
        N_("Size of your network, for example 255.255.255.0."),
        default="255.255.255.0",
        format=Format.NETMASK,
        when=_STATIC,
    ),
    _lan.address(
        "StaticGateway",
        N_("Static network configuration gateway"),
        N_("Router of your network; it must lie in the same network as the fixed address."),
        when=_STATIC,
    ),
    _lan.address(
        "StaticDNS",
        N_("Static network configuration DNS"),
        N_("Name server; often the router."),
        when=_STATIC,
    ),
    _usb.other(
        SettingKind.UI,
        "ui.show_usb",
        N_("Show USB Configuration"),
        N_("Unfolds the block of the USB network."),
        restart=False,
        when=(),
        origin=Origin.MANUAL,
    ),
    _usb.address(
        "USBAdditionalIP",
        N_("USB Additional static IP"),
        N_("Second address on the USB network, in addition to 192.168.123.123."),
    ),
    _usb.address(
        "USBAdditionalNetmask",
        N_("USB Additional netmask"),
        N_("Netmask of the second USB address."),
        format=Format.NETMASK,
    ),
    _usb.address(
        "USBAdditionalGateway",
        N_("USB Additional fixed Gateway"),
        N_("Router behind the USB network."),
        origin=Origin.VENDOR,
    ),
    _wlan.flag(
        "WLANEnabled",
        N_("WLAN enabled"),
        N_("Turns the wireless interface on."),
        origin=Origin.MANUAL,
    ),
    _wlan.text(
        "WLANSSID",
        N_("WLAN SSID"),
        N_("Name of the wireless network."),
        when=_WLAN_ON,
        max_length=32,
    ),
    _wlan.secret(
        "WLANPassword",
        N_("WLAN password"),
        N_("Key of the wireless network."),
        when=_WLAN_ON,
        max_length=64,
    ),
    _wlan.choice(
        "WLANConfigMode",
        N_("WLAN network configuration mode"),
        {WlanMode.AUTO: N_("Auto (DHCP client)"), WlanMode.MANUAL: N_("Manual config")},
        N_("Where the wireless address comes from."),
        when=_WLAN_ON,
        origin=Origin.INFERRED,
    ),
    _wlan.flag(
        "WLANHotspot",
        N_("Wifi Configuration Hotspot"),
        N_("Opens a wireless network of the station's own, for its set-up only."),
    ),
)
