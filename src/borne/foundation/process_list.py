"""Removes secrets given as arguments from the process list, which every user of the machine can
read (`ps`, `/proc/PID/cmdline`).

The process list shows the memory in which the kernel passed the arguments; Python works on a copy.
The values are overwritten there as early as possible, some hundredths of a second after the start.
With `--set-file` they never appear at all.
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
"""Backend and file URLs may carry a token in the query."""
STARS = b"***"
ARG_START, ARG_END = 48 - 3, 49 - 3
"""Indexes into the fields of /proc/PID/stat (proc(5)) that follow the process name."""


def hide_secrets(arguments: Sequence[str], process: Path = Path("/proc/self")) -> bool:
    """Overwrite the secrets among this process' arguments; False if that was not possible."""
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
    """Mask the value of `KEY=VALUE` if its name or value looks secret, padded with zeros to the
    same length; None if there is nothing to mask."""
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
