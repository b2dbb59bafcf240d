"""Host names under which the station answers (protection against DNS rebinding).

A foreign site may let its own name resolve to this machine; the browser then treats the station as
that site and sends it everything. Only the name in `Host` reveals this. Addresses cannot be
rebound, so all of them are accepted; names must belong to this machine or be listed in the setting
WebHostNames. Proxy headers are not trusted.
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
    """The address or name in `Host`, without port, in lower case; empty if missing, invalid or
    repeated."""
    found = _HOST.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if found is None:
        return ""
    return (found["v6"] or found["name"]).removesuffix(".").lower()


def is_own(host: str, names: Iterable[str]) -> bool:
    """True if `host` is an address, this machine, or one of `names`."""
    return (
        _is_address(host)
        or host in {LOCALHOST, *machine_names()}
        or host in {name.removesuffix(".").lower() for name in names}
    )


def machine_names() -> set[str]:
    """The machine's host name, full and short, and its multicast DNS name."""
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
    """The response to a request with a foreign host name or without one."""
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
        # Plain text: a page could not load its style sheet under this name either.
        return PlainTextResponse(words_for(request)(message).format(name=shown), status)
    return await answer(request, ApiError(status, code, Message(message, {"name": shown})))
