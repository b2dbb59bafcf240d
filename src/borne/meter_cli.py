"""The commands `borne meter`: read an energy meter, and find meters.

They need no station and no data folder, and only ever read. While a station polls a meter on a
serial port, the port is in use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.factory import FieldMeter, build_meter
from borne.adapters.meters.polls import POLLS, next_poll, plausible, poll_started
from borne.adapters.meters.user_defined import read_profile
from borne.application.meters.meter_trial import Polls
from borne.domain.meters.address import MeterAddress, Parity
from borne.domain.meters.findings import Surroundings, findings
from borne.domain.settings.catalogue.meter_profiles import USER_DEFINED, MeterProfile
from borne.domain.settings.meter_names import find_meter_type, nearest_labels
from borne.meter_output import json_line, table
from borne.meter_scan_cli import scan_command
from borne.meter_simulation import simulate
from borne.protocols.meter_profiles import Profile, Transport, load_profile
from borne.protocols.modbus.buses import Buses
from borne.protocols.modbus.endpoint import Framing

meter_app = typer.Typer(no_args_is_help=True)
meter_app.command("scan")(scan_command)
meter_app.command("simulate")(simulate)

TypeName = Annotated[
    str, typer.Option("--type", metavar="LABEL", help="As the settings call it, or its short name.")
]
Host = Annotated[str, typer.Option(help="Address of the meter or gateway in the network.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="By default the meter's.")]
Unit = Annotated[int | None, typer.Option(min=0, max=255, help="Modbus unit id.")]
SerialPort = Annotated[
    str, typer.Option(metavar="DEVICE", help="/dev/NAME, rtu://HOST:PORT or tcp://HOST:PORT.")
]
Baud = Annotated[int | None, typer.Option(min=1200, max=115200, help="By default the meter's.")]
ParityName = Annotated[Parity | None, typer.Option(help="By default the meter's.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The meter that the options select."""

    label: str
    profile: Profile
    places: tuple[MeterAddress, ...]
    """Tried in their order until the meter answers."""


@meter_app.command()
def read(  # noqa: PLR0913, PLR0917 -- each option is an argument
    type_: TypeName,
    host: Host = "",
    port: Port = None,
    unit: Unit = None,
    serial_port: SerialPort = "",
    baud: Baud = None,
    parity: ParityName = None,
    framing: Annotated[
        Framing | None,
        typer.Option(
            help="rtu: the gateway at --host passes RTU frames. By default, for a meter on a "
            "serial line, both are tried."
        ),
    ] = None,
    serial_number: Annotated[str, typer.Option(help="Selects one of several SMA meters.")] = "",
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="Registers of a user-defined meter."),
    ] = None,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option(help="Read it each second until Ctrl-C.")] = False,
) -> None:
    """Read a meter twice, a second apart: its values, and what is wrong with them.

    Exit code 0: good, 1: silent or implausible, 2: wrong options.
    """
    type_of = _meter_type(type_)
    known = _profile(type_of, profile)
    address = MeterAddress(
        type_of.slug,
        host=host,
        port=port or known.port,
        unit=known.unit if unit is None else unit,
        device=serial_port,
        baud=baud or known.baud,
        parity=parity or known.parity,
        serial_number=serial_number,
    )
    if host and serial_port:
        raise _fail("Give --host or --serial-port, not both.", 2)
    chosen = _Chosen(type_of.label, known, _places(address, known, framing))
    raise typer.Exit(asyncio.run(_read(chosen, as_json=as_json, watch=watch)))


def _places(
    address: MeterAddress, profile: Profile, framing: Framing | None
) -> tuple[MeterAddress, ...]:
    """Where to look for the meter, one after the other."""
    if framing is Framing.RTU:
        return (_behind_gateway(address),)
    if framing is None and address.host and profile.transport is Transport.RTU:
        return (address, _behind_gateway(address))
    return (address,)


def _behind_gateway(address: MeterAddress) -> MeterAddress:
    if not address.host:
        raise _fail("--framing rtu needs --host.", 2)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return replace(address, host="", device=f"rtu://{host}:{address.port}")


def _meter_type(name: str) -> MeterProfile:
    found = find_meter_type(name)
    if found is None:
        nearest = nearest_labels(name)
        hint = f" Like it: {', '.join(nearest)}." if nearest else ""
        raise _fail(f"There is no meter type {name!r}.{hint}", 2)
    return found


def _profile(type_of: MeterProfile, file: Path | None) -> Profile:
    if type_of.slug != USER_DEFINED:
        if file is not None:
            raise _fail(f"--profile is for the type {USER_DEFINED!r}.", 2)
        return load_profile(type_of.slug)
    if file is None:
        raise _fail("A user-defined meter needs --profile FILE.", 2)
    try:
        return read_profile(file)
    except BadAddress as bad:
        raise _fail(str(bad), 2) from None


async def _read(chosen: _Chosen, *, as_json: bool, watch: bool) -> int:
    """Read and print; returns the exit code."""
    buses = Buses()
    try:
        meters = [build_meter(each, buses, profile=chosen.profile) for each in chosen.places]
    except BadAddress as bad:
        raise _fail(str(bad), 2) from None
    try:
        meter, polls = await _first_answer(meters)
        code = _print(chosen, polls, as_json=as_json)
        while watch:
            await next_poll(meter)
            latest = await poll_started(meter, 1)
            polls = replace(
                latest, measurements=(*polls.measurements, *latest.measurements)[-POLLS:]
            )
            code = _print(chosen, polls, as_json=as_json)
        return code
    finally:
        for meter in meters:
            await meter.stop()
        await buses.close()


async def _first_answer(meters: Sequence[FieldMeter]) -> tuple[FieldMeter, Polls]:
    """The first meter that answers; if none does, the first one, with why it is silent."""
    failed = []
    for meter in meters:
        await meter.start()
        polls = await poll_started(meter)
        if polls.measurements:
            return meter, polls
        await meter.stop()
        failed.append((meter, polls))
    return failed[0]


def _print(chosen: _Chosen, polls: Polls, *, as_json: bool) -> int:
    last = polls.measurements[-1] if polls.measurements else None
    age_s = asyncio.get_running_loop().time() - last.at_s if last else 0.0
    found = findings(polls.measurements, Surroundings(capabilities=polls.capabilities))
    if as_json:
        at = datetime.now(UTC) - timedelta(seconds=age_s)
        typer.echo(json_line(chosen.label, last, at, found))
    elif last is not None:
        typer.echo(table(chosen.label, last, age_s, found))
    if polls.error is not None:
        typer.echo(str(polls.error), err=True)
    return 0 if plausible(found) and last is not None and polls.error is None else 1


def _fail(message: str, code: int = 1) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)
