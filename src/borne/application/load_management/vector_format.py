"""Format of load-management vectors: fields, defaults, units (amps per phase).

Every field is read once; the remaining ones are unknown and named in the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import time
from math import isfinite
from typing import Any, TypeVar, overload

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.fail_safe import DisconnectedSocket
from borne.domain.load_management.imbalance import Imbalance
from borne.domain.load_management.participant import Demand, Participant
from borne.domain.load_management.reclaim import USED_UP_A
from borne.domain.load_management.site import (
    FALLBACK_NOTHING,
    DigitalInput,
    ExternalMeter,
    ScheduleWindow,
    Site,
    lowest_over_window,
    root_limit,
)
from borne.domain.load_management.snapshot import SharedSupply
from borne.domain.load_management.topology import (
    ROOT,
    Group,
    Rotation,
    SocketPhase,
    Topology,
    connected_phases,
)
from borne.domain.settings.choices import MeterLocation
from borne.foundation.units import ZERO, PerPhase

LONGEST_LIST = 100_000

T = TypeVar("T")
D = TypeVar("D")
Parser = Callable[[object], T]


class VectorError(ValueError):
    """A vector, or the whole document, is not valid."""


_REQUIRED = object()
"""Marks a field without a default."""


class Fields:
    """The fields of one object, each to be read once."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise VectorError(f"{where} is not an object")
        self._left: dict[str, object] = dict(value)
        self.where = where

    @overload
    def field(self, name: str, parse: Parser[T]) -> T: ...

    @overload
    def field(self, name: str, parse: Parser[T], default: D) -> T | D: ...

    def field(self, name: str, parse: Parser[T], default: object = _REQUIRED) -> object:
        """Return the parsed value; the default when the field is absent or null."""
        value = self._left.pop(name, None)
        if value is None and default is not _REQUIRED:
            return default
        if value is None and parse not in _NULLABLE:
            raise VectorError(f"{self.where}: {name} is missing")
        try:
            return parse(value)
        except ValueError as error:
            raise VectorError(f"{self.where}: {name}: {error}") from error

    def done(self) -> None:
        """Raise VectorError if a field was not read."""
        if self._left:
            raise VectorError(f"{self.where}: unknown fields: {', '.join(sorted(self._left))}")


# Values -------------------------------------------------------------------------------------


def number(value: object) -> float:
    """Parse a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise VectorError(f"{value!r} is not a number")
    return float(value)


def flag(value: object) -> bool:
    """Parse true or false."""
    if not isinstance(value, bool):
        raise VectorError(f"{value!r} is neither true nor false")
    return value


def text(value: object) -> str:
    """Parse a string; an integer counts as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise VectorError(f"{value!r} is not a string")
    return str(value)


def items(value: object) -> Sequence[object]:
    """Parse a list that is not excessively long."""
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise VectorError("not a list, or a very long one")
    return value


def each(parse: Parser[T]) -> Parser[tuple[T, ...]]:
    """Return a parser for a list of such values."""
    return lambda value: tuple(parse(one) for one in items(value))


def per_phase(value: object) -> PerPhase:
    """Parse three numbers for N1, N2, N3; one number stands for all."""
    if not isinstance(value, list):
        return PerPhase.same(number(value))
    if len(value) != len(SocketPhase):
        raise VectorError("not three numbers")
    return PerPhase(*map(number, value))


