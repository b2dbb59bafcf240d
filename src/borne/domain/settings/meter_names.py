"""Finds a type of meter by what a person writes: its label, a part of it, or its slug."""

from __future__ import annotations

import difflib
import re

from borne.domain.settings.catalogue.meter_profiles import METERS, PROFILES, MeterProfile

_SUFFIX = re.compile(r"\((tcp|rtu|multicast)\)")
_CLOSE = 0.5
MAX_NAME = 100
MIN_PART = 5
_OTHER_LABELS = {
    "janitzaumg605pro": "janitza_umg",
    "phoenixcontacteemmb370": "phoenix_eem_mb371",
}
"""Labels of other controllers (`_plain`) for types that are called otherwise here."""


def find_meter_type(name: str) -> MeterProfile | None:
    """The type with this label or slug; case, spaces and the words "Modbus" and "(TCP)" do not
    matter, and of a label for several models one is enough. So is a part that only one has."""
    wanted = _plain(name)
    if not wanted:
        return None
    if wanted in _OTHER_LABELS:
        return PROFILES[_OTHER_LABELS[wanted]]
    for names in (_whole, _parts):
        for meter in METERS:
            if wanted in names(meter):
                return meter
    like = [meter for meter in METERS if wanted in _plain(meter.label)]
    return like[0] if len(like) == 1 and len(wanted) >= MIN_PART else None


def nearest_labels(name: str, number: int = 3) -> list[str]:
    """The labels that are most like a name, the nearest first."""
    wanted = _plain(name[:MAX_NAME])
    by_name = {plain: meter.label for meter in METERS for plain in (*_whole(meter), *_parts(meter))}
    begin = [plain for plain in by_name if wanted and wanted in plain]
    close = difflib.get_close_matches(wanted, by_name, number * 2, _CLOSE)
    return list(dict.fromkeys(by_name[plain] for plain in (*begin, *close)))[:number]


def _whole(meter: MeterProfile) -> tuple[str, ...]:
    return _plain(meter.label), _plain(meter.slug)


def _parts(meter: MeterProfile) -> tuple[str, ...]:
    return tuple(_plain(part) for part in meter.label.split(" / "))


def _plain(name: str) -> str:
    text = _SUFFIX.sub("", name.lower())
    return re.sub(r"[^a-z0-9]", "", text).removeprefix("modbus")
