"""Card numbers: one internal form, four spellings for lists, pages and the backend (manual 5.3).

Internally a UID is upper case hex in natural byte order. `spell` converts it to the spelling of the
setting "RFID Tag letter case".
"""

from __future__ import annotations

import re

from borne.domain.settings.choices import LetterCase
from borne.foundation.messages import N_, Explained

UID_BYTES = (4, 7, 10)
_SEPARATORS = re.compile(r"[\s:.\-]")
_HEX = re.compile(r"[0-9A-Fa-f]+")
RANDOM_UID_PREFIX = "08"
"""Four-byte UIDs with this first byte are random: new at every reading (ISO 14443-3)."""
HOLD_S = 2.0
"""Minimum time for which a card must be held to the reader (manual 6)."""


class BadCard(Explained):
    """The text is not a card number; the message says why."""


class RandomCard(BadCard):
    """The card has a random UID, which cannot be stored in a list."""


def normalise(text: str) -> str:
    """The internal form of a UID in natural byte order; raises BadCard."""
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
    """Convert an internal UID to the configured spelling."""
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
    """The internal form of a UID written in `spelling`; raises BadCard."""
    uid = normalise(text)
    inverted = spelling in (LetterCase.LOWER_INVERTED, LetterCase.UPPER_INVERTED)
    return _inverted(uid) if inverted else uid


def is_random(uid: str) -> bool:
    """True if the UID is random (ISO 14443-3) and thus useless in a list."""
    return len(uid) == 2 * UID_BYTES[0] and uid.startswith(RANDOM_UID_PREFIX)


def held_long_enough(held_s: float) -> bool:
    """True if the card was held long enough to be read (manual 6)."""
    return held_s >= HOLD_S
