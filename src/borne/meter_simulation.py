"""The command `borne meter simulate`: an energy meter without a station. It is imported only to be
executed, and then imports the simulation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from borne.adapters.simulation.meter_setup import MeterSetup
    from borne.adapters.simulation.standalone_meter import Curve

DEFAULT_METER_PORT = 1502
"""Port 502 of real meters needs privileges."""


def simulate(  # noqa: PLR0913, PLR0917 -- the options of a command
    type_: Annotated[
        str,
        typer.Option("--type", metavar="LABEL", help="As the settings call it, or its short name."),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; of a Speedwire meter the interface.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 uses a free one.")
    ] = DEFAULT_METER_PORT,
    unit: Annotated[
        int, typer.Option(min=0, max=247, help="Modbus unit id; 0: the usual one of the type.")
    ] = 0,
    framing: Annotated[
        str, typer.Option(help="tcp, or rtu as a line behind a transparent gateway.")
    ] = "tcp",
    serial: Annotated[
        bool, typer.Option("--serial", help="On a serial line of its own (pseudo-terminal).")
    ] = False,
    current: Annotated[
        str, typer.Option(metavar="L1,L2,L3", help="Amperes per phase; negative for export.")
    ] = "0,0,0",
    voltage: Annotated[float, typer.Option(min=0, max=500, help="Volts of each phase.")] = 230.0,
    energy: Annotated[
        int, typer.Option(min=0, max=10**12, help="Register of import at the start, in Wh.")
    ] = 0,
    curve: Annotated[
        Path | None,
        typer.Option(
            readable=False,
            metavar="FILE",
            help="CSV of currents (time_s,l1_a,l2_a,l3_a), repeated; instead of --current.",
        ),
    ] = None,
) -> None:
    """Serve a simulated energy meter until interrupted; its registers count."""
    import asyncio

    from borne.adapters.simulation.meter_setup import CannotServe
    from borne.adapters.simulation.standalone_meter import serve

    setup = _setup(type_, host, port, unit, framing, serial)
    steps = _curve(curve, current)
    try:
        asyncio.run(serve(setup, steps, voltage, energy, typer.echo))
    except CannotServe as error:
        raise _fail(str(error), 1) from None


def _setup(type_: str, host: str, port: int, unit: int, framing: str, serial: bool) -> MeterSetup:
    from ipaddress import ip_address

    from borne.adapters.simulation.meter_setup import LOOPBACK, MeterFraming, MeterSetup
    from borne.adapters.simulation.meter_types import UnknownType, meter_type

    if framing not in list(MeterFraming):
        raise _fail(f"The framing must be one of {', '.join(MeterFraming)}.", 2)
    try:
        address = str(ip_address(LOOPBACK if host == "localhost" else host))
        return MeterSetup(
            "meter",
            meter_type(type_),
            host=address,
            port=port,
            unit=unit,
            framing=MeterFraming(framing),
            serial=serial,
        )
    except UnknownType as error:
        raise _fail(str(error), 2) from None
    except ValueError:
        raise _fail(f"{host} is not an IP address of this machine.", 2) from None


def _curve(file: Path | None, current: str) -> Curve:
    from borne.adapters.simulation.standalone_meter import WrongCurve, read_curve, steady

    try:
        return steady(current) if file is None else read_curve(file)
    except (WrongCurve, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise _fail(f"{file or '--current'}: {reason}.", 2) from None
    except OSError as error:
        raise _fail(f"{file} cannot be read: {error.strerror}.", 2) from None


def _fail(message: str, code: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)
