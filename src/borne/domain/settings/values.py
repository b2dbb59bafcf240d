"""Converts settings between text, JSON or OCPP and internal values (decisions D3, D32).

Parsing validates type, range, format and length. Rules between settings are in `rules`.
"""

from __future__ import annotations

import re
from enum import Enum

from borne.domain.settings.entry import Amps, Choice, Entry, Format, Type, Value
from borne.domain.settings.formats import CHECKS, Malformed, parse_amps, refuse
from borne.foundation.json_value import JsonValue
from borne.foundation.messages import N_, Message

MAX_INPUT = 8192
"""Maximum length of an input text, above every limit in the catalogue."""

_TRUE = frozenset({"true", "on", "1", "yes"})
_FALSE = frozenset({"false", "off", "0", "no"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)


class Form(Enum):
    """Source of an input, where that affects its spelling."""

    TEXT = "text"
    JSON = "json"
    OCPP = "ocpp"


def parse(entry: Entry, raw: object, form: Form = Form.JSON) -> Value:
    """Parse a raw value for `entry` to its canonical form; raises Malformed.

    None, and an empty text for an entry that may be unset, mean "unset".
    """
    if isinstance(raw, str) and len(raw) > MAX_INPUT:
        raise refuse(N_("At most {high} characters."), high=entry.max_length)
    match entry.type:
        case Type.BOOL:
            return _bool(raw)
        case Type.INT:
            return _int(entry, raw)
        case Type.CHOICE:
            return _choice(entry, raw)
        case Type.PER_PHASE:
            return _per_phase(entry, raw)
        case Type.LIST:
            return _list(entry, raw)
        case Type.SECRET_KEY:
            return _key(entry, raw, form)
        case Type.TEXT | Type.IP | Type.SECRET:
            return _text(entry, raw)
        case Type.STATE | Type.ACTION:
            raise refuse(N_("This cannot be changed."))


def _bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int | str):
        text = str(raw).strip().casefold()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
    raise refuse(N_("Enter on or off."))


