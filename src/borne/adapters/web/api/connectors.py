"""Commands on connectors and on the station."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Body as FromBody
from fastapi import Path, Request
from pydantic import create_model

from borne.adapters.web.access import OPERATOR, Access
from borne.adapters.web.api.bodies import Body, Restart, bounded
from borne.adapters.web.errors import ApiError
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.routes import API, Routes
from borne.application.charging.station_control import COMMANDS
from borne.application.commands import Command
from borne.foundation.messages import N_, Message

routes = Routes(OPERATOR, API, tag="connectors")

ConnectorId = Annotated[int, Path(ge=1, le=64)]


def known(request: Request, connector: int) -> int:
    """The connector, if the station has it; else 404."""
    ids = {socket.id for socket in station(request).status.snapshot().sockets}
    if connector not in ids:
        raise ApiError(
            404,
            "unknown_connector",
            Message(N_("There is no connector {socket}."), {"socket": connector}),
        )
    return connector


def endpoint(command: Command) -> Callable[..., Awaitable[dict[str, Any]]]:
    """The route of a command; its body is made of what the command takes."""
    fields: dict[str, Any] = {
        name: (bounded(kind), default) for name, (kind, default) in command.arguments.items()
    }
    body_type = create_model(command.name.capitalize(), __base__=Body, **fields)
    optional = all(default is not ... for _, default in command.arguments.values())

    async def give(request: Request, connector: ConnectorId, body: Body | None = None) -> Any:
        services = station(request)
        arguments = body.model_dump() if body else {}
        answer = await command.execute(
            services.control, known(request, connector), visitor(request).principal, **arguments
        )
        status = {"status": answer} if command.has_answer else {}
        return status | {"revision": services.status.revision}

    parameters = [
        Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=Request),
        Parameter("connector", Parameter.POSITIONAL_OR_KEYWORD, annotation=ConnectorId),
    ]
    if fields:
        kind = Annotated[body_type | None, FromBody()] if optional else body_type
        default = None if optional else Parameter.empty
        parameters.append(
            Parameter("body", Parameter.POSITIONAL_OR_KEYWORD, annotation=kind, default=default)
        )
    give.__name__, give.__doc__ = command.name, command.description
    give.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # functions may have one
    return give


for _command in COMMANDS.values():
    routes.add(
        "POST",
        f"/connectors/{{connector}}/{_command.name}",
        endpoint(_command),
        Access(_command.role),
        summary=_command.summary,
    )


@routes.post("/system/restart", status_code=202, summary="Restart")
async def restart(
    request: Request, body: Annotated[Restart | None, FromBody()] = None
) -> dict[str, Any]:
    """Restart the software now, or as soon as no session runs."""
    when = body.when if body else "now"
    await station(request).restarter.restart(when, visitor(request).principal)
    return {"status": "accepted", "when": when}