def whole(value: object) -> int:
    """Parse an integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise VectorError(f"{value!r} is not an integer")
    return value


def phases(value: object) -> frozenset[SocketPhase]:
    """Parse phases of a socket, 1 to 3."""
    return frozenset(SocketPhase(whole(one)) for one in items(value))


def phases_or_unknown(value: object) -> frozenset[SocketPhase] | None:
    """Parse phases of a socket; null: unknown."""
    return None if value is None else phases(value)


_NULLABLE: tuple[Callable[[object], Any], ...] = (phases_or_unknown,)


def amps_by_id(value: object) -> Mapping[str, float]:
    """Parse currents by participant."""
    if not isinstance(value, dict):
        raise VectorError("not an object of currents by id")
    return {name: number(amps) for name, amps in value.items()}


def amps_of(ids: Sequence[str]) -> Parser[tuple[float, ...]]:
    """Return a parser for currents in the order of `ids`: a list, or an object by id."""

    def parse(value: object) -> tuple[float, ...]:
        if isinstance(value, dict):
            if set(value) != set(ids):
                raise VectorError("not the ids of the vector")
            return tuple(number(value[name]) for name in ids)
        amps = each(number)(value)
        if len(amps) != len(ids):
            raise VectorError(f"{len(amps)} currents for {len(ids)} sockets")
        return amps

    return parse


def chosen_of(ids: Sequence[str]) -> Parser[frozenset[str]]:
    """Return a parser for some of `ids`: names, positions from 0, or a true/false for each."""

    def name(value: object) -> str:
        if isinstance(value, str) and value in ids:
            return value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(ids):
            return ids[value]
        raise VectorError(f"{value!r} is not a socket of the vector")

    def parse(value: object) -> frozenset[str]:
        values = items(value)
        if values and len(values) == len(ids) and all(isinstance(one, bool) for one in values):
            return frozenset(one for one, chosen in zip(ids, values, strict=True) if chosen)
        return frozenset(map(name, values))

    return parse


def _time_of_day(value: object) -> time:
    """Parse a local time; the date of a whole timestamp is ignored."""
    if value in ("24:00", "24:00:00"):
        return time(0)
    return time.fromisoformat(text(value).rpartition("T")[2])


def _measured(value: object) -> float:
    """Parse one number, or one for each phase of which the highest counts."""
    return max(map(number, value)) if isinstance(value, list) and value else number(value)


def _rotation(value: object) -> Rotation:
    return Rotation(text(value).upper())


def _samples(value: object) -> tuple[PerPhase, ...]:
    """Parse sums of charging currents: one, or a list of several in the meter's window."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return each(per_phase)(value)
    return (per_phase(value),)


# Objects ------------------------------------------------------------------------------------


def group(value: object) -> Group:
    """Parse a sub-distribution or a supply line."""
    fields = Fields(value, "group")
    name = fields.field("id", text)
    found = Group(name, fields.field("limit", per_phase), fields.field("parent", text, ROOT))
    fields.done()
    return found


def disconnected_socket(value: object) -> DisconnectedSocket:
    """Parse a socket in the check of a configuration."""
    fields = Fields(value, "socket")
    fields.field("id", text, "")
    found = DisconnectedSocket(
        fields.field("disconnected", number),
        group=fields.field("group", text, ROOT),
        connected=connected_phases(fields.field("connected_phases", whole, 3)),
        rotation=fields.field("rotation", _rotation, Rotation.RST),
    )
    fields.field("phases", phases_or_unknown, None)  # detected ones do not count
    fields.done()
    return found


def _window(value: object) -> ScheduleWindow:
    fields = Fields(value, "window")
    found = ScheduleWindow(
        fields.field("from", _time_of_day),
        fields.field("to", _time_of_day),
        fields.field("limit", per_phase),
    )
    fields.done()
    return found


def _digital_input(value: object) -> DigitalInput:
    fields = Fields(value, "digital input")
    found = DigitalInput(fields.field("active", flag), fields.field("limit", per_phase))
    fields.done()
    return found


def _digital_inputs(value: object) -> tuple[DigitalInput, ...]:
    return each(_digital_input)(value) if isinstance(value, list) else (_digital_input(value),)


def _location(value: object) -> MeterLocation:
    return MeterLocation(text(value))


def _external_meter(value: object) -> ExternalMeter:
    fields = Fields(value, "external meter")
    current_a = fields.field("current", per_phase, None)
    valid = fields.field("valid", flag, current_a is not None)
    found = ExternalMeter(
        main_limit_a=fields.field("main_limit", per_phase),
        current_a=current_a if valid else None,
        location=fields.field("location", _location, MeterLocation.EXCLUDING),
        headroom_a=fields.field("headroom", per_phase, ZERO),
        fallback_a=fields.field("fallback", per_phase, FALLBACK_NOTHING),
        evse_current_a=lowest_over_window(
            fields.field("evse_measured", _samples, ())
            + fields.field("evse_measured_window", _samples, ())
            + fields.field("evse_measured_min", _samples, ())
        ),
        use_export=fields.field("use_export", flag, False),
    )
    fields.done()
    return found


