"""What is wrong with the answers of a meter, in words: for the page before a meter is saved and
for `borne meter read`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from borne.domain.meters.measurement import Measurement
from borne.foundation.messages import N_, Message
from borne.foundation.units import PerPhase

DEAD_V = 1.0
_NO_VOLTAGE = N_("No phase has a voltage: wrong type of meter, or the meter is not connected?")


class FindingCode(StrEnum):
    """The kind of a finding."""

    WRONG_WORD_ORDER = "wrong-word-order"
    SIGN_UNSURE = "sign-unsure"
    PHASE_ORDER = "phase-order"
    IMPLAUSIBLE = "implausible"
    NO_VOLTAGE = "no-voltage"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or in doubt."""

    code: FindingCode
    text: Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the type of the meter gives; None: not known."""

    has_phase_voltage: bool = True
    has_phase_currents: bool = True
    has_phase_power: bool = True
    has_power: bool = True
    has_energy: bool = True
    has_frequency: bool = True
    signed_current: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known besides the meter."""

    own_current_a: Sequence[PerPhase] = ()
    """What the own sockets draw per grid phase, one entry for each measurement; empty: unknown."""
    includes_sockets: bool = False
    """The meter measures the own sockets too."""
    main_limit_a: PerPhase | None = None
    capabilities: Capabilities | None = None


def findings(
    measurements: Sequence[Measurement], surroundings: Surroundings | None = None
) -> Sequence[Finding]:
    """Findings about one or several polls of a meter in the order of time."""
    given = (surroundings or Surroundings()).capabilities
    volts = [v for measurement in measurements for v in measurement.voltage_v if v is not None]
    expected = given is None or given.has_phase_voltage
    if measurements and expected and not any(abs(v) >= DEAD_V for v in volts):
        return (Finding(FindingCode.NO_VOLTAGE, Message(_NO_VOLTAGE)),)
    return ()
