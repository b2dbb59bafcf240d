"""Finds meters on serial lines and in the network by reading what distinguishes their types.

It only reads, with the lowest priority, so that it may run beside a station's own polls. Most
meters refuse a register that they do not have, which shows that they are there. A unit that
answers none of the first requests counts as absent, so a meter that ignores what it does not know
may be missed, unless few units are asked.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.polls import findings_capabilities, plausible
from borne.domain.meters.findings import Surroundings, findings
from borne.domain.meters.measurement import Measurement
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.domain.settings.entry import MeterReach
from borne.foundation.messages import verbatim
from borne.protocols.meter_profiles import Block, Profile, Refresh, load_profile, slugs
from borne.protocols.meter_profiles.resolving import Unresolved, resolve
from borne.protocols.modbus.bus import ModbusBus
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint
from borne.protocols.modbus.failures import (
    ExceptionAnswer,
    ExceptionCode,
    ModbusFailure,
    Unreachable,
    WrongAnswer,
)
from borne.protocols.modbus.job_queue import Priority, RetryPolicy

MAX_PLACES = 256
MAX_TARGETS_AT_ONCE = 8
MAX_GUESSES = 6
NAMED = 10.0
"""The likeness of a device that names its model."""
WEAK = 1.0
"""Below it, only a power was found that is possible."""
FIRST_REQUESTS = 3
"""A unit that answers none of them counts as absent."""
FEW_PLACES = 4
"""With no more than these, each unit is asked everything."""
_TCP_RETRY = RetryPolicy(timeout_s=1.0, attempts=1, asks_silent=True)
_LINE_RETRY = RetryPolicy(timeout_s=0.3, attempts=1, asks_silent=True)
_NOBODY = (ExceptionCode.GATEWAY_PATH_UNAVAILABLE, ExceptionCode.GATEWAY_TARGET_SILENT)


@dataclass(frozen=True, slots=True)
class ScanTarget:
    """A port and the units to ask there. `first_only` ends with the first unit that is a meter: a
    device in the network often answers as any unit."""

    endpoint: Endpoint
    units: Sequence[int] = (1,)
    first_only: bool = False


@dataclass(frozen=True, slots=True)
class Guess:
    """A type that the device may be; `measurement` is None if not all its registers can be read, or
    if they are implausible as this type."""

    slug: str
    likeness: float
    measurement: Measurement | None = None


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A unit that answers. `guesses`: the likeliest first; none: no meter of a known type."""

    endpoint: Endpoint
    unit: int
    guesses: Sequence[Guess] = ()

    @property
    def sure(self) -> bool:
        """One type fits by its voltages, and all its values are plausible; or the device names its
        model."""
        good = [guess.likeness for guess in self.guesses if guess.measurement is not None]
        if not good or good[0] < WEAK:
            return False
        return len(good) == 1 or good[0] >= NAMED


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How many of the places (port and unit) are done, and which was the last."""

    done: int
    total: int
    where: str


class TooMany(ValueError):
    """More places than one scan asks; `number` of them."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"{number} addresses are more than the {MAX_PLACES} of one scan.")


def scan(
    targets: Sequence[ScanTarget], buses: Buses
) -> AsyncGenerator[ScanProgress | FoundDevice, None]:
    """Ask all targets, some at once, those on one port one after the other. Closing the generator
    ends the scan. Raises TooMany, and at the end BadAddress for a serial port that could not be
    opened."""
    total = sum(len(target.units) for target in targets)
    if total > MAX_PLACES:
        raise TooMany(total)
    return _Scan(buses, total).run(targets)


def settings_for(device: FoundDevice, guess: Guess, prefix: str = "Second") -> dict[str, str]:
    """The settings that select this device as the site's meter, or with prefix "" as OCPP meter."""
    key = f"{prefix}Meter"
    chosen = {f"{key}Config": guess.slug}
    endpoint = device.endpoint
    on_line = PROFILES[guess.slug].reach is MeterReach.LINE
    if isinstance(endpoint, SerialEndpoint):
        chosen[f"{key}SerialPort"] = endpoint.device
        chosen[f"{key}BaudRate"] = str(endpoint.baud)
        chosen[f"{key}Parity"] = endpoint.parity.value
    elif on_line:
        chosen[f"{key}SerialPort"] = f"{endpoint.framing}://{endpoint}"
    else:
        chosen[f"{key}IP"] = endpoint.host
        chosen[f"{key}Port"] = str(endpoint.port)
    return chosen | {f"{key}UnitId": str(device.unit)}