_STATES = {
    "charging": Demand.CHARGING,
    "waiting": Demand.CHARGING,
    "idle": Demand.NONE,
    "wakeup": Demand.WAKE_UP,
}

_OWN_LIMITS = {
    "max": LimitCause.MAXIMUM,
    "hardware_limit": LimitCause.BOARD,
    "installation_limit": LimitCause.INSTALLATION,
    "operator_limit": LimitCause.OPERATOR,
    "cable_limit": LimitCause.CABLE,
    "ocpp_limit": LimitCause.OCPP_TX,
    "ems_limit": LimitCause.ENERGY_MANAGER,
}


def _state(value: object) -> Demand:
    name = text(value)
    if name not in _STATES:
        raise VectorError(f"{name} is not one of {', '.join(_STATES)}")
    return _STATES[name]


def _participant(value: object, position: int) -> Participant:
    fields = Fields(value, f"evse {position + 1}")
    name = fields.field("id", text)
    fields.where = f"evse {name}"
    limits = {LimitCause.MAXIMUM: 32.0}
    for field, source in _OWN_LIMITS.items():
        limits[source] = fields.field(field, number, limits.get(source, float("inf")))
    source = min(limits, key=limits.__getitem__)
    found = Participant(
        id=name,
        group=fields.field("group", text, ROOT),
        rotation=fields.field("rotation", _rotation, Rotation.RST),
        connected=connected_phases(fields.field("connected_phases", whole, 3)),
        phases=fields.field("phases", phases_or_unknown, None),
        demand=fields.field("state", _state, Demand.CHARGING),
        minimum_a=fields.field("min", number, 6.0),
        maximum_a=limits[source],
        maximum_cause=source,
        priority=fields.field("priority", whole, 0),
        rank=fields.field("rank", number, float(position)),
        settled_a=_settled(fields),
        needed_a=fields.field("needed", number, None),
        reserved_a=fields.field("lost", number, None),
    )
    fields.done()
    return found


def _settled(fields: Fields) -> float | None:
    """Return the current of a measured car, unless it uses nearly all of its setpoint."""
    measured_a = fields.field("measured", _measured, None)
    setpoint_a = fields.field("setpoint", number, None)
    if measured_a is not None and setpoint_a is not None and measured_a >= setpoint_a - USED_UP_A:
        return None
    return measured_a


class Case:
    """The common part of `allocate` and `transition`: site, groups, participants."""

    def __init__(self, fields: Fields) -> None:
        site = Fields(fields.field("site", lambda value: value), "site")
        now = site.field("now", _time_of_day, None)
        rules = Site(
            sub_distribution_a=site.field("evse_sub_limit", per_phase),
            operator_sub_distribution_a=site.field("operator_sub_limit", per_phase, None),
            schedule=site.field("scheduler", each(_window), ()),
            digital_inputs=site.field("digital_input", _digital_inputs, ())
            + site.field("digital_inputs", _digital_inputs, ()),
            energy_manager_a=site.field("ems_limit", per_phase, None),
            external_meter=site.field("external_meter", _external_meter, None),
        )
        if rules.schedule and now is None:
            raise VectorError("site: a scheduler needs now")
        it_network: bool = site.field("it_network", flag, False)
        limit_a = site.field("imbalance", number, None)
        base_a = site.field("imbalance_base", per_phase, ZERO)
        allow_wakeup: bool = site.field("allow_wakeup", flag, True)
        site.done()
        self.supply = SharedSupply(
            root_limit(rules, now).amps,
            Topology(fields.field("groups", each(group), ())),
            it_network,
            None if limit_a is None else Imbalance(limit_a, base_a),
            allow_wakeup,
        )
        self.participants = [
            _participant(value, position)
            for position, value in enumerate(fields.field("evses", items))
        ]
