"""The services for the meter of the site and for the live test of meters."""

from __future__ import annotations

from collections.abc import Mapping

from borne.application.charging.fault_service import FaultService
from borne.application.charging.metering_service import MeteringService
from borne.application.composition.parts import StationParts
from borne.application.meters.meter_trial import MeterTrial, MeterTrials
from borne.application.meters.own_current import OwnCurrent
from borne.application.meters.site_meter_service import SiteMeterService, SiteMeterSources
from borne.application.security.security_events import SecurityEvent, SecurityEvents
from borne.domain.meters.site_status import SiteMeterState, SiteMeterStatus
from borne.domain.station.faults import Fault
from borne.foundation.supervisor import Supervisor


class Meters:
    """The second meter, and the live test."""

    def __init__(
        self,
        parts: StationParts,
        supervisor: Supervisor,
        metering: MeteringService,
        faults: FaultService,
        events: SecurityEvents,
    ) -> None:
        settings = parts.settings.running
        own_current = OwnCurrent(metering, settings)
        self._metering = metering
        self._clock = parts.clock
        self._faults = faults
        self._events = events
        self.site = SiteMeterService(
            parts.hardware.site_meter,
            SiteMeterSources(
                settings,
                own_current,
                parts.storage.state,
                parts.clock,
                supervisor,
                self._on_other_meter,
            ),
        )
        self.trial: MeterTrial | None = None
        if parts.poll_meter is not None:
            self.trial = MeterTrials(parts.poll_meter, settings, own_current, parts.clock)

    async def start(self) -> None:
        """Start the second meter; its silence is a fault that stops no transaction."""
        self.site.silent.subscribe(self._on_silent)
        await self.site.start()

    def site_status(self) -> SiteMeterStatus | None:
        """The status of the second meter; None if none is set."""
        status = self.site.status
        return None if status.state is SiteMeterState.ABSENT else status

    def ages_s(self) -> Mapping[str, float]:
        """How old the last reading of each meter is: by the number of the socket, or "second"."""
        now_s = self._clock.monotonic()
        ages = {str(n): max(0.0, now_s - r.at_s) for n, r in self._metering.readings.items()}
        second = self.site.status.age_s
        return ages if second is None else {**ages, "second": second}

    def _on_silent(self, silent: bool) -> None:
        self._faults.set_station_fault(Fault.METER_EXTERNAL, active=silent)

    def _on_other_meter(self, sentence: str) -> None:
        self._events.note_later(SecurityEvent.TAMPER_DETECTION, sentence)
