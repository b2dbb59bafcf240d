"""The profile of a meter that the operator describes himself, in a file of the data folder."""

from __future__ import annotations

import errno
from pathlib import Path

from borne.adapters.meters.endpoints import BadAddress
from borne.foundation.messages import N_, Message
from borne.protocols.meter_profiles import Profile, ProfileError, parse_profile

MAX_BYTES = 64 * 1024
MISSING = N_("The file {file} with the registers of the meter is missing.")
UNREADABLE = N_("The file {file} cannot be read: {reason}.")
TOO_LARGE = N_("The file {file} is too large.")
WRONG = N_("The file {file} is wrong: {reason}")


def read_profile(path: Path) -> Profile:
    """The profile in a file; raises BadAddress, with the line of what is wrong."""
    name: dict[str, object] = {"file": path.name}
    try:
        # To open a pipe waits for its other end, and to open a device may act on it.
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "not a regular file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BadAddress(Message(MISSING, name)) from None
    except OSError as error:
        raise BadAddress(Message(UNREADABLE, name | {"reason": error.strerror or ""})) from None
    if len(content) > MAX_BYTES:
        raise BadAddress(Message(TOO_LARGE, name))
    try:
        return parse_profile(content.decode("utf-8-sig"))
    except ProfileError as error:
        raise BadAddress(Message(WRONG, name | {"reason": error.message})) from None
    except UnicodeDecodeError as error:
        raise BadAddress(Message(WRONG, name | {"reason": str(error)})) from None
