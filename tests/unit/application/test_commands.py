"""A command is declared once; the declaration asks for the right and tells what it takes."""

from __future__ import annotations

import pytest

from borne.application.commands import command, commands_of
from borne.application.refusals import Refused
from borne.domain.principals import Principal, PrincipalKind, Role

INSTALLER = Principal(PrincipalKind.PERSON, Role.INSTALLER, "installer")


class Service:
    def __init__(self) -> None:
        self.done: list[object] = []

    @command("wink", Role.INSTALLER, "Wink")
    async def blink(self, connector: int, principal: Principal, *, times: int = 2) -> str:
        """Blink the light."""
        self.done.append((connector, principal.name, times))
        return "accepted"

    async def helper(self) -> None:
        """No command."""


def test_a_declaration_tells_all_of_a_command() -> None:
    assert list(commands_of(Service)) == ["wink"]
    declared = commands_of(Service)["wink"]
    assert (declared.role, declared.summary) == (Role.INSTALLER, "Wink")
    assert declared.description == "Blink the light."
    assert declared.arguments == {"times": (int, 2)}
    assert declared.has_answer


async def test_it_is_carried_out_by_its_method() -> None:
    service = Service()
    assert await commands_of(Service)["wink"].execute(service, 2, INSTALLER, times=3) == "accepted"
    assert await service.blink(1, INSTALLER) == "accepted"
    assert service.done == [(2, "installer", 3), (1, "installer", 2)]


@pytest.mark.parametrize("role", [Role.USER, Role.OPERATOR])
async def test_whoever_may_not_is_refused_and_nothing_is_done(role: Role) -> None:
    service, weak = Service(), Principal(PrincipalKind.PERSON, role)
    with pytest.raises(Refused, match="needs installer") as refused:
        await service.blink(1, weak)
    assert refused.value.code == "forbidden"
    assert service.done == []
