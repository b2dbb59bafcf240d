"""Menu "Backend" without the standard OCPP keys (manual 1.3, 4)."""

from __future__ import annotations

from borne.domain.settings.builder import Section
from borne.domain.settings.choices import (
    ConnectionType,
    MailEncryption,
    OcppMode,
    PublicAddress,
    ServerTls,
    StatusStrategy,
    TlsStrictness,
)
from borne.domain.settings.entry import Format, Is, IsNot, Menu, OcppAccess, Origin, SettingKind
from borne.foundation.messages import N_

_BACKEND = (IsNot("ConnectionType", "no_backend"),)
_SOAP = (*_BACKEND, Is("OCPPMode", ("soap_1_5", "soap_1_6")))
_JSON = (*_BACKEND, Is("OCPPMode", ("json_1_6",)))
_MAIL = (Is("EmailSendEmailNotification", ("on",)),)

_connection = Section(Menu.BACKEND, N_("Connection"), restart=True, origin=Origin.INFERRED)
_ocpp = Section(Menu.BACKEND, N_("OCPP"), restart=True, when=_BACKEND)
_general = Section(Menu.BACKEND, N_("General"), when=_BACKEND)
_mail = Section(Menu.BACKEND, N_("Email notification"), restart=True, when=_MAIL)

_STRICTNESS = {
    TlsStrictness.ENCRYPT_ONLY: N_("Encrypt only - No authentication"),
    TlsStrictness.EXPIRED_AND_ANY_HOST: N_("Allow expired certificate and skip host check"),
    TlsStrictness.ANY_HOST: N_("Skip host check"),
    TlsStrictness.EXPIRED: N_("Allow expired certificate"),
    TlsStrictness.NORMAL: N_("Normal SSL Auth"),
}

