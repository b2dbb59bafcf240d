"""Figures of the sessions per socket and per card, and anonymising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from borne.adapters.web.access import OPERATOR
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.i18n import Words
from borne.adapters.web.pages.shell import form
from borne.adapters.web.routes import Routes
from borne.application.charging.sessions_view import SessionsService
from borne.application.ports.storage import (
    SessionGroup,
    SessionGrouping,
    SessionQuery,
    SessionTotals,
)
from borne.application.refusals import Refused
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.messages import N_

routes = Routes(OPERATOR)

MAX_CARDS = 20
TOKEN_LONGEST = 255
ANONYMOUS = (IdentityKind.FREE, IdentityKind.LOCAL)
"""Kinds of identity whose token belongs to the station, not to a person."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A row: socket or card, and its sums."""

    connector: int | None
    """None for a card, and for the sum of all sockets."""
    identity: Identity | None
    id_token: str
    """Empty if there is no person to anonymise."""
    sessions: str
    energy: str
    mean: str
    duration: str


async def figures_of(
    sessions: SessionsService,
    by: SessionGrouping,
    query: SessionQuery,
    words: Words,
) -> list[Figures]:
    """The rows of one table, most energy first; several sockets end with their sum."""
    groups: Sequence[SessionGroup] = await sessions.statistics(by, query, limit=MAX_CARDS)
    rows = [_row(group, words) for group in groups]
    if by is SessionGrouping.CONNECTOR and len(groups) > 1:
        rows.append(_row(SessionGroup(None, None, _sum(groups)), words))
    return rows


def _sum(groups: Sequence[SessionGroup]) -> SessionTotals:
    totals = [group.totals for group in groups]
    return SessionTotals(
        sum(each.sessions for each in totals),
        sum(each.energy_wh for each in totals),
        sum(each.duration_s for each in totals),
        sum(each.timed for each in totals),
    )


def _row(group: SessionGroup, words: Words) -> Figures:
    totals, who = group.totals, group.identity
    personal = who is not None and who.kind not in ANONYMOUS
    return Figures(
        connector=group.connector,
        identity=who,
        id_token=who.id_token if who and personal else "",
        sessions=words.number(totals.sessions),
        energy=words.energy(totals.energy_wh),
        mean=words.energy(totals.mean_energy_wh),
        duration=words.duration(totals.mean_duration_s),
    )


@routes.post("/sessions/anonymise")
async def anonymise(request: Request) -> Response:
    """Remove the identity from the sessions of a card; sessions and energy are kept."""
    fields = await form(request)
    token = fields.get("id_token", "")
    if len(token) > TOKEN_LONGEST:
        raise Refused("invalid", N_("Name the card or the sessions to make anonymous."))
    principal = visitor(request).principal
    number = await station(request).sessions.anonymise(principal, id_token=token or None)
    return RedirectResponse(f"/sessions?forgotten={number}", 303)