class _Scan:
    def __init__(self, buses: Buses, total: int) -> None:
        self._buses = buses
        self._total = total
        self._done = 0
        self._news: asyncio.Queue[ScanProgress | FoundDevice | None] = asyncio.Queue()
        self._free = asyncio.Semaphore(MAX_TARGETS_AT_ONCE)

    async def run(
        self, targets: Sequence[ScanTarget]
    ) -> AsyncGenerator[ScanProgress | FoundDevice, None]:
        by_port: dict[str, list[ScanTarget]] = {}
        for target in targets:
            by_port.setdefault(str(target.endpoint), []).append(target)
        ports = [asyncio.ensure_future(self._scan_port(group)) for group in by_port.values()]
        for port in ports:
            port.add_done_callback(lambda _: self._news.put_nowait(None))
        running = len(ports)
        try:
            while running:
                news = await self._news.get()
                if news is not None:
                    yield news
                else:
                    running -= 1
            await asyncio.gather(*ports)
        finally:
            for port in ports:
                port.cancel()
            await asyncio.gather(*ports, return_exceptions=True)

    async def _scan_port(self, targets: Sequence[ScanTarget]) -> None:
        async with self._free:
            for target in targets:
                bus = self._buses.lease(target.endpoint)
                try:
                    await self._scan_target(bus, target)
                finally:
                    await self._buses.release(target.endpoint)

    async def _scan_target(self, bus: ModbusBus, target: ScanTarget) -> None:
        profiles = _candidates(target.endpoint)
        left = len(target.units)
        for unit in target.units:
            asking = _Unit(bus, unit, thorough=self._total <= FEW_PLACES)
            try:
                found = await _identify(asking, profiles)
            except Unreachable as failure:
                if isinstance(target.endpoint, SerialEndpoint):
                    raise BadAddress(verbatim(str(failure))) from None
                break
            if found is not None:
                self._news.put_nowait(found)
            left -= 1
            self._advance(1, f"{target.endpoint} unit {unit}")
            if target.first_only and found is not None and found.guesses:
                break
        if left:
            self._advance(left, str(target.endpoint))

    def _advance(self, places: int, where: str) -> None:
        self._done += places
        self._news.put_nowait(ScanProgress(self._done, self._total, where))


class _Unit:
    """What a unit has answered so far."""

    def __init__(self, bus: ModbusBus, unit: int, *, thorough: bool) -> None:
        self.endpoint = bus.endpoint
        self.unit = unit
        self.present = False
        self.words: dict[tuple[int, int], int] = {}
        self._bus = bus
        self._thorough = thorough
        self._requests = 0
        self._retry = _LINE_RETRY if isinstance(bus.endpoint, SerialEndpoint) else _TCP_RETRY
        self._on_tcp = _is_modbus_tcp(bus.endpoint)

    @property
    def absent(self) -> bool:
        """True if it has ignored so many requests that it counts as absent."""
        return not (self.present or self._thorough) and self._requests >= FIRST_REQUESTS

    async def try_block(self, block: Block) -> None:
        """Read a block, unless its words are known. Raises Unreachable."""
        places = [(block.function, block.address + offset) for offset in range(block.count)]
        if all(place in self.words for place in places):
            return
        self._requests += 1
        try:
            values = await self.read(block.function, block.address, block.count)
        except Unreachable:
            raise
        except ExceptionAnswer as refused:
            self.present = self.present or refused.code not in _NOBODY
        except WrongAnswer:
            # On a line, damaged characters: the baud rate is another. On TCP, no Modbus at all.
            self.present = self.present or not self._on_tcp
        except ModbusFailure:
            return
        else:
            self.present = True
            self.words.update(zip(places, values, strict=True))

    async def read(self, function: int, address: int, count: int) -> tuple[int, ...]:
        return await self._bus.read(
            self.unit, function, address, count, priority=Priority.SCAN, retry=self._retry
        )


async def _identify(unit: _Unit, profiles: Sequence[Profile]) -> FoundDevice | None:
    """None if the unit is absent. Raises Unreachable."""
    for block in _requests(profiles):
        await unit.try_block(block)
        if unit.absent:
            return None
    if not unit.present:
        return None
    scored = [(profile.likeness(unit.words), profile) for profile in profiles]
    likely = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    guesses = [
        Guess(profile.slug, likeness, await _measurement(unit, profile))
        for likeness, profile in likely[:MAX_GUESSES]
    ]
    return FoundDevice(unit.endpoint, unit.unit, tuple(_without_weak(guesses)))


def _without_weak(guesses: list[Guess]) -> list[Guess]:
    """Plausible ones first; without those that a much better one explains."""
    guesses.sort(key=lambda guess: (guess.measurement is None, -guess.likeness))
    best = guesses[0].likeness if guesses and guesses[0].measurement is not None else 0.0
    return [guess for guess in guesses if best < WEAK or guess.likeness >= WEAK]


async def _measurement(unit: _Unit, profile: Profile) -> Measurement | None:
    """A poll as this type; None if a request fails, or if the values are implausible."""
    words: dict[tuple[int, int], int] = {}
    try:
        profile = await resolve(profile, unit.read)
        for block in profile.blocks(Refresh.ALL):
            values = await unit.read(block.function, block.address, block.count)
            for offset, value in enumerate(values):
                words[block.function, block.address + offset] = value
    except (ModbusFailure, Unresolved):
        return None
    measured = profile.measurement(words, asyncio.get_running_loop().time())
    about = Surroundings(capabilities=findings_capabilities(profile))
    return measured if plausible(findings([measured], about)) else None


def _candidates(endpoint: Endpoint) -> list[Profile]:
    """The types that may be found at a port, as far as the settings can select them there."""
    on_tcp = _is_modbus_tcp(endpoint)
    reaches = (MeterReach.LINE, MeterReach.NETWORK) if on_tcp else (MeterReach.LINE,)
    return [load_profile(slug) for slug in slugs() if PROFILES[slug].reach in reaches]


def _is_modbus_tcp(endpoint: Endpoint) -> bool:
    return isinstance(endpoint, TcpEndpoint) and endpoint.framing is Framing.TCP


def _requests(profiles: Iterable[Profile]) -> list[Block]:
    """All fingerprints once, those of many types first."""
    shared = Counter(block for profile in profiles for block in profile.fingerprint)
    return [block for block, _ in shared.most_common()]
