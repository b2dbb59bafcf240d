"""Formats of texts and list items; each check returns the canonical form or raises Malformed.

Sources: RFC 1123 (host names), RFC 6455 (web socket URLs), OCPP 1.6 7.31 (measurands).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from borne.domain.settings.entry import Amps, Format
from borne.domain.station import measurands
from borne.foundation.messages import N_, Message


class Malformed(ValueError):
    """The text is invalid; `message` says what to enter."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def refuse(template: str, **values: object) -> Malformed:
    """A Malformed error from a message template."""
    return Malformed(Message(template, values))


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=:+|@.]+", re.ASCII)
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@([^@\s]{1,255})")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}", re.ASCII)
_DEVICE = re.compile(r"/dev/[A-Za-z0-9._:\-/]+", re.ASCII)
_GATEWAY = re.compile(r"(rtu|tcp)://(.+)", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._\-]+", re.ASCII)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)([^#]*)", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)


def _free(text: str) -> str:
    if not all(character.isprintable() for character in text):
        raise refuse(N_("Use one line of printable characters."))
    return text


def _ascii(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise refuse(N_("Use plain letters, digits and signs only (ASCII)."))
    return text


def _identity(text: str) -> str:
    if not _IDENTITY.fullmatch(text):
        raise refuse(N_("Use letters, digits and * - _ = : + | @ . only."))
    return text


def _is_host(text: str) -> bool:
    if len(text) > 253 or not _HOST.fullmatch(text):
        return False
    if text.replace(".", "").isdigit():
        return _is_ip(text)
    return True


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if not (_is_host(text) or _is_ip(bare)):
        raise refuse(N_("Enter a host name or an address, for example backend.example.com."))
    return text


def _port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535


def split_host_port(text: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[v6]:port"; raises Malformed."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    good_host = _is_ip(host[1:-1]) if bracketed else _is_host(host)
    if not (colon and good_host and _port(port)):
        raise refuse(N_("Enter host and port, for example 192.168.1.10:8080."))
    return (host[1:-1] if bracketed else host), int(port)


def _host_port(text: str) -> str:
    split_host_port(text)
    return text


def _network_name(text: str) -> str:
    if len(text) > 63 or not re.fullmatch(_LABEL, text, re.ASCII):
        raise refuse(N_("Use letters, digits and hyphens only, at most 63."))
    return text


def _url(text: str, schemes: tuple[str, ...], example: str) -> str:
    wanted = N_("Begin with {schemes}, for example {example}.")
    values = {"schemes": " / ".join(f"{scheme}://" for scheme in schemes), "example": example}
    match = _URL.fullmatch(text)
    if not match or match[1].lower() not in schemes or not text.isascii():
        raise refuse(wanted, **values)
    if any(character <= " " for character in text):
        raise refuse(N_("An address must not contain spaces."))
    _user, at, place = match[2].rpartition("@")
    if at:
        raise refuse(
            N_("Leave user and password out of the address; they have fields of their own.")
        )
    host, colon, port = place.rpartition(":")
    if place.endswith("]") or not colon:
        host, port = place, "1"
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _port(port) or not (_is_host(host) or (bare != host and _is_ip(bare))):
        raise refuse(N_("The address has no valid host: {place}."), place=place[:80])
    return text


def _web_socket(text: str) -> str:
    return _url(text, ("ws", "wss"), "wss://backend.example.com/ocpp")


def _http(text: str) -> str:
    return _url(text, ("http", "https"), "https://backend.example.com/ocpp")


def _email(text: str) -> str:
    match = _EMAIL.fullmatch(text)
    if not match or not _is_host(match[1]) or len(text) > 254:
        raise refuse(N_("Enter one mail address, for example name@example.com."))
    return text


def _card(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").replace("-", "").upper()
    if not re.fullmatch(r"(?:[0-9A-F]{2}){4,10}", plain):
        raise refuse(
            N_("Enter the card's number as pairs of hex digits, for example 04567DAA5F3580.")
        )
    return plain


def _zone(text: str) -> str:
    if not _ZONE.fullmatch(text):
        raise refuse(N_("Enter a time zone such as Europe/Brussels or UTC."))
    return text


def _device(text: str) -> str:
    gateway = _GATEWAY.fullmatch(text)
    if gateway:
        return f"{gateway[1]}://{_host_port(gateway[2])}"
    if not _DEVICE.fullmatch(text) or ".." in text:
        raise refuse(N_("Enter a device such as /dev/ttyUSB0."))
    return text


def _pin(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4,8}", text):
        raise refuse(N_("A PIN has four to eight digits."))
    return text


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise refuse(N_("Enter an address such as 192.168.1.10.")) from None


def _netmask(text: str) -> str:
    try:
        mask = ipaddress.IPv4Network(f"0.0.0.0/{text.removeprefix('/')}")
    except ValueError:
        raise refuse(N_("Enter a netmask such as 255.255.255.0.")) from None
    return str(mask.netmask)


def _measurand(text: str) -> str:
    """A supported measurand. One unsupported item makes the whole list invalid (OCPP 1.6,
    9.1.8)."""
    known = measurands.canonical(text)
    if known is None:
        raise refuse(N_("This station cannot measure {name}."), name=text[:50])
    return known


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise refuse(N_("Use letters, digits, dots, hyphens and underscores only."))
    return text


def parse_amps(text: str) -> Amps:
    """Three integers from "16,16,16"; a single number applies to all phases. Raises Malformed."""
    parts = [part.strip() for part in text.replace("/", ",").split(",")]
    if len(parts) == 1:
        parts *= 3
    if len(parts) != 3 or not all(re.fullmatch(r"[0-9]{1,5}", part) for part in parts):
        raise refuse(N_("Enter amperes for L1, L2 and L3, for example 16,16,16."))
    return Amps(int(parts[0]), int(parts[1]), int(parts[2]))


def clock_minutes(text: str) -> int:
    """Minutes since midnight of "07:30"; 24:00 is 1440. Raises Malformed."""
    match = _CLOCK.fullmatch(text.strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match else 1441
    if minutes > 1440:
        raise refuse(N_("Enter a time such as 07:30."))
    return minutes


def _time_window(text: str) -> str:
    parts = text.split(";")
    if len(parts) != 3:
        raise refuse(N_("Enter from, to and amperes, for example 07:00;09:30;10,10,10."))
    begin, end = clock_minutes(parts[0]), clock_minutes(parts[1])
    if begin % 1440 == end % 1440 and (begin, end) != (0, 1440):
        raise refuse(N_("A window must have a length; the whole day is 00:00;24:00."))
    amps = _within(parse_amps(parts[2]))
    return f"{_clock(begin)};{_clock(end)};{amps}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _within(amps: Amps) -> str:
    if max(amps) > 9999:
        raise refuse(N_("At most {high} A."), high=9999)
    return ",".join(map(str, amps))


def _group(text: str) -> str:
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3 or not re.fullmatch(r"[^;\s][^;]{0,39}", parts[0]):
        raise refuse(N_("Enter name, parent and amperes, for example hall;main;63,63,63."))
    _free(text)
    return f"{parts[0]};{parts[1]};{_within(parse_amps(parts[2]))}"


def _energy_target(text: str) -> str:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)(?: *kWh)?[ /]+(\S+)", text)
    if not match:
        raise refuse(N_("Enter kWh and time, for example 20 07:30."))
    return f"{match[1]} {_clock(clock_minutes(match[2]))}"


CHECKS: dict[Format, Callable[[str], str]] = {
    Format.FREE: _free,
    Format.PRINTABLE_ASCII: _ascii,
    Format.IDENTITY: _identity,
    Format.WEB_SOCKET_URL: _web_socket,
    Format.HTTP_URL: _http,
    Format.HOST: _host,
    Format.HOST_PORT: _host_port,
    Format.NETWORK_NAME: _network_name,
    Format.EMAIL: _email,
    Format.CARD: _card,
    Format.TIME_ZONE: _zone,
    Format.DEVICE: _device,
    Format.PIN: _pin,
    Format.IP: _ip,
    Format.NETMASK: _netmask,
    Format.MEASURAND: _measurand,
    Format.WORD: _word,
    Format.TIME_WINDOW: _time_window,
    Format.GROUP: _group,
    Format.ENERGY_TARGET: _energy_target,
}
"""Each check accepts a non-empty text and returns its canonical form; raises Malformed."""
