"""The residual current monitor: trip times.

Limits from IEC 62955 (smooth direct current) and IEC 61008 (alternating current); between the
points of a table the time is interpolated on logarithmic scales.
"""

from __future__ import annotations

import math
from itertools import pairwise

Curve = tuple[tuple[float, float], ...]

DC_LIMITS: Curve = ((6.0, 10.0), (60.0, 0.3), (200.0, 0.1))
"""Current in mA and longest permitted time in s; no trip below the first current."""
AC_LIMITS: Curve = ((30.0, 0.3), (60.0, 0.15), (150.0, 0.04))
SHARE_OF_LIMIT = 0.5
"""The simulated monitor trips after this share of the permitted time."""
SELF_TEST_S = 0.1


def longest_s(current_ma: float, limits: Curve) -> float | None:
    """The longest time for which the standard permits a current; None without limit."""
    if current_ma < limits[0][0]:
        return None
    for (low_ma, low_s), (high_ma, high_s) in pairwise(limits):
        if current_ma < high_ma:
            share = math.log(current_ma / low_ma) / math.log(high_ma / low_ma)
            return low_s * math.pow(high_s / low_s, share)
    return limits[-1][1]


def trip_delay_s(dc_ma: float, ac_ma: float) -> float | None:
    """Delay until the simulated monitor trips; None if it does not."""
    limits = (longest_s(dc_ma, DC_LIMITS), longest_s(ac_ma, AC_LIMITS))
    times = [limit for limit in limits if limit is not None]
    return min(times) * SHARE_OF_LIMIT if times else None
