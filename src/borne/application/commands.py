"""Commands of all services, each declared once at the method that executes it.

A declaration has a name, a role and a summary; the signature of the method has the arguments and
the answer. Interfaces derive the route, its access, the models of request and response, and the
button from it.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any, Final, ParamSpec, TypeVar

from borne.application.refusals import require
from borne.domain.principals import Principal, Role


@dataclass(frozen=True, slots=True)
class Length:
    """Limits for the length of a text argument, in characters."""

    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Range:
    """Limits for a number argument, inclusive."""

    lowest: float
    highest: float


ConnectorId = Annotated[int, Range(1, 64)]
IdToken = Annotated[str, Length(1, 255)]
Members = Mapping[str, object]
"""An argument of this type is the whole request body; the method checks its members."""


class Effect(StrEnum):
    """The kind of change that a command makes."""

    ACT = "act"
    ACT_LATER = "act_later"
    """Executed after the answer."""
    ADD = "add"
    """Adds or replaces an entry."""
    SET = "set"
    """Sets a value; repeating it changes nothing."""
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Removed:
    """How many entries were removed."""

    removed: int


P = ParamSpec("P")
R = TypeVar("R")
NO_DEFAULT: Final = inspect.Parameter.empty
_MARK = "__command__"
_PRINCIPAL = "principal"


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a command."""

    kind: Any
    """Its type, as written in the signature."""
    default: object = NO_DEFAULT

    @property
    def required(self) -> bool:
        """True if it has no default."""
        return self.default is NO_DEFAULT


@dataclass(frozen=True, slots=True)
class Command:
    """The declaration of a command: name, role, arguments and answer."""

    name: str
    """Words separated by slashes. A word in braces is an argument, for example which connector."""
    role: Role
    summary: str
    effect: Effect
    description: str
    arguments: Mapping[str, Argument]
    answer: Any
    """Its type: None, a `Literal` of words, or a dataclass."""
    method: str
    needs_principal: bool
    """The method has the argument `principal`."""

    async def execute(
        self, service: object, principal: Principal, /, arguments: Mapping[str, object]
    ) -> object:
        """Execute the command. Raises Refused."""
        require(principal, self.role)
        who = {_PRINCIPAL: principal} if self.needs_principal else {}
        method: Callable[..., Awaitable[object]] = getattr(service, self.method)
        return await method(**arguments, **who)


def command(
    name: str, role: Role, summary: str, effect: Effect = Effect.ACT
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Declare a method as a command with the same arguments. If `principal` is one of them, every
    call of the method checks its role."""

    def declare(
        method: Callable[P, Coroutine[Any, Any, R]],
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        declared = _declared(method, name, role, summary, effect)
        checked = _checked(method, role) if declared.needs_principal else method
        setattr(checked, _MARK, declared)
        return checked

    return declare


def commands_of(service: type) -> tuple[Command, ...]:
    """The commands that a class declares, in order."""
    declared = (getattr(member, _MARK, None) for member in vars(service).values())
    return tuple(each for each in declared if isinstance(each, Command))


def command_of(method: Callable[..., object]) -> Command:
    """The declaration of a method."""
    declared = getattr(method, _MARK)
    assert isinstance(declared, Command)
    return declared


def _declared(
    method: Callable[..., object], name: str, role: Role, summary: str, effect: Effect
) -> Command:
    hints = typing.get_type_hints(method, include_extras=True)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return Command(
        name,
        role,
        summary,
        effect,
        inspect.getdoc(method) or "",
        {
            each.name: Argument(hints[each.name], each.default)
            for each in parameters
            if each.name != _PRINCIPAL
        },
        hints["return"],
        method.__name__,
        any(each.name == _PRINCIPAL for each in parameters),
    )


def _checked(
    method: Callable[P, Coroutine[Any, Any, R]], role: Role
) -> Callable[P, Coroutine[Any, Any, R]]:
    place = list(inspect.signature(method).parameters).index(_PRINCIPAL)

    @wraps(method)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        principal = args[place] if place < len(args) else kwargs[_PRINCIPAL]
        assert isinstance(principal, Principal)
        require(principal, role)
        return await method(*args, **kwargs)

    return checked
