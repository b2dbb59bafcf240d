"""Under which names the station answers (DNS rebinding).

A page of another site may make its own name point to this machine; the browser then takes the
station for that site and hands it everything. Only the name in `Host` tells. Addresses cannot be
pointed elsewhere, so every one is accepted; of names those that belong to this machine, and those
in the setting WebHostNames. No header of a proxy is trusted.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from borne.adapters.web.error_answers import answer
from borne.adapters.web.errors import ApiError, wants_page
from borne.adapters.web.pages.shell import words_for
from borne.foundation.messages import N_, Message

LOCALHOST = "localhost"
MAX_SHOWN = 100
_V6 = r"\[(?P<v6>[0-9A-Fa-f:.]+)(?:%[\w.~-]+)?\]"
_NAME = r"(?P<name>[^\[\]:@/\\?#\s]+)"
_HOST = re.compile(rf"(?:{_V6}|{_NAME})(?::\d{{1,5}})?", re.ASCII)
FOREIGN = N_(
    "This station does not answer under the name {name}. Open it by its address, or let the "
    "installer add the name to the setting WebHostNames."
)
MISSING = N_("The request has no host: send the header Host with the station's address or name.")


def host_of(headers: Sequence[str]) -> str:
    """The address or name in `Host`, without port, in small letters; empty when there is none, it
    makes no sense, or there are several."""
    found = _HOST.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if found is None:
        return ""
    return (found["v6"] or found["name"]).removesuffix(".").lower()


def is_own(host: str, names: Iterable[str]) -> bool:
    """Whether `host` is an address, this machine, or one of `names`."""
    return (
        _is_address(host)
        or host in {LOCALHOST, *machine_names()}
        or host in {name.removesuffix(".").lower() for name in names}
    )


def machine_names() -> set[str]:
    """The machine's name, short as well, and as multicast DNS announces it."""
    full = socket.gethostname().removesuffix(".").lower()
    short = full.partition(".")[0]
    return {full, short, f"{short}.local"} if short else set()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def refusal(request: Request, names: Iterable[str]) -> Response | None:
    """The answer to a request under a foreign name, or under none."""
    header = request.headers.getlist("host")
    host = host_of(header)
    if host and is_own(host, names):
        return None
    if host or any(header):
        shown = (host or header[0])[:MAX_SHOWN]
        status, code, message = 421, "foreign_host", FOREIGN
    else:
        shown, status, code, message = "", 400, "host_required", MISSING
    if not shown.isprintable():
        shown = "?"
    if wants_page(request):
        # Plain: a page could not load its style and symbols under this name either.
        return PlainTextResponse(words_for(request)(message).format(name=shown), status)
    return await answer(request, ApiError(status, code, Message(message, {"name": shown})))
