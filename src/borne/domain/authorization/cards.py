"""Card numbers: one normal form inside, four spellings outside (manual 5.3).

Inside, a UID is upper case hex in natural byte order. `spell` gives the form that the setting
"RFID Tag letter case" asks for, in lists, on pages and towards the backend.
"""

from __future__ import annotations

import re

from borne.domain.settings.choices import LetterCase
from borne.foundation.messages import N_, Explained

UID_BYTES = (4, 7, 10)
_SEPARATORS = re.compile(r"[\s:.\-]")
_HEX = re.compile(r"[0-9A-Fa-f]+")
RANDOM_UID_PREFIX = "08"
"""A four-byte UID that begins so is made up anew at every reading (ISO 14443-3)."""
HOLD_S = 2.0
"""So long a card must be held to the reader at least (manual 6)."""


class BadCard(Explained):
    """Not a card number; the message says why."""


class RandomCard(BadCard):
    """A card that shows another number each time."""


def normalise(text: str) -> str:
    """The normal form of a UID typed or read in natural byte order; raises BadCard."""
    digits = _SEPARATORS.sub("", text.strip())
    if not digits:
        raise BadCard(N_("Enter a card number."))
    if not _HEX.fullmatch(digits):
        raise BadCard(N_("A card number has only the digits 0-9 and the letters A-F."))
    if len(digits) % 2 or len(digits) // 2 not in UID_BYTES:
        raise BadCard(N_("A card number has 8, 14 or 20 digits (4, 7 or 10 bytes)."))
    return digits.upper()


def _inverted(uid: str) -> str:
    return "".join(reversed([uid[i : i + 2] for i in range(0, len(uid), 2)]))


def spell(uid: str, spelling: LetterCase) -> str:
    """A normal UID as the setting wants it."""
    match spelling:
        case LetterCase.LOWER:
            return uid.lower()
        case LetterCase.UPPER:
            return uid.upper()
        case LetterCase.LOWER_INVERTED:
            return _inverted(uid).lower()
        case LetterCase.UPPER_INVERTED:
            return _inverted(uid).upper()


def parse(text: str, spelling: LetterCase) -> str:
    """The normal form of a UID written in `spelling`; raises BadCard."""
    uid = normalise(text)
    inverted = spelling in (LetterCase.LOWER_INVERTED, LetterCase.UPPER_INVERTED)
    return _inverted(uid) if inverted else uid


def is_random(uid: str) -> bool:
    """Whether the card shows another number each time and so cannot be in a list."""
    return len(uid) == 2 * UID_BYTES[0] and uid.startswith(RANDOM_UID_PREFIX)


def held_long_enough(held_s: float) -> bool:
    """Whether the reader had the time to read the card."""
    return held_s >= HOLD_S
