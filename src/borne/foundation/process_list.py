"""Secrets given as arguments are taken out of the process list, which every user of the machine
may read (`ps`, `/proc/PID/cmdline`).

The list shows the memory in which the arguments were handed over; Python works on a copy. So the
values are overwritten there, as early as possible. Until then, some hundredths of a second, they
can be read: `--set-file` leaves no trace at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_OPTION = rb"(?:--[a-z-]+=)?"
_SECRET = re.compile(
    rb"(?is)(?P<name>" + _OPTION + rb"[^=]*(?:passw|secret|token|key|pin(?![a-z])|puk)[^=]*=).+"
)
_LOGIN_IN_URL = re.compile(rb"(?s)(?P<name>[^=]*=.*?://)[^/@]*(?=@)")
_QUERY_OF_URL = re.compile(rb"(?s)(?P<name>[^=]*=[^?#]*://[^?#]*[?#]).+")
"""Where backends and files are reached with a token."""
STARS = b"***"
ARG_START, ARG_END = 48 - 3, 49 - 3
"""Fields of /proc/PID/stat (proc(5)), counted from the third, which follows the name."""


def hide_secrets(arguments: Sequence[str], process: Path = Path("/proc/self")) -> bool:
    """Overwrite the secrets among this process' arguments; whether all are out of sight."""
    if not any(covered(each.encode("utf-8", "surrogateescape")) for each in arguments):
        return True
    try:
        shown = (process / "cmdline").read_bytes()
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        start, end = int(fields[ARG_START]), int(fields[ARG_END])
    except (OSError, ValueError, IndexError):
        return False
    return _overwrite(start, end, shown)


def covered(argument: bytes) -> bytes | None:
    """`KEY=***`, as long as before, of a `KEY=VALUE` whose name or value speaks of a secret; the
    rest is filled up with zeros. None for others."""
    hidden = argument
    if found := _SECRET.fullmatch(argument):
        hidden = found["name"] + STARS
    else:
        if found := _LOGIN_IN_URL.match(hidden):
            hidden = found["name"] + STARS + hidden[found.end() :]
        if found := _QUERY_OF_URL.fullmatch(hidden):
            hidden = found["name"] + STARS
    if hidden == argument:
        return None
    return hidden[: len(argument)].ljust(len(argument), b"\0")


def _overwrite(start: int, end: int, shown: bytes) -> bool:
    import ctypes

    if len(shown) != end - start:
        return False
    memory = (ctypes.c_char * len(shown)).from_address(start)
    if memory.raw != shown:
        return False
    memory.raw = b"\0".join(covered(each) or each for each in shown.split(b"\0"))
    return True
