"""The settings in force, for the services that use them.

A service reads the current snapshot by calling `RunningSettings`. If it must react to a change at
once, it subscribes to the keys concerned; settings that are read at each use need no subscription.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from borne.domain.settings.addressing import connectors_of
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.snapshot import Settings, UnknownSetting
from borne.foundation.events import Signal, Unsubscribe


@dataclass(frozen=True, slots=True)
class _Change:
    before: Settings
    after: Settings


@dataclass(frozen=True, slots=True)
class _Observer:
    """A listener with the keys that it follows."""

    keys: Collection[str]
    listener: Callable[[], None]

    def __call__(self, change: _Change) -> None:
        if any(_differs(key, change) for key in self.keys):
            self.listener()


class RunningSettings:
    """The snapshot in force; call it to read. A setting that needs a restart keeps its value of the
    start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._changed: Signal[_Change] = Signal()
        self._observed: list[Collection[str]] = []

    def __call__(self) -> Settings:
        return self._settings

    @property
    def observed(self) -> frozenset[str]:
        """Keys to which at least one service has subscribed."""
        return frozenset().union(*self._observed)

    def on_change(self, keys: Collection[str], listener: Callable[[], None]) -> Unsubscribe:
        """Call `listener` whenever a value in force of one of `keys` has changed, also if only its
        default changed with another setting. Raises UnknownSetting."""
        for key in keys:
            if key not in CATALOGUE.settings:
                raise UnknownSetting(key)
        self._observed.append(keys)
        return self._changed.subscribe(_Observer(keys, listener))

    def replace(self, settings: Settings) -> None:
        """Publish a committed change; called by the owner of the settings."""
        change = _Change(self._settings, settings)
        self._settings = settings
        self._changed.emit(change)
        if settings is not change.before:
            change.before.drop_cache()


def _differs(key: str, change: _Change) -> bool:
    before, after = change.before, change.after
    return any(
        before.get(key, connector) != after.get(key, connector)
        for connector in connectors_of(CATALOGUE.settings[key], after.facts)
    )