def _whole_number(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**12:
        return raw
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 10**12:
        return int(raw)
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        return int(raw)
    raise refuse(N_("Enter a whole number."))


def _int(entry: Entry, raw: object) -> int | None:
    if raw == "" and entry.default is None:
        return None
    number = _whole_number(raw)
    if number not in entry.also:
        check_range(entry, number)
    return number


def check_range(entry: Entry, number: int) -> None:
    """Raises Malformed if `number` is outside the fixed range of `entry`."""
    special = _also_text(entry)
    unit = f" {entry.unit}" if entry.unit else ""
    if entry.low is not None and number < entry.low:
        raise refuse(
            N_("At least {low}{unit}{special}."), low=entry.low, unit=unit, special=special
        )
    if entry.high is not None and number > entry.high:
        raise refuse(N_("At most {high}{unit}."), high=entry.high, unit=unit)


def _also_text(entry: Entry) -> str | Message:
    if not entry.also:
        return ""
    number, meaning = next(iter(entry.also.items()))
    return Message(N_(", or {number} ({meaning})"), {"number": number, "meaning": Message(meaning)})


def _folded(text: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", text.strip().casefold()).strip("_")


def _choice(entry: Entry, raw: object) -> str:
    found = _find_choice(entry, raw)
    if found is None:
        choices = ", ".join(choice.slug for choice in entry.choices[:12])
        raise refuse(N_("Choose one of: {choices}."), choices=choices)
    return found.slug if entry.enum is None else entry.enum(found.slug)


def _find_choice(entry: Entry, raw: object) -> Choice | None:
    """Match by slug, label or number, in this order, ignoring case (decision D3)."""
    if isinstance(raw, bool):
        raw = "on" if raw else "off"
    if not isinstance(raw, str | int):
        return None
    text = str(raw).strip()
    for name in (text.casefold(), _folded(text)):
        for choice in entry.choices:
            if name in {choice.slug, choice.label.casefold(), _folded(choice.label)}:
                return choice
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return next((choice for choice in entry.choices if choice.number == int(text)), None)
    if text.casefold() in _TRUE | _FALSE and {c.slug for c in entry.choices} == {"off", "on"}:
        return entry.choice("on" if text.casefold() in _TRUE else "off")
    return None


def _per_phase(entry: Entry, raw: object) -> Amps | None:
    if raw in ("", None) and entry.default is None:
        return None
    if isinstance(raw, str):
        amps = parse_amps(raw)
    elif isinstance(raw, list | tuple) and len(raw) == 3:
        amps = Amps(_whole_number(raw[0]), _whole_number(raw[1]), _whole_number(raw[2]))
    else:
        raise refuse(N_("Enter amperes for L1, L2 and L3, for example 16,16,16."))
    for number in amps:
        check_range(entry, number)
    return amps


def _list(entry: Entry, raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        items = _split(raw)
    elif isinstance(raw, list | tuple) and all(isinstance(item, str) for item in raw):
        items = [item.strip() for item in raw if item.strip()]
    else:
        raise refuse(N_("Enter a list of texts."))
    if len(items) > entry.max_items:
        raise refuse(N_("At most {high} entries."), high=entry.max_items)
    check = CHECKS[entry.format]
    if any(len(item) > entry.max_length for item in items):
        raise refuse(N_("At most {high} characters."), high=entry.max_length)
    return tuple(dict.fromkeys(check(item) for item in items))


def _split(text: str) -> list[str]:
    """Split a text at commas, blanks or newlines; at bars or newlines if the items contain commas
    (from;to;amps)."""
    parts = re.split(r"[\n|]+" if ";" in text else r"[,\s]+", text)
    return [part.strip() for part in parts if part.strip()]


def _text(entry: Entry, raw: object) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str):
        raise refuse(N_("Enter a text."))
    text = raw if entry.type is Type.SECRET else raw.strip()
    if len(text) < entry.min_length:
        raise refuse(N_("At least {low} characters."), low=entry.min_length)
    if len(text) > entry.max_length:
        raise refuse(N_("At most {high} characters."), high=entry.max_length)
    return CHECKS[entry.format](text) if text else ""


def _key(entry: Entry, raw: object, form: Form) -> bytes:
    if not isinstance(raw, str):
        raise refuse(N_("Enter a text."))
    if form is Form.OCPP:
        return _hex_key(entry, raw)
    key = raw.encode()
    if key and not entry.min_length <= len(key) <= entry.max_length:
        raise refuse(
            N_("Use {low} to {high} characters."), low=entry.min_length, high=entry.max_length
        )
    return key


def _hex_key(entry: Entry, raw: str) -> bytes:
    """Parse hex digits from a backend, at most 40 (OCPP 1.6 security whitepaper, 2.3)."""
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", raw):
        raise refuse(N_("Send hex digits, two for each byte."))
    key = bytes.fromhex(raw)
    if not entry.min_length <= len(key) <= 20:
        raise refuse(N_("Send {low} to {high} bytes as hex digits."), low=entry.min_length, high=20)
    return key


# Output -------------------------------------------------------------------------------------


def to_json(value: Value) -> JsonValue:
    """The value in API form; raises TypeError for secrets."""
    match value:
        case bytes():
            raise TypeError("a secret has no JSON form")
        case tuple():
            return list(value)
        case str():
            return str(value)
        case _:
            return value


def to_text(entry: Entry, value: Value) -> str:
    """The value as users type it: slugs, on and off, commas."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case bytes():
            raise TypeError("a secret has no text form")
        case tuple():
            return (" | " if _is_compound(entry) else ",").join(str(item) for item in value)
        case _:
            return str(value)


def to_ocpp(entry: Entry, value: Value) -> str:
    """The value as sent to a backend: labels; true and false or On and Off (decision D3)."""
    if isinstance(value, bool):
        if entry.ocpp_standard:
            return "true" if value else "false"
        return "On" if value else "Off"
    if entry.choices and isinstance(value, str):
        return entry.choice(value).label
    return to_text(entry, value)


def _is_compound(entry: Entry) -> bool:
    return entry.format in {Format.TIME_WINDOW, Format.GROUP}


def to_file(value: Value) -> JsonValue:
    """The value as stored, including secrets."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return to_json(value)


def from_file(entry: Entry, raw: object) -> Value:
    """Inverse of `to_file`; raises Malformed."""
    if entry.type is not Type.SECRET_KEY:
        return parse(entry, raw, Form.JSON)
    digits = raw.get("hex") if isinstance(raw, dict) else None
    if not isinstance(digits, str) or not re.fullmatch(r"(?:[0-9a-f]{2})*", digits):
        raise refuse(N_("Enter a text."))
    key = bytes.fromhex(digits)
    if key and not entry.min_length <= len(key) <= entry.max_length:
        raise refuse(N_("Enter a text."))
    return key


__all__ = [
    "Form",
    "Malformed",
    "check_range",
    "from_file",
    "parse",
    "to_file",
    "to_json",
    "to_ocpp",
    "to_text",
]
