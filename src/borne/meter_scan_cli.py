"""The command `borne meter scan`: finds meters, and prints the settings that select them."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Annotated, Any

import typer

from borne.adapters.meters.endpoints import BadAddress, endpoint_of
from borne.adapters.meters.scan import (
    MAX_PLACES,
    FoundDevice,
    Guess,
    ScanProgress,
    ScanTarget,
    TooMany,
    scan,
    settings_for,
)
from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.settings.catalogue.meter_profiles import PROFILES
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Endpoint, Framing, SerialEndpoint, TcpEndpoint

USUAL_UNITS = (1, 2)
"""Units of the known meters as they are sold."""
LAST_UNIT = 247
PLAIN_STEPS = 10
"""Lines of progress without a terminal."""
INTERRUPTED = 130


def scan_command(
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Address or network such as 192.168.1.0/28; repeatable."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="With --host.")] = 502,
    framing: Annotated[
        Framing, typer.Option(help="rtu: the gateway at --host passes RTU frames.")
    ] = Framing.TCP,
    serial_port: Annotated[
        str, typer.Option(metavar="DEVICE", help="/dev/NAME, rtu://HOST:PORT or tcp://HOST:PORT.")
    ] = "",
    baud: Annotated[
        list[int] | None, typer.Option(min=1200, max=115200, help="By default 9600; repeatable.")
    ] = None,
    parity: Annotated[
        list[Parity] | None, typer.Option(help="By default none; repeatable.")
    ] = None,
    unit: Annotated[
        str, typer.Option(metavar="UNITS", help="For example 1-10,20; by default 1-10, or 1 and 2.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Find energy meters by reading what distinguishes their types. Nothing is written to them.

    Exit code 0: found, 1: nothing found, 2: wrong options.
    """
    if not host and not serial_port:
        raise _fail("Give --host or --serial-port.")
    units = _units(unit)
    targets = list(_network_targets(host or (), port, framing, units))
    if serial_port:
        targets += _line_targets(serial_port, baud or [9600], parity or [Parity.NONE], units)
    found, complete = asyncio.run(_run(targets))
    _print(found, complete=complete, as_json=as_json)
    raise typer.Exit((0 if found else 1) if complete else INTERRUPTED)


def _units(text: str) -> tuple[int, ...]:
    """The units that a text such as 1-3,7 names; none for an empty one."""
    chosen: dict[int, None] = {}
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        try:
            low, high = int(first), int(last or first)
        except ValueError:
            raise _fail(f"{part!r} is no unit: for example 1-10,20.") from None
        if not 0 <= low <= high <= LAST_UNIT:
            raise _fail(f"{part!r} is no unit: 1 to {LAST_UNIT}.")
        chosen |= dict.fromkeys(range(low, high + 1))
    return tuple(chosen)


def _network_targets(
    hosts: Sequence[str], port: int, framing: Framing, units: Sequence[int]
) -> Iterator[ScanTarget]:
    for host in dict.fromkeys(address for text in hosts for address in _addresses(text)):
        endpoint = TcpEndpoint(host, port, framing)
        yield ScanTarget(endpoint, units or USUAL_UNITS, first_only=not units)


def _addresses(text: str) -> Sequence[str]:
    if not text:
        raise _fail("--host needs an address.")
    if "/" not in text:
        return [text]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _fail(f"{text} is no network: for example 192.168.1.0/28.") from None
    if network.num_addresses > MAX_PLACES:
        raise _fail(f"{text} has more than {MAX_PLACES} addresses.")
    return [str(address) for address in network.hosts()]


def _line_targets(
    device: str, bauds: Sequence[int], parities: Sequence[Parity], units: Sequence[int]
) -> list[ScanTarget]:
    endpoints: dict[Endpoint, None] = {}
    try:
        for baud, parity in product(bauds, parities):
            address = MeterAddress("", device=device, baud=baud, parity=parity)
            endpoints[endpoint_of(address, on_line=True)] = None
    except BadAddress as bad:
        raise _fail(str(bad)) from None
    return [ScanTarget(endpoint, units or range(1, 11)) for endpoint in endpoints]


async def _run(targets: Sequence[ScanTarget]) -> tuple[list[FoundDevice], bool]:
    """What was found, and whether the scan came to its end."""
    buses = Buses()
    found: list[FoundDevice] = []
    try:
        news = scan(targets, buses)
    except TooMany as many:
        raise _fail(f"{many} Give fewer hosts or units.") from None
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    try:
        with _progress() as show:
            async with contextlib.aclosing(news):
                async for each in news:
                    if isinstance(each, FoundDevice):
                        found.append(each)
                    else:
                        show(each)
    except asyncio.CancelledError:
        return found, False
    except BadAddress as bad:
        typer.echo(str(bad), err=True)
    finally:
        await buses.close()
    return found, True


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[ScanProgress], None]]:
    """Shows progress on standard error: a bar on a terminal, else some lines."""
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scan")
        yield lambda news: bar.update(
            task, total=news.total, completed=news.done, description=news.where
        )


def _plain_progress() -> Callable[[ScanProgress], None]:
    shown = 0

    def show(news: ScanProgress) -> None:
        nonlocal shown
        step = news.done * PLAIN_STEPS // news.total
        if step > shown:
            shown = step
            typer.echo(f"{news.done} of {news.total}: {news.where}", err=True)

    return show


def _print(found: Sequence[FoundDevice], *, complete: bool, as_json: bool) -> None:
    if as_json:
        devices = [_json(device) for device in found]
        typer.echo(json.dumps({"complete": complete, "found": devices}, ensure_ascii=False))
        return
    for device in found:
        typer.echo("\n".join(_lines(device)))
    if not found:
        typer.echo("No meter found.")
    if not complete:
        typer.echo("The scan was interrupted.", err=True)


def _lines(device: FoundDevice) -> Iterator[str]:
    where = f"{device.endpoint} unit {device.unit}"
    good = [guess for guess in device.guesses if guess.measurement is not None]
    if not good:
        yield f"{where}: a device that is no meter of a known type"
        return
    first, *others = good
    yield f"{where}: {_label(first)} ({'sure' if device.sure else 'likely'})"
    measured = first.measurement
    if measured is not None and measured.serial_number:
        yield f"  serial number {measured.serial_number}"
    for other in others:
        yield f"  or {_label(other)}"
    pairs = settings_for(device, first).items()
    yield "  " + " ".join(f"{key}={value}" for key, value in pairs)


def _json(device: FoundDevice) -> dict[str, Any]:
    endpoint = device.endpoint
    line = endpoint if isinstance(endpoint, SerialEndpoint) else None
    network = endpoint if isinstance(endpoint, TcpEndpoint) else None
    return {
        "host": network.host if network else None,
        "port": network.port if network else None,
        "framing": network.framing.value if network else None,
        "device": line.device if line else None,
        "baud": line.baud if line else None,
        "parity": line.parity.value if line else None,
        "unit": device.unit,
        "sure": device.sure,
        "types": [_json_guess(device, guess) for guess in device.guesses],
    }


def _json_guess(device: FoundDevice, guess: Guess) -> dict[str, Any]:
    measured = guess.measurement
    return {
        "type": _label(guess),
        "slug": guess.slug,
        "likeness": round(guess.likeness, 2),
        "plausible": measured is not None,
        "serial_number": (measured.serial_number or None) if measured else None,
        "settings": settings_for(device, guess),
    }


def _label(guess: Guess) -> str:
    return PROFILES[guess.slug].label


def _fail(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
