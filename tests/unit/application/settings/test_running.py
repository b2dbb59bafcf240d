"""The settings in force, and who is called when they change."""

from __future__ import annotations

import pytest

from borne.application.settings.running import RunningSettings
from borne.domain.settings.choices import IfInDoubt
from borne.domain.settings.snapshot import Settings, UnknownSetting


@pytest.fixture
def running() -> RunningSettings:
    return RunningSettings(Settings())


def test_only_observers_of_changed_keys_are_called(running: RunningSettings) -> None:
    called: list[str] = []
    running.on_change({"FLLEnable", "TimeZone"}, lambda: called.append("lists"))
    running.on_change({"LogLevel"}, lambda: called.append("log"))
    running.replace(Settings().with_values({"FLLEnable": True}))
    running.replace(Settings().with_values({"FLLEnable": True, "StationName": "Yard"}))
    assert called == ["lists"]


def test_an_observer_reads_the_new_value(running: RunningSettings) -> None:
    seen: list[bool] = []
    running.on_change({"FLLEnable"}, lambda: seen.append(running().flag("FLLEnable")))
    running.replace(Settings().with_values({"FLLEnable": True}))
    running.replace(Settings())
    assert seen == [True, False]


def test_a_default_that_follows_another_setting_is_a_change(running: RunningSettings) -> None:
    called: list[str] = []
    running.on_change({"OperatorCurrentLimit"}, lambda: called.append("limit"))
    running.replace(Settings().with_values({"InstallationCurrentLimit_2": 10}))
    assert called == ["limit"]


def test_a_view_of_another_setting_changes_with_it(running: RunningSettings) -> None:
    called: list[str] = []
    running.on_change({"AllowOfflineTxForUnknownId"}, lambda: called.append("view"))
    running.replace(Settings().with_values({"IfInDoubtAllowCharging": IfInDoubt.ON}))
    assert called == ["view"]


def test_an_ended_subscription_is_not_called(running: RunningSettings) -> None:
    called: list[str] = []
    end = running.on_change({"FLLEnable"}, lambda: called.append("lists"))
    end()
    running.replace(Settings().with_values({"FLLEnable": True}))
    assert called == []


def test_an_unknown_key_is_an_error(running: RunningSettings) -> None:
    with pytest.raises(UnknownSetting):
        running.on_change({"FllEnable"}, lambda: None)
    assert running.observed == frozenset()
