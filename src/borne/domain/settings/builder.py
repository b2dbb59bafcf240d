"""Compact notation for the catalogue: a section holds what its rows have in common."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypedDict, TypeVar, Unpack

from borne.domain.principals import Role
from borne.domain.settings.entry import (
    Choice,
    Condition,
    Entry,
    Format,
    Menu,
    OcppAccess,
    Origin,
    SettingKind,
    SettingScope,
    Type,
    Value,
)

C = TypeVar("C", bound=StrEnum)


class Row(TypedDict, total=False):
    """Optional attributes of a row."""

    default: Value
    unit: str
    scope: SettingScope
    role: Role
    ocpp: OcppAccess
    restart: bool
    when: tuple[Condition, ...]
    origin: Origin
    low: int | None
    high: int | None
    also: Mapping[int, str]
    at_most: str
    format: Format
    min_length: int
    max_length: int
    max_items: int
    constant: bool
    derived_from: str
    backend_raises_only: bool
    safe: Value
    instead_of: str


class Section:
    """Creates the entries of one group of a menu."""

    def __init__(self, menu: Menu, group: str, **common: Unpack[Row]) -> None:
        self._menu = menu
        self._group = group
        self._common = common

    def _entry(self, key: str, label: str, help_: str, type_: Type, row: Row, **own: Any) -> Entry:
        return Entry(
            key=key,
            label=label,
            help=help_,
            menu=self._menu,
            group=self._group,
            type=type_,
            **{**self._common, **own, **row},
        )

    def flag(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """A boolean; off by default."""
        return self._entry(key, label, help_, Type.BOOL, row, default=False)

    def integer(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        return self._entry(key, label, help_, Type.INT, row)

    def text(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """A text; empty by default."""
        return self._entry(key, label, help_, Type.TEXT, row, default="")

    def secret(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """A password: write-only, hidden on pages and from the backend."""
        return self._entry(
            key, label, help_, Type.SECRET, row, default="", ocpp=OcppAccess.NONE, max_length=128
        )

    def secret_key(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """Secret bytes (decision D32)."""
        return self._entry(key, label, help_, Type.SECRET_KEY, row, default=b"")

    def address(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """An IPv4 or IPv6 address, or empty."""
        common: dict[str, Any] = {"default": "", "format": Format.IP, "max_length": 45}
        return self._entry(key, label, help_, Type.IP, row, **common)

    def items(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """A list; empty by default."""
        return self._entry(key, label, help_, Type.LIST, row, default=())

    def amps(self, key: str, label: str, help_: str = "", **row: Unpack[Row]) -> Entry:
        """Whole amperes for L1, L2, L3."""
        common: dict[str, Any] = {"low": 0, "high": 9999, "unit": "A"}
        return self._entry(key, label, help_, Type.PER_PHASE, row, **common)

    def choice(
        self,
        key: str,
        label: str,
        values: Mapping[C, str],
        help_: str = "",
        first: int = 0,
        **row: Unpack[Row],
    ) -> Entry:
        """One of `values` (member to label), numbered from `first` for OCPP; by default the
        first."""
        choices = tuple(
            Choice(member.value, text, number)
            for number, (member, text) in enumerate(values.items(), first)
        )
        member = next(iter(values))
        own = {"default": member, "choices": choices, "enum": type(member)}
        return self._entry(key, label, help_, Type.CHOICE, row, **own)

    def meter(
        self, key: str, label: str, profiles: tuple[Choice, ...], help_: str, **row: Unpack[Row]
    ) -> Entry:
        """A meter type, chosen by profile."""
        return self._entry(key, label, help_, Type.CHOICE, row, choices=profiles)

    def other(
        self, kind: SettingKind, key: str, label: str, help_: str = "", **row: Unpack[Row]
    ) -> Entry:
        """A reading, action, list or account: not a setting, but listed so that the search finds
        it."""
        types = {
            SettingKind.ACTION: Type.ACTION,
            SettingKind.LIST: Type.LIST,
            SettingKind.ACCOUNT: Type.SECRET,
        }
        type_ = types.get(kind, Type.STATE)
        return self._entry(key, label, help_, type_, row, kind=kind, ocpp=OcppAccess.NONE)
