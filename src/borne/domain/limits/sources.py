"""All sources that may limit a current.

To add one: a value of `LimitCause`, a line here, and its name for people in
`adapters/web/states.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from borne.domain.limits.cause import LimitCause


class LimitScope(StrEnum):
    """What a row restricts."""

    CONNECTOR = "connector"
    STATION = "station"
    GROUP = "group"
    """All stations of a load-managed group; the row is a connector's share."""


class LimitKind(StrEnum):
    """How rows of a source count."""

    OBLIGATION = "obligation"
    """The lowest of all applies."""
    RECOMMENDATION = "recommendation"
    """The live one of the highest priority applies, but never above an obligation."""
    DEMAND = "demand"
    """Not a limit: the lowest useful current, for the distribution of a shared limit."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source of rows; `fallback_a` is the value of a row after its expiry."""

    cause: LimitCause
    scope: LimitScope
    kind: LimitKind = LimitKind.OBLIGATION
    fallback_a: float = 0.0
    priority: int = 0
    """Among recommendations: the highest counts."""

    @property
    def name(self) -> str:
        """Name in the status API."""
        return self.cause.value


BOARD = Source(LimitCause.BOARD, LimitScope.CONNECTOR)
MAXIMUM = Source(LimitCause.MAXIMUM, LimitScope.CONNECTOR)
CABLE = Source(LimitCause.CABLE, LimitScope.CONNECTOR)
INSTALLATION = Source(LimitCause.INSTALLATION, LimitScope.CONNECTOR)
OPERATOR = Source(LimitCause.OPERATOR, LimitScope.CONNECTOR)
TEMPERATURE = Source(LimitCause.TEMPERATURE, LimitScope.CONNECTOR)
METER = Source(LimitCause.METER, LimitScope.CONNECTOR)
EXTERNAL_INPUT = Source(LimitCause.EXTERNAL_INPUT, LimitScope.CONNECTOR)
UNBALANCED_LOAD = Source(LimitCause.UNBALANCED_LOAD, LimitScope.CONNECTOR)
OCPP_TX = Source(LimitCause.OCPP_TX, LimitScope.CONNECTOR)
ENERGY_MANAGER = Source(LimitCause.ENERGY_MANAGER, LimitScope.CONNECTOR, fallback_a=6.0)
SUPPLY_LINE = Source(LimitCause.SUPPLY_LINE, LimitScope.STATION)
OCPP_STATION = Source(LimitCause.OCPP_STATION, LimitScope.STATION)
LOAD_MANAGEMENT = Source(LimitCause.LOAD_MANAGEMENT, LimitScope.GROUP)
MINIMUM = Source(LimitCause.MINIMUM, LimitScope.STATION, LimitKind.DEMAND)

SOURCES = (
    BOARD,
    MAXIMUM,
    CABLE,
    INSTALLATION,
    OPERATOR,
    TEMPERATURE,
    METER,
    EXTERNAL_INPUT,
    UNBALANCED_LOAD,
    OCPP_TX,
    ENERGY_MANAGER,
    SUPPLY_LINE,
    OCPP_STATION,
    LOAD_MANAGEMENT,
    MINIMUM,
)
"""In the order in which rows are shown."""
