"""What a backend asks, where a whole station would be too much."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from borne.application.backend import backend_commands
from borne.application.backend.backend_commands import BackendCommands
from borne.application.settings.settings_configuration import phase_rotations
from borne.domain.settings.snapshot import Settings
from borne.domain.station.session import StopReason


@pytest.mark.parametrize(
    ("retries", "failures", "tries"), [(0, 0, 1), (0, 9, 1), (2, 1, 2), (2, 9, 3)]
)
async def test_ResetRetries(  # noqa: N802 -- named after the setting
    monkeypatch: pytest.MonkeyPatch, retries: int, failures: int, tries: int
) -> None:
    monkeypatch.setattr(backend_commands, "RESET_PAUSE_S", 0.0)
    asked: list[StopReason] = []

    async def restart(reason: StopReason) -> None:
        asked.append(reason)
        if len(asked) <= failures:
            raise OSError("the board says no")

    settings = SimpleNamespace(settings=Settings(stored={"ResetRetries": retries}))
    services: Any = SimpleNamespace(restart=restart, settings=settings)
    await BackendCommands(services).reset(hard=True)
    assert asked == [StopReason.HARD_RESET] * tries


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.RST", {"ConnectorPhaseRotation": "RST"}),
        (
            "0.RST, 1.rts,2.STR",
            {"ConnectorPhaseRotation": "RTS", "ConnectorPhaseRotation_2": "STR"},
        ),
        ("0.RST", {}),
        ("0.RTS", None),
        ("3.RST", None),
        ("RST", None),
        ("", None),
        ("1.RST;2.RST", None),
    ],
)
def test_phase_rotations(value: str, expected: dict[str, str] | None) -> None:
    assert phase_rotations(value, 2) == expected
