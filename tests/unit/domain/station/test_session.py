"""A session's figures: what is invoiced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from borne.domain.station.session import (
    SessionEnd,
    SessionFlag,
    SessionRecord,
    SessionStart,
    StopReason,
)
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Moment

AT = Moment("boot", 1.0, None)
START = SessionStart(
    "s1",
    1,
    Identity(IdentityKind.RFID, "04567DAA5F3580"),
    AT,
    1000,
    reported=True,
    flags=frozenset({SessionFlag.UNDATED}),
)
END = SessionEnd(AT, 1700, StopReason.LOCAL, flags=frozenset({SessionFlag.METER_FAULT}))


@pytest.mark.parametrize(
    ("end", "last_wh", "energy_wh"),
    [
        (None, 1000, 0),
        (None, 1250, 250),
        (END, 1250, 700),
        (replace(END, meter_stop_wh=1000), 1000, 0),
        (replace(END, meter_stop_wh=900), 1000, 0),
        (None, 900, 0),
    ],
)
def test_energy_is_end_minus_start_and_never_negative(
    end: SessionEnd | None, last_wh: int, energy_wh: int
) -> None:
    assert SessionRecord(START, end, None, last_wh).energy_wh == energy_wh


def test_flags_of_start_and_end() -> None:
    assert SessionRecord(START, None, None, 1000).flags == {SessionFlag.UNDATED}
    both = {SessionFlag.UNDATED, SessionFlag.METER_FAULT}
    assert SessionRecord(START, END, None, 1000).flags == both


@pytest.mark.parametrize(
    ("kind", "token", "shown"),
    [
        (IdentityKind.RFID, "04567DAA5F3580", "...5F3580"),
        (IdentityKind.RFID, "0A0E9B83", "...0E9B83"),
        (IdentityKind.FREE, "freecharging", "freecharging"),
        (IdentityKind.LOCAL, "local", "local"),
        (IdentityKind.RFID, "", ""),
    ],
)
def test_identities_are_masked_to_the_end_of_the_token(
    kind: IdentityKind, token: str, shown: str
) -> None:
    assert Identity(kind, token).masked == shown
