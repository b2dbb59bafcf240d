"""Routes of the commands, derived from the declarations of the services.

The name of a command is its path. Arguments in braces are path parameters, the others of a removal
are query parameters, and all others are members of the body.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Body as FromBody
from fastapi import Path, Query, Request
from pydantic import create_model

from borne.adapters.web.access import OPERATOR, WORLD, Access
from borne.adapters.web.api.bodies import Body, JsonObject, bounded
from borne.adapters.web.api.charging_profiles import profiles_of
from borne.adapters.web.api.load import load_of
from borne.adapters.web.api.meters import second_meter_of
from borne.adapters.web.api.simulator import simulator_of
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.routes import API, Endpoint, Routes
from borne.adapters.web.state import web_state
from borne.application.authorization.whitelist import Whitelist
from borne.application.charging.station_control import StationControl
from borne.application.commands import Argument, Command, Effect, Members, commands_of
from borne.application.limits.charging_profiles import ChargingProfiles
from borne.application.meters.site_meter_service import SiteMeterService
from borne.application.ports.simulator import SimulatorPort
from borne.application.services import LoadView, Restarter

METHODS = {
    Effect.ACT: ("POST", 200),
    Effect.ACT_LATER: ("POST", 202),
    Effect.ADD: ("POST", 201),
    Effect.SET: ("PUT", 200),
    Effect.REMOVE: ("DELETE", 200),
}
"""Method, and status on success."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The service that executes the commands of a class."""

    declares: type
    find: Callable[[Request], object]
    tag: str
    access: Access = OPERATOR
    """With the role of the command in the place of its own."""


RECEIVERS = (
    Receiver(StationControl, lambda request: station(request).control, "connectors"),
    Receiver(Restarter, lambda request: station(request).restarter, "connectors"),
    Receiver(Whitelist, lambda request: station(request).whitelist, "records"),
    Receiver(ChargingProfiles, profiles_of, "limits"),
    Receiver(SiteMeterService, second_meter_of, "meters"),
    Receiver(LoadView, load_of, "load management"),
    Receiver(SimulatorPort, simulator_of, "simulator", WORLD),
)


def routes_of(receiver: Receiver) -> Routes:
    """One route per command of the receiver."""
    routes = Routes(receiver.access, API, tag=receiver.tag)
    for command in commands_of(receiver.declares):
        method, status = METHODS[command.effect]
        routes.add(
            method,
            f"/{command.name}",
            endpoint(command, receiver.find),
            dataclasses.replace(receiver.access, role=command.role),
            summary=command.summary,
            status_code=status,
            command=command,
        )
    return routes


def endpoint(command: Command, find: Callable[[Request], object]) -> Endpoint:
    """The endpoint of a command."""

    async def give(request: Request, body: Any = None, **arguments: object) -> object:
        given = arguments if body is None else arguments | arguments_in(command, body)
        answer = await command.execute(find(request), visitor(request).principal, given)
        if dataclasses.is_dataclass(answer):
            return answer
        return revision(request) if answer is None else {"status": answer} | revision(request)

    give.__name__ = last_word(command).replace("-", "_")
    give.__doc__ = command.description
    give.__signature__ = Signature(parameters(command))  # type: ignore[attr-defined]  # functions may have one
    return give


def revision(request: Request) -> dict[str, object]:
    """The revision of the status after a command; without power there is no station."""
    services = web_state(request.app).host.services()
    return {"revision": services.status.revision} if services else {"power": "off"}


def arguments_in(command: Command, body: Any) -> dict[str, object]:
    """The arguments from a body."""
    whole = whole_of(command)
    if whole is not None:
        return {whole: body}
    return {name: getattr(body, name) for name in type(body).model_fields}


def whole_of(command: Command) -> str | None:
    """The argument that is the whole body, if any."""
    return next((name for name, each in command.arguments.items() if each.kind == Members), None)


def parameters(command: Command) -> list[Parameter]:
    """Parameters of the endpoint, for FastAPI."""
    found = [_parameter("request", Request)]
    members: dict[str, Argument] = {}
    for name, argument in command.arguments.items():
        kind = bounded(argument.kind)
        if f"{{{name}}}" in command.name:
            found.append(_parameter(name, Annotated[kind, Path()]))
        elif command.effect is Effect.REMOVE:
            found.append(_parameter(name, Annotated[kind, Query()], argument.default))
        else:
            members[name] = argument
    if members:
        found.append(_body(command, members))
    return found


def _body(command: Command, members: Mapping[str, Argument]) -> Parameter:
    """The body is optional if all its members are."""
    whole = whole_of(command)
    assert whole is None or len(members) == 1
    kind: Any = JsonObject if whole else model_of(command, members)
    if any(argument.required for argument in members.values()):
        return _parameter("body", Annotated[kind, FromBody()])
    return _parameter("body", Annotated[kind | None, FromBody()], None)


def model_of(command: Command, members: Mapping[str, Argument]) -> type[Body]:
    """The model of the body."""
    fields: dict[str, Any] = {
        name: (bounded(each.kind), ... if each.required else each.default)
        for name, each in members.items()
    }
    return create_model(model_name(command), __base__=Body, **fields)


def last_word(command: Command) -> str:
    """The last word of the name that is not an argument."""
    return [word for word in command.name.split("/") if not word.startswith("{")][-1]


def model_name(command: Command) -> str:
    """Name of the body model in the API description."""
    kind = "" if command.effect in {Effect.ACT, Effect.ACT_LATER} else command.effect.title()
    return last_word(command).title().replace("-", "") + kind


def _parameter(name: str, kind: object, default: object = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=default)


MODULES = tuple(routes_of(receiver) for receiver in RECEIVERS)
