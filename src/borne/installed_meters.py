"""The meters that the settings name, in the place of those that the plant has (manual 7.5).

What reads them is imported only when a meter is set: most stations have none but their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from borne.application.meters.meter_search import FoundMeter, SearchProgress, SearchRequest
from borne.application.meters.meter_trial import Polls
from borne.application.ports.hardware import (
    EvseHardware,
    Hardware,
    MeterPort,
    SiteMeterPort,
)
from borne.application.settings.station_settings import phases_connected
from borne.domain.meters.address import MeterAddress
from borne.domain.settings.catalogue.meter_profiles import USER_DEFINED
from borne.domain.settings.meter_addresses import (
    billing_meter,
    is_without_meter,
    site_meter,
)
from borne.domain.settings.snapshot import Settings

if TYPE_CHECKING:
    from borne.protocols.meter_profiles import Profile
    from borne.protocols.modbus.buses import Buses

USER_DEFINED_FILE = "user_defined_meter.toml"
"""In the data folder: the registers of the meter type "Modbus, user-defined"."""


class InstalledMeters:
    """The meters of a station and the ports that they share, from one power-up to the next."""

    def __init__(self, data: Path) -> None:
        self._profile_file = data / USER_DEFINED_FILE
        self._buses: Buses | None = None
        self._aborts: list[Callable[[], None]] = []

    def fit(self, hardware: Hardware, settings: Settings) -> Hardware:
        """`hardware` with the meters that the settings name; not started yet."""
        return replace(
            hardware,
            evses=tuple(self._fit_socket(evse, settings) for evse in hardware.evses),
            site_meter=self._site_meter(hardware.site_meter, settings),
        )

    async def poll(self, address: MeterAddress) -> Polls:
        """Poll any meter a few times, for a live test."""
        from borne.adapters.meters.endpoints import BadAddress
        from borne.adapters.meters.polls import poll_meter

        try:
            profile = self._user_defined(address)
        except BadAddress as bad:
            return Polls((), error=bad.message, was_asked=False)
        return await poll_meter(address, self._shared(), profile=profile)

    async def find(
        self, request: SearchRequest
    ) -> AsyncGenerator[SearchProgress | FoundMeter, None]:
        """Search for meters; see `FindMeters`."""
        from borne.adapters.meters.search import find_meters

        async with contextlib.aclosing(find_meters(request, self._shared())) as news:
            async for each in news:
                yield each

    def abort(self) -> None:
        """Stop everything at once, as by a power cut."""
        for abort in self._aborts:
            abort()
        self._aborts.clear()
        if self._buses is not None:
            self._buses.abort()
            self._buses = None

    async def close(self) -> None:
        """Close the ports, after the meters have stopped."""
        self._aborts.clear()
        buses, self._buses = self._buses, None
        if buses is not None:
            await buses.close()

    def _fit_socket(self, evse: EvseHardware, settings: Settings) -> EvseHardware:
        if is_without_meter(settings, evse.connector):
            return replace(evse, meter=None)
        address = billing_meter(settings, evse.connector)
        if address is None:
            return evse
        phases = range(phases_connected(settings, evse.connector))
        return replace(evse, meter=self._billing_meter(address, phases))

    def _billing_meter(self, address: MeterAddress, phases: range) -> MeterPort:
        from borne.adapters.meters.endpoints import BadAddress
        from borne.adapters.meters.factory import build_billing_meter
        from borne.adapters.meters.missing_meter import MissingMeter

        try:
            meter = build_billing_meter(
                address, self._shared(), phases=phases, profile=self._user_defined(address)
            )
        except BadAddress as bad:
            return MissingMeter(bad.message)
        self._aborts.append(meter.abort)
        return meter

    def _site_meter(
        self, built_in: SiteMeterPort | None, settings: Settings
    ) -> SiteMeterPort | None:
        """The second meter. While its address is not set, a simulated plant's own one stands in."""
        address = site_meter(settings)
        if address is None:
            return None
        if built_in is not None and not (address.host or address.device):
            return built_in
        from borne.adapters.meters.endpoints import BadAddress
        from borne.adapters.meters.factory import build_meter
        from borne.adapters.meters.missing_meter import MissingMeter

        try:
            meter = build_meter(address, self._shared(), profile=self._user_defined(address))
        except BadAddress as bad:
            return MissingMeter(bad.message)
        self._aborts.append(meter.abort)
        return meter

    def _user_defined(self, address: MeterAddress) -> Profile | None:
        """The operator's own profile, if the type is that one; raises BadAddress."""
        if address.slug != USER_DEFINED:
            return None
        from borne.adapters.meters.user_defined import read_profile

        return read_profile(self._profile_file)

    def _shared(self) -> Buses:
        if self._buses is None:
            from borne.protocols.modbus.buses import Buses

            self._buses = Buses()
        return self._buses