ENTRIES = (
    _connection.choice(
        "ConnectionType",
        N_("Connection Type"),
        {
            ConnectionType.NO_BACKEND: N_("No Backend"),
            ConnectionType.GSM: N_("GSM"),
            ConnectionType.ETHERNET: N_("Ethernet"),
            ConnectionType.WLAN: N_("WLAN"),
            ConnectionType.USB: N_("USB"),
        },
        N_(
            "Network interface to the backend. Without backend the station decides everything "
            "by itself."
        ),
    ),
    _ocpp.text(
        "ChargePointID",
        N_("OCPP ChargeBoxIdentity (ChargePointID)"),
        N_("Name by which the backend knows this station; it must be entered there too."),
        format=Format.IDENTITY,
        min_length=1,
        max_length=50,
        instead_of=N_("set by the manufacturer"),
    ),
    _ocpp.choice(
        "OCPPMode",
        N_("OCPP Mode"),
        {
            OcppMode.SOAP_1_5: N_("OCPP-S 1.5"),
            OcppMode.SOAP_1_6: N_("OCPP-S 1.6"),
            OcppMode.JSON_1_6: N_("OCPP-J 1.6"),
        },
        N_("Protocol of the backend; nearly all use OCPP-J 1.6 today."),
        default=OcppMode.JSON_1_6,
    ),
    _ocpp.text(
        "SOAPBackendURL",
        N_("SOAP OCPP URL of Backend (Standard OCPP)"),
        N_("Address of the backend, beginning with http:// or https://."),
        format=Format.HTTP_URL,
        when=_SOAP,
        max_length=512,
    ),
    _ocpp.choice(
        "SSLModeServer",
        N_("SSL mode as server"),
        {
            ServerTls.ENCRYPT_ONLY: N_("Encrypt only - No authentication"),
            ServerTls.EXPIRED_AND_ANY_HOST: N_("Allow expired certificate and skip host check"),
            ServerTls.ANY_HOST: N_("Skip host check"),
            ServerTls.EXPIRED: N_("Allow expired certificate"),
            ServerTls.NORMAL: N_("Normal SSL Auth"),
            ServerTls.PLAIN: N_("No SSL, Plain HTTP"),
        },
        N_("How the backend's certificate is checked when it calls the station."),
        default=ServerTls.PLAIN,
        ocpp=OcppAccess.READ,
        when=_SOAP,
    ),
    _ocpp.integer(
        "SOAPServerPort",
        N_("SOAP OCPP Server Port of ChargePoint (Standard OCPP)"),
        N_("Port on which the station accepts calls from the backend."),
        default=8090,
        low=1,
        high=65535,
        when=_SOAP,
    ),
    _ocpp.items(
        "SOAPBackendWhitelist",
        N_("Backend Whitelist (SOAP)"),
        N_("Addresses that may call the station; empty: only those of the backend's own name."),
        format=Format.IP,
        ocpp=OcppAccess.READ,
        when=_SOAP,
        origin=Origin.INFERRED,
    ),
    _ocpp.choice(
        "PublicAddressMode",
        N_("Mode for selecting the public address of the ChargePoint"),
        {
            PublicAddress.LOCAL: N_("Local device"),
            PublicAddress.MANUAL: N_("Manual select"),
            PublicAddress.AUTO: N_("Auto select"),
            PublicAddress.TELTONIKA: N_("Teltonika RUTXXX"),
        },
        N_("Where the address that the backend shall call comes from."),
        when=_SOAP,
    ),
    _ocpp.text(
        "PublicAddress",
        N_("Public address of the ChargePoint"),
        N_("Host name or address that the backend shall call."),
        format=Format.HOST,
        when=(*_SOAP, Is("PublicAddressMode", ("manual",))),
    ),
    _ocpp.secret(
        "WANRouterPassword",
        N_("WAN router password"),
        N_("Password of the router that is asked for its public address."),
        when=(*_SOAP, Is("PublicAddressMode", ("teltonika",))),
    ),
    _ocpp.text(
        "WebSocketsBackendURL",
        N_("WebSockets JSON OCPP URL of the Backend"),
        N_("Address of the backend, beginning with wss:// or ws://; the identity is added to it."),
        format=Format.WEB_SOCKET_URL,
        when=_JSON,
        max_length=512,
    ),
    _ocpp.text(
        "WebSocketsProxy",
        N_("Websockets proxy"),
        N_("HTTP proxy on the way to the backend, as host:port."),
        format=Format.HOST_PORT,
        when=_JSON,
    ),
    _ocpp.integer(
        "WebSocketPingInterval",
        N_("WebSockets keep-alive interval"),
        N_("How often the link is probed; routers cut silent links."),
        default=60,
        low=1,
        high=86400,
        also={0: N_("off")},
        unit="s",
        when=_JSON,
        origin=Origin.OCPP,
        instead_of="0",
        restart=False,
    ),
    _ocpp.secret_key(
        "AuthorizationKey",
        N_("HTTP Basic Authentication password"),
        N_("Password of the station at the backend, 16 characters or more."),
        ocpp=OcppAccess.WRITE,
        when=_JSON,
        min_length=16,
        max_length=64,
        origin=Origin.OCPP,
        restart=False,
    ),
    _ocpp.flag(
        "ForceHeartbeat",
        N_("Force Heartbeat request messages"),
        N_("Send heartbeats even while other messages show that the link works."),
        default=True,
        restart=False,
        origin=Origin.INFERRED,
    ),
    _ocpp.flag(
        "SendInformativeStatusNotifications",
        N_("Send informative StatusNotifications"),
        N_("Also report what is not an error, such as the temperature of the controller."),
        default=True,
        restart=False,
    ),
    _ocpp.flag(
        "SendErrorStatusNotifications",
        N_("Send error StatusNotifications"),
        N_("Report errors to the backend; changes of the status itself are always reported."),
        default=True,
        restart=False,
    ),
    _ocpp.flag(
        "SendUSBErrorStatusNotifications",
        N_("Send USB error StatusNotifications"),
        N_("Report to the backend when the two controllers of the station lose their connection."),
        restart=False,
        when=(IsNot("MasterSlaveMode", "off"),),
    ),
    _ocpp.choice(
        "StatusNotificationStrategy",
        N_("Strategy for StatusNotification state transitions"),
        {
            StatusStrategy.ON_CHARGING: N_("Occupied on Charging"),
            StatusStrategy.ON_AUTHORIZED_OR_PLUGGED: N_("Occupied on Authorized/Plugged"),
        },
        N_("A socket counts as occupied with cable and card, or already with one of them."),
        restart=False,
    ),
    _ocpp.flag(
        "PreparingUntilStateC",
        N_("Preparing until state C (OCPP 1.6)"),
        N_("On: reported as preparing until the car asks for current; off: charging once started."),
        restart=False,
        when=(*_BACKEND, Is("OCPPMode", ("json_1_6", "soap_1_6"))),
    ),
    _ocpp.flag(
        "AllowLongGetConfigurationKeys",
        N_("Allow long get configuration keys"),
        N_("Off cuts answers at 500 characters, as the standard says; on sends all."),
        restart=False,
        origin=Origin.INFERRED,
    ),
    _general.flag(
        "RestartTransactionAfterPowerLoss",
        N_("Restart transaction after power loss"),
        N_("Continues an interrupted session, with the same card, when power is back."),
        default=True,
        when=(),
    ),
    _general.integer(
        "BackendConnectionTimeout",
        N_("Backend connection timeout"),
        N_("How long the station waits for an answer before it tries again."),
        default=60,
        low=1,
        high=3600,
        unit="s",
        restart=True,
    ),
    _general.choice(
        "SSLStrictnessClient",
        N_("SSL strictness as client"),
        _STRICTNESS,
        N_("How the backend's certificate is checked; anything below normal weakens the link."),
        default=TlsStrictness.NORMAL,
        ocpp=OcppAccess.READ,
        restart=True,
        origin=Origin.INFERRED,
        instead_of=N_("not stated"),
    ),
    _general.integer(
        "TCPWatchdogTimeout",
        N_("TCP Watchdog timeout"),
        N_("The station restarts itself after this time without backend."),
        default=10800,
        low=1,
        high=604800,
        also={0: N_("off")},
        unit="s",
    ),
    _general.flag(
        "ShowBackendDisconnectAsError",
        N_("Show backend disconnect as error"),
        N_("The lights also show that the backend is out of reach."),
    ),
    _general.flag(
        "SendAuthorizeForStop",
        N_("Send Authorize for Stop"),
        N_("Asks the backend before another card may end a running session."),
        default=True,
        instead_of="off",
        origin=Origin.INFERRED,
    ),
    _mail.flag(
        "EmailSendEmailNotification",
        N_("Send email notification"),
        N_("Sends a mail when an error appears and when it is gone."),
        when=(),
    ),
    _mail.text("EmailSmtpServer", N_("SMTP server"), N_("Your mail server."), format=Format.HOST),
    _mail.integer(
        "EmailSmtpPort",
        N_("SMTP port"),
        N_("Usually 587, or 465 with TLS."),
        default=587,
        low=1,
        high=65535,
    ),
    _mail.choice(
        "EmailSmtpEncryption",
        N_("SMTP encryption"),
        {
            MailEncryption.NONE: N_("None"),
            MailEncryption.STARTTLS: N_("STARTTLS"),
            MailEncryption.TLS: N_("TLS"),
        },
        N_("Encryption of the connection to the mail server."),
        default=MailEncryption.STARTTLS,
        origin=Origin.INFERRED,
    ),
    _mail.text("EmailSmtpUsername", N_("SMTP username"), N_("Account at the mail server.")),
    _mail.secret("EmailSmtpPassword", N_("SMTP password"), N_("Password of that account.")),
    _mail.text(
        "EmailSenderEmailAddress",
        N_("Sender email address"),
        N_("The mails come from this address."),
        format=Format.EMAIL,
        origin=Origin.INFERRED,
    ),
    _mail.text(
        "EmailRecipientEmailAddress",
        N_("Recipient email address"),
        N_("The mails go to this address."),
        format=Format.EMAIL,
    ),
    _mail.text(
        "EmailChargingStationLocation",
        N_("Charging station location"),
        N_("Written into the mail, so that the reader knows which station it is."),
    ),
    _mail.other(
        SettingKind.ACTION,
        "EmailTestEmail",
        N_("Test email"),
        N_("Sends a mail with the values that are in force since the last restart."),
    ),
)
