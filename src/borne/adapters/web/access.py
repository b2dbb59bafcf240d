"""Who may use which route: one table, enforced in one place (`guard`), walked through by a test.

A role includes the weaker ones. Finer rights (which setting, whose session) are judged by the
flows in `application/`, which get the principal.
"""

from __future__ import annotations

from dataclasses import dataclass

from borne.application.charging.station_control import COMMANDS
from borne.domain.principals import Role


@dataclass(frozen=True, slots=True)
class Access:
    """What a route demands. `role` None: nobody needs to log in."""

    role: Role | None
    power: bool = True
    """Needs a running station."""
    before_change: bool = False
    """Open to a login that must set a new password first (decision D20)."""
    simulator: bool = False
    """Only with simulated hardware, and from this machine unless others are allowed."""
    open_by: str = ""
    """A switch among the settings that lets everybody in."""


PUBLIC = Access(None)
HOST = Access(None, power=False)
USER = Access(Role.USER)
OPERATOR = Access(Role.OPERATOR)
ACCOUNT = Access(Role.USER, before_change=True)
SIMULATOR = Access(Role.OPERATOR, simulator=True)
WORLD = Access(Role.OPERATOR, power=False, simulator=True)
"""The street is there without a station too."""

API = "/api/v1"

TABLE: dict[str, Access] = {
    # For machines around the station
    "GET /healthz": HOST,
    "GET /readyz": HOST,
    "GET /metrics": Access(Role.OPERATOR, power=False),
    # API
    f"GET {API}/openapi.json": USER,
    f"GET {API}/status": USER,
    f"GET {API}/events": USER,
    f"GET {API}/settings": OPERATOR,
    f"PATCH {API}/settings": OPERATOR,
    f"POST {API}/system/restart": OPERATOR,
    **{
        f"POST {API}/connectors/{{connector}}/{each.name}": Access(each.role)
        for each in COMMANDS.values()
    },
    f"GET {API}/sessions": USER,
    f"GET {API}/sessions.csv": OPERATOR,
    f"GET {API}/sessions/{{session_id}}": USER,
    f"GET {API}/whitelist": OPERATOR,
    f"POST {API}/whitelist": OPERATOR,
    f"DELETE {API}/whitelist": OPERATOR,
    f"DELETE {API}/whitelist/{{token}}": OPERATOR,
    f"GET {API}/backend": OPERATOR,
    f"GET {API}/backend/messages": OPERATOR,
    f"GET {API}/backend/queue": OPERATOR,
    f"GET {API}/charging-profiles": OPERATOR,
    f"DELETE {API}/charging-profiles": OPERATOR,
    f"DELETE {API}/charging-profiles/{{profile_id}}": OPERATOR,
    f"GET {API}/simulator": WORLD,
    f"GET {API}/simulator/vehicles": WORLD,
    f"POST {API}/simulator/connectors/{{connector}}/plug": WORLD,
    f"POST {API}/simulator/connectors/{{connector}}/unplug": WORLD,
    f"POST {API}/simulator/connectors/{{connector}}/vehicle": WORLD,
    f"POST {API}/simulator/cards": WORLD,
    f"GET {API}/simulator/faults": WORLD,
    f"PUT {API}/simulator/faults/{{fault}}": WORLD,
    f"PUT {API}/simulator/links/{{link}}": WORLD,
    f"PUT {API}/simulator/site": WORLD,
    f"PUT {API}/simulator/inputs/{{number}}": WORLD,
    f"PUT {API}/simulator/temperature": WORLD,
    f"POST {API}/simulator/power": WORLD,
    # Pages: coming in
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /login/{secret}": PUBLIC,
    "POST /login/master-card": PUBLIC,
    "POST /logout": Access(Role.USER, power=False, before_change=True),
    "GET /account": USER,
    "GET /account/password": ACCOUNT,
    "POST /account/password": ACCOUNT,
    "POST /account/passwords/{role}": OPERATOR,
    "POST /account/master-card": OPERATOR,
    "POST /account/master-card/remove": OPERATOR,
    "POST /account/tokens": OPERATOR,
    "POST /account/tokens/{token_id}/delete": OPERATOR,
    "POST /preferences": HOST,
    # Pages: people who follow the manual
    "GET /operator": HOST,
    "GET /operator/operator": HOST,
    "GET /legacy": HOST,
    "GET /legacy/{chapter}": HOST,
    "GET /doc": HOST,
    "GET /doc/{chapter}": HOST,
    # Programs that know older controllers
    "GET /rest/full_state": Access(Role.USER, open_by="RestStateOpen"),
    # Pages
    "GET /": USER,
    "GET /sessions": USER,
    "GET /sessions/export": OPERATOR,
    "GET /sessions/{session_id}": USER,
    "POST /sessions/anonymise": OPERATOR,
    "GET /whitelists": OPERATOR,
    "POST /whitelists/add": OPERATOR,
    "POST /whitelists/rename": OPERATOR,
    "POST /whitelists/remove": OPERATOR,
    "POST /whitelists/clear": OPERATOR,
    "POST /whitelists/undo": OPERATOR,
    "GET /whitelists/spellings": OPERATOR,
    "GET /whitelists/export": OPERATOR,
    "GET /whitelists/ocpp": OPERATOR,
    "POST /whitelists/ocpp/remove": OPERATOR,
    "POST /whitelists/ocpp/clear": OPERATOR,
    "GET /whitelists/import": OPERATOR,
    "POST /whitelists/import": OPERATOR,
    "POST /whitelists/enable": OPERATOR,
    "POST /whitelists/teach": OPERATOR,
    "POST /whitelists/teach/choose": OPERATOR,
    "POST /whitelists/teach/renew": OPERATOR,
    "POST /whitelists/teach/prolong": OPERATOR,
    "POST /whitelists/teach/finish": OPERATOR,
    "GET /backend": OPERATOR,
    "GET /backend/presets": OPERATOR,
    "POST /backend/presets/{key}": OPERATOR,
    "POST /backend/test": OPERATOR,
    "GET /backend/profiles": OPERATOR,
    "POST /backend/profiles/remove": OPERATOR,
    "POST /backend/profiles/clear": OPERATOR,
    "GET /backend/messages.jsonl": OPERATOR,
    "GET /simulator": SIMULATOR,
    "GET /help": USER,
    "GET /help/{slug}": USER,
    "GET /settings": OPERATOR,
    "GET /settings/search": OPERATOR,
    "GET /settings/draft.json": OPERATOR,
    "GET /settings/system/logs.zip": OPERATOR,
    "GET /settings/{menu}": OPERATOR,
    "POST /settings/stage": OPERATOR,
    "POST /settings/undo/{name}": OPERATOR,
    "POST /settings/keep/{name}": OPERATOR,
    "POST /settings/reset": OPERATOR,
    "POST /settings/save": OPERATOR,
    "POST /settings/restart": OPERATOR,
    "POST /settings/confirm": OPERATOR,
    "POST /notices/acknowledge": OPERATOR,
    "GET /live/frame": USER,
    "GET /live/dashboard": USER,
    "GET /live/backend": OPERATOR,
    "GET /live/simulator": SIMULATOR,
    "GET /live/help": USER,
    "GET /live/whitelists": OPERATOR,
    "POST /connectors/{connector}/{action}": OPERATOR,
}


def lookup(method: str, path: str) -> Access | None:
    """What the route demands; HEAD counts as GET."""
    return TABLE.get(f"{'GET' if method == 'HEAD' else method} {path}")
