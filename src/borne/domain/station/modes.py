"""Configurable modes of a connector."""

from __future__ import annotations

from enum import StrEnum


class StopMode(StrEnum):
    """What ends a transaction (manual 5.1)."""

    NORMAL = "normal"
    ONLY_DISCONNECT = "only_disconnect"
    ONLY_RFID_REMOTE = "only_rfid_remote"
    NORMAL_MODE_D_RCD = "normal_mode_d_rcd"


class WakeUp(StrEnum):
    """How a sleeping vehicle is woken up (decision D7)."""

    PILOT_INTERRUPTION = "pilot_interruption"
    STATE_F = "state_f"
    STATE_E = "state_e"
