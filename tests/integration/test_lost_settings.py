"""A station that lost its newest settings does not charge until a person confirms the limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from borne.domain.principals import Principal, PrincipalKind, Role
from borne.domain.station.faults import Fault
from tests.support.running_station import RunningStation, running_station
from tests.support.virtual_time import run_virtual

FREE: dict[str, Any] = {"FreeCharging": "on", "FreeChargingMode": "no_ocpp"}
OPERATOR = Principal(PrincipalKind.PERSON, Role.OPERATOR, "operator")


def newest(data: Path) -> Path:
    return max((data / "settings").glob("settings-*.json"))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "one bit": flip,
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:100]),
    "removed": Path.unlink,
    "an older one": lambda file: file.write_bytes(min(file.parent.iterdir()).read_bytes()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_charging_is_blocked_until_a_person_confirms(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    run_virtual(lost(tmp_path, damage))


async def lost(data: Path, damage: Callable[[Path], object]) -> None:
    async with running_station(data, **FREE) as station:
        await station.set(InstallationCurrentLimit="16")
        await station.set(InstallationCurrentLimit="20")
        await station.set(InstallationCurrentLimit="10")
    damage(newest(data))
    async with running_station(data) as station:
        await charges_nobody(station)
    async with running_station(data) as station:
        await charges_nobody(station)
        await station.services.settings.confirm_limits(OPERATOR)
        assert station.host.health().ready
        await station.until_state("charging")
        assert faults(station) == []
        assert offered(station) == 16.0
    async with running_station(data) as station:
        assert station.services.settings.charging_allowed


async def charges_nobody(station: RunningStation) -> None:
    await station.plug(1, {"max_a": 32})
    await asyncio.sleep(60.0)
    assert offered(station) == 0.0
    assert faults(station) == [Fault.SETTINGS_DAMAGED.value]
    health = station.host.health()
    assert (health.ready, health.works) == (False, True)
    assert health.reasons == ("The settings were damaged; confirm the limits.",)


def offered(station: RunningStation) -> float:
    return float(station.connector()["offered_a"][0])


def faults(station: RunningStation) -> list[str]:
    return [active.fault.value for active in station.services.status.snapshot().faults]
