"""A command of any service has its route, rights, forms and description from its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import FastAPI

from borne.adapters.web.access import USER
from borne.adapters.web.api.commands import Receiver, model_name, routes_of
from borne.adapters.web.factory import all_routes
from borne.application.commands import (
    ConnectorId,
    Effect,
    Length,
    Members,
    Range,
    Removed,
    command,
    commands_of,
)
from borne.application.refusals import Refused
from borne.domain.principals import Principal, Role
from borne.foundation.messages import verbatim
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Client, Clients
from tools.openapi import document

API = "/api/v1"
Brightness = Annotated[float, Range(0, 100)]
Colour = Annotated[str, Length(1, 10)]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp as it is now."""

    lamp: int
    brightness: float
    colour: str = "white"


class Lamps:
    """A small service. All that the web interface knows of it is one `Receiver`."""

    def __init__(self) -> None:
        self.done: list[object] = []

    @command("lamps/{connector}/blink", Role.INSTALLER, "Blink a lamp")
    async def blink(self, connector: ConnectorId, principal: Principal, *, times: int = 2) -> None:
        """Blink the lamp of a connector."""
        self.done.append((connector, principal.role, times))

    @command("lamps/{connector}", Role.OPERATOR, "Set a lamp", Effect.SET)
    async def set_lamp(
        self, connector: ConnectorId, *, brightness: Brightness, colour: Colour = "white"
    ) -> Lamp:
        """How bright it is, in percent."""
        if connector > 2:
            raise Refused("unknown_connector", verbatim("There is no such lamp."))
        return Lamp(connector, brightness, colour)

    @command("lamps/scenes", Role.OPERATOR, "Add a scene", Effect.ADD)
    async def add_scene(self, scene: Members) -> None:
        """Any members."""
        self.done.append(scene)

    @command("lamps/scenes/{scene}", Role.OPERATOR, "Remove a scene", Effect.REMOVE)
    async def remove_scene(self, scene: Colour, *, force: bool = False) -> Removed:
        """By its name."""
        self.done.append((scene, force))
        return Removed(1)


@pytest.fixture
def lamps(app: FastAPI) -> Lamps:
    """A service that the application has learnt of by one line."""
    service = Lamps()
    app.router.routes.extend(routes_of(Receiver(Lamps, lambda _: service, "lamps")))
    return service


async def test_a_command_is_given_by_its_name(
    lamps: Lamps, api: Clients, operator: Client, host: FakeHost
) -> None:
    installer = await api(Role.INSTALLER)
    bodies: tuple[dict[str, Any], ...] = ({"json": {"times": 3}}, {"json": {}}, {})
    for body in bodies:
        answer = await installer.post(f"{API}/lamps/1/blink", **body)
        assert (answer.status_code, answer.json()) == (200, {"revision": host.status.revision})
    assert lamps.done == [(1, Role.INSTALLER, times) for times in (3, 2, 2)]
    answer = await operator.put(f"{API}/lamps/2", json={"brightness": 40})
    assert answer.json() == {"lamp": 2, "brightness": 40, "colour": "white"}
    answer = await operator.post(f"{API}/lamps/scenes", json={"evening": [1, 2]})
    assert (answer.status_code, lamps.done[-1]) == (201, {"evening": [1, 2]})
    answer = await operator.delete(f"{API}/lamps/scenes/evening?force=true")
    assert (answer.json(), lamps.done[-1]) == ({"removed": 1}, ("evening", True))


async def test_rights_are_those_of_the_declaration(
    lamps: Lamps, anyone: Client, operator: Client
) -> None:
    assert (await anyone.post(f"{API}/lamps/1/blink")).status_code == 401
    weak = await operator.post(f"{API}/lamps/1/blink")
    assert (weak.status_code, weak.json()["needed"]) == (403, "installer")
    assert lamps.done == []


async def test_what_it_cannot_take_is_refused_in_words(lamps: Lamps, operator: Client) -> None:
    for path, body in (
        ("lamps/0", {"brightness": 1}),
        ("lamps/1", {}),
        ("lamps/1", {"brightness": 101}),
        ("lamps/1", {"brightness": "40"}),
        ("lamps/1", {"brightness": 1, "colour": ""}),
        ("lamps/1", {"brightness": 1, "color": "red"}),
    ):
        answer = await operator.put(f"{API}/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid"), body
    missing = await operator.put(f"{API}/lamps/3", json={"brightness": 1})
    assert (missing.status_code, missing.json()["error"]) == (404, "unknown_connector")
    assert lamps.done == []


def test_it_is_in_the_description_of_the_api() -> None:
    routes = list(routes_of(Receiver(Lamps, lambda _: None, "lamps", USER)))
    described = document(routes)
    paths, schemas = described["paths"], described["components"]["schemas"]
    assert len(routes) == len(commands_of(Lamps))
    blink = paths[f"{API}/lamps/{{connector}}/blink"]["post"]
    assert (blink["x-role"], blink["tags"]) == ("installer", ["lamps"])
    assert blink["description"] == "Blink the lamp of a connector."
    assert {"401", "403", "404", "409", "422", "503"} < set(blink["responses"])
    assert schemas["Blink"]["properties"]["times"]["default"] == 2
    change = paths[f"{API}/lamps/{{connector}}"]["put"]
    content = change["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Lamp"}
    assert schemas["Lamp"]["required"] == ["lamp", "brightness", "colour"]
    assert schemas["LampsSet"]["properties"]["brightness"]["maximum"] == 100
    assert "201" in paths[f"{API}/lamps/scenes"]["post"]["responses"]
    removal = paths[f"{API}/lamps/scenes/{{scene}}"]["delete"]
    assert [each["in"] for each in removal["parameters"]] == ["path", "query"]


def test_names_of_models_are_those_of_one_command_each() -> None:
    commands = [route.command for route in all_routes() if route.command is not None]
    with_body = [each for each in commands if each.effect is not Effect.REMOVE]
    names = [model_name(each) for each in with_body]
    assert sorted(names) == sorted(set(names))
