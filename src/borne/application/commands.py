"""Commands to a connector, each declared once at the method that executes it.

The declaration checks the role of the principal. Interfaces derive the route, the access table, the
response and the button from it.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from borne.application.refusals import require
from borne.domain.principals import Principal, Role


@dataclass(frozen=True, slots=True)
class Length:
    """Limits for the length of a text argument, in characters."""

    shortest: int
    longest: int


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
Method = Callable[Concatenate[S, int, Principal, P], Awaitable[R]]
_MARK = "__command__"


@dataclass(frozen=True, slots=True)
class Command:
    """The declaration of a command: name, role and arguments."""

    name: str
    role: Role
    summary: str
    description: str
    arguments: Mapping[str, tuple[Any, Any]]
    """Type and default by name; the default is `...` if required."""
    has_answer: bool
    """The command returns a word, for example "accepted"."""
    method: str

    def execute(
        self, service: object, connector: int, principal: Principal, **arguments: object
    ) -> Awaitable[str | None]:
        """Execute the command. Raises Refused."""
        given: Awaitable[str | None] = getattr(service, self.method)(
            connector, principal, **arguments
        )
        return given


def command(name: str, role: Role, summary: str) -> Callable[[Method[S, P, R]], Method[S, P, R]]:
    """Declare a method `(self, connector, principal, *, arguments)` as a command. The parameters
    after `principal` are the arguments of the command."""

    def declare(method: Method[S, P, R]) -> Method[S, P, R]:
        @wraps(method)
        async def checked(
            self: S, connector: int, principal: Principal, /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            require(principal, role)
            return await method(self, connector, principal, *args, **kwargs)

        hints = typing.get_type_hints(method, include_extras=True)
        parameters = list(inspect.signature(method).parameters.values())[3:]
        declared = Command(
            name,
            role,
            summary,
            inspect.getdoc(method) or "",
            {
                each.name: (
                    hints[each.name],
                    ... if each.default is inspect.Parameter.empty else each.default,
                )
                for each in parameters
            },
            hints["return"] is str,
            method.__name__,
        )
        setattr(checked, _MARK, declared)
        return checked

    return declare


def commands_of(service: type) -> dict[str, Command]:
    """The commands that a class declares, by name."""
    declared = (getattr(member, _MARK, None) for member in vars(service).values())
    return {each.name: each for each in declared if isinstance(each, Command)}
