"""A command is declared once; the declaration asks for the right and says what it takes."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import pytest

from borne.application.commands import (
    Argument,
    Effect,
    Length,
    Removed,
    command,
    command_of,
    commands_of,
)
from borne.application.refusals import Refused
from borne.domain.principals import Principal, PrincipalKind, Role

INSTALLER = Principal(PrincipalKind.PERSON, Role.INSTALLER, "installer")
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR)
Text = Annotated[str, Length(1, 16)]


class Lamps:
    def __init__(self) -> None:
        self.done: list[object] = []

    @command("lamps/{lamp}/blink", Role.INSTALLER, "Blink")
    async def blink(
        self, lamp: int, principal: Principal, *, times: int = 2, text: Text | None = None
    ) -> Literal["now", "later"]:
        """Blink a lamp."""
        self.done.append((lamp, principal.name, times, text))
        return "now"

    @command("lamps/{lamp}", Role.INSTALLER, "Take a lamp out", Effect.REMOVE)
    async def remove(self, principal: Principal, lamp: int) -> Removed:
        """Take it out."""
        self.done.append(lamp)
        return Removed(1)

    async def helper(self) -> None:
        """No command."""


def test_a_declaration_says_all_of_a_command() -> None:
    blink, remove = commands_of(Lamps)
    assert (blink.name, blink.role, blink.summary) == (
        "lamps/{lamp}/blink",
        Role.INSTALLER,
        "Blink",
    )
    assert (blink.effect, remove.effect) == (Effect.ACT, Effect.REMOVE)
    assert blink.description == "Blink a lamp."
    assert blink.arguments == {
        "lamp": Argument(int),
        "times": Argument(int, 2),
        "text": Argument(Text | None, None),
    }
    assert [name for name, each in blink.arguments.items() if each.required] == ["lamp"]
    assert (blink.answer, remove.answer) == (Literal["now", "later"], Removed)
    assert command_of(Lamps.blink) is blink


async def test_a_command_calls_its_method() -> None:
    lamps = Lamps()
    blink, remove = commands_of(Lamps)
    assert await blink.execute(lamps, INSTALLER, {"lamp": 2, "times": 3}) == "now"
    assert await lamps.blink(1, INSTALLER) == "now"
    assert await lamps.blink(1, principal=INSTALLER, text="hello") == "now"
    assert await remove.execute(lamps, INSTALLER, {"lamp": 9}) == Removed(1)
    assert lamps.done == [
        (2, "installer", 3, None),
        (1, "installer", 2, None),
        (1, "installer", 2, "hello"),
        9,
    ]


@pytest.mark.parametrize("role", [Role.USER, Role.OPERATOR])
async def test_a_principal_without_the_right_is_refused(role: Role) -> None:
    lamps, weak = Lamps(), Principal(PrincipalKind.PERSON, role)
    blink, _ = commands_of(Lamps)
    for attempt in (
        lamps.blink(1, weak),
        lamps.remove(weak, 1),
        blink.execute(lamps, weak, {"lamp": 1}),
    ):
        with pytest.raises(Refused, match="needs installer") as refused:
            await attempt
        assert refused.value.code == "forbidden"
    assert lamps.done == []


class Port(Protocol):
    @command("lamps/{lamp}/paint", Role.INSTALLER, "Paint")
    async def paint(self, lamp: int) -> None:
        """A method that does not ask who gives the command."""


class Painter:
    def __init__(self) -> None:
        self.painted: list[int] = []

    async def paint(self, lamp: int) -> None:
        self.painted.append(lamp)


async def test_a_port_declares_for_what_implements_it() -> None:
    (paint,), painter = commands_of(Port), Painter()
    with pytest.raises(Refused):
        await paint.execute(painter, OPERATOR, {"lamp": 1})
    await paint.execute(painter, INSTALLER, {"lamp": 2})
    assert painter.painted == [2]
