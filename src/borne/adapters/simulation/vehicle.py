"""Models of cars as data, and a library of them.

The behaviour of a plugged-in vehicle is in `behaviour`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
MilliAmps = Annotated[float, Field(ge=0.0, le=5000.0)]


class Vehicle(BaseModel):
    """A car with its cable and the wishes of its driver. By default a three-phase 16 A car that
    wants to charge and reacts within one second."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field("Family car", max_length=60)
    phases: Literal[1, 2, 3] = 3
    min_a: float = Field(6.0, ge=0.0, le=80.0, description="charges only when offered this")
    max_a: float = Field(16.0, ge=0.0, le=80.0, description="per phase")
    battery_kwh: float = Field(60.0, gt=0.0, le=2000.0)
    soc: Share = Field(0.3, description="state of charge")
    taper: Share = Field(0.9, description="state of charge above which the current falls")
    reaction_s: float = Field(
        1.0, ge=0.0, le=5.0, description="follows a new duty cycle after this; a stop in 3 s"
    )
    ventilation: bool = Field(False, description="asks for ventilation: state D")
    diode: bool = Field(True, description="False: the diode is bridged")
    simplified_pilot: bool = Field(False, description="no S2: state C as soon as plugged")
    wake_up: bool = Field(False, description="sleeps until the pilot is interrupted")
    cable_a: Literal[13, 20, 32, 63] = 32
    evccid: str = Field("", pattern="^([0-9A-Fa-f]{12})?$", description="MAC of its controller")
    half_plugged: bool = False
    wants_charge: bool = True
    rogue_a: float | None = Field(
        None, ge=0.0, le=200.0, description="draws this per phase, whatever is offered"
    )
    ignores_stop: bool = False
    asymmetry: tuple[Share, Share, Share] = Field(
        (1.0, 1.0, 1.0), description="share of the current on each phase"
    )
    leak_dc_ma: MilliAmps = Field(0.0, description="smooth residual current while charging")
    leak_ac_ma: MilliAmps = Field(0.0, description="alternating residual current")

    @model_validator(mode="after")
    def _order(self) -> Vehicle:
        if self.min_a > self.max_a:
            raise ValueError("min_a is above max_a")
        return self

    def changed(self, change: Mapping[str, Any]) -> Vehicle:
        """A copy with changes; raises ValidationError."""
        return Vehicle.model_validate({**self.model_dump(), **change})


_EVCCID = "0018E6A1B2"

LIBRARY: Mapping[str, Vehicle] = MappingProxyType(
    {
        "city": Vehicle(name="City car", phases=1, max_a=16, battery_kwh=36, evccid=_EVCCID + "01"),
        "family": Vehicle(name="Family car", evccid=_EVCCID + "02"),
        "fast": Vehicle(name="Fast AC car", max_a=32, battery_kwh=52, evccid=_EVCCID + "03"),
        "hybrid": Vehicle(
            name="Plug-in hybrid", phases=1, max_a=13, battery_kwh=12, cable_a=20, soc=0.1
        ),
        "sleepy": Vehicle(name="Sleepy car", wake_up=True, evccid=_EVCCID + "05"),
        "faulty": Vehicle(name="Faulty car", diode=False),
        "van": Vehicle(name="Van", phases=1, max_a=32, battery_kwh=75),
        "two_phase": Vehicle(name="Two-phase car", phases=2, max_a=16, battery_kwh=36),
        "demanding": Vehicle(name="Demanding car", min_a=13, max_a=32, battery_kwh=41),
        "tricycle": Vehicle(
            name="Tricycle", phases=1, max_a=10, battery_kwh=6, simplified_pilot=True, cable_a=13
        ),
        "ventilated": Vehicle(name="Ventilated car", ventilation=True),
        "stubborn": Vehicle(name="Stubborn car", ignores_stop=True),
        "rogue": Vehicle(name="Rogue car", rogue_a=25),
        "leaking": Vehicle(name="Leaking car", leak_dc_ma=40),
        "half_plugged": Vehicle(name="Half plugged car", half_plugged=True),
        "full": Vehicle(name="Full car", soc=1.0),
    }
)
"""Vehicles by key, for page, API and tests."""


class UnknownVehicle(Exception):
    """The library has no such vehicle."""


def named(name: str) -> Vehicle:
    """Find a vehicle of the library by key or name; raises UnknownVehicle."""
    wanted = name.strip().casefold()
    for key, vehicle in LIBRARY.items():
        if wanted in (key, vehicle.name.casefold()):
            return vehicle
    raise UnknownVehicle(f"there is no vehicle {name!r}; there are: {', '.join(LIBRARY)}")


def error_text(error: ValidationError) -> str:
    """A validation error as one line of text."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'vehicle'}: {item['msg']}"
        for item in error.errors(include_url=False)
    )
