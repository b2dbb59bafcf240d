"""A card reader that stops answering is a fault, unless none is fitted (setting RFIDEnable)."""

from __future__ import annotations

from collections.abc import Sequence

from borne.application.charging.fault_service import FaultService
from borne.application.ports.hardware import ReaderPort
from borne.application.settings.running import RunningSettings
from borne.domain.station.faults import Fault


class ReaderWatch:
    """Watches the links of all readers."""

    def __init__(
        self, readers: Sequence[ReaderPort], faults: FaultService, settings: RunningSettings
    ) -> None:
        self._readers = readers
        self._faults = faults
        self._settings = settings
        self._alive = True

    def start(self) -> None:
        """Subscribe to the readers and the setting."""
        for reader in self._readers:
            reader.subscribe_link(self._on_link_changed)
        self._settings.on_change({"RFIDEnable"}, self._judge)

    def _on_link_changed(self, alive: bool) -> None:
        self._alive = alive
        self._judge()

    def _judge(self) -> None:
        fitted = self._settings().flag("RFIDEnable")
        self._faults.set_station_fault(Fault.CARD_READER, active=fitted and not self._alive)
