"""The catalogue: every setting, reading, action, list and account of the station, once.

Facts follow the manual; keys, ranges and defaults that it does not give follow the decisions in
docs/decisions. One entry serves form, validation, API, OCPP, CLI and docs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from borne.domain.settings.catalogue import (
    authorization,
    backend,
    installation,
    load_management,
    network,
    ocpp_keys,
    readings,
    system,
)
from borne.domain.settings.entry import Entry, Menu, SettingKind


class Catalogue:
    """Entries by key, in the order of the pages."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self._by_key = {entry.key: entry for entry in entries}
        self._by_folded = {entry.key.casefold(): entry for entry in entries}
        if len(self._by_folded) != len(entries):
            raise ValueError("two entries of the catalogue share a key")
        self.settings: Mapping[str, Entry] = MappingProxyType(
            {entry.key: entry for entry in entries if entry.kind is SettingKind.SETTING}
        )

    def __getitem__(self, key: str) -> Entry:
        return self._by_key[key]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def fold(self, key: str) -> Entry | None:
        """The entry with that key in any letter case, as OCPP compares keys."""
        return self._by_folded.get(key.casefold())

    def menu(self, menu: Menu) -> dict[str, list[Entry]]:
        """The entries of a page by group, in order."""
        groups: dict[str, list[Entry]] = {}
        for entry in self:
            if entry.menu is menu:
                groups.setdefault(entry.group, []).append(entry)
        return groups


CATALOGUE = Catalogue(
    network.ENTRIES
    + backend.ENTRIES
    + ocpp_keys.ENTRIES
    + authorization.ENTRIES
    + load_management.ENTRIES
    + installation.ENTRIES
    + system.ENTRIES
    + readings.ENTRIES
)
