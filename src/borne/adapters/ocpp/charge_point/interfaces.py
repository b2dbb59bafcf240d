"""The first step of a connection: which network interfaces are up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

Interfaces = Callable[[], Sequence[str] | None]
"""Names of the interfaces that are up, without loopback; None if that is unknown."""

_FOLDER: Final = Path("/sys/class/net")
_UP: Final = frozenset({"up", "unknown"})
"""Tunnels and modems report "unknown"."""


def interfaces_up(folder: Path = _FOLDER) -> Sequence[str] | None:
    """As reported by Linux."""
    try:
        found = sorted(entry.name for entry in folder.iterdir() if entry.name != "lo")
        return [name for name in found if _state(folder / name) in _UP]
    except OSError:
        return None


def _state(interface: Path) -> str:
    try:
        return (interface / "operstate").read_text(encoding="ascii").strip()
    except OSError:  # it went away, or is no interface
        return ""
