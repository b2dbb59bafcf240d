"""Reasons for limiting a current.

Rows of limits, the limit of a site, the reasons of the distribution and the page "Why 13 A?" use
the same values. They are part of the status API (`source` and `reason` of a row) and must not
change.
"""

from __future__ import annotations

from enum import StrEnum


class LimitCause(StrEnum):
    """What sets a limit, how a shared current was divided, or the origin of a row's value."""

    # What limits the current of a connector, or the current of all connectors together.
    BOARD = "board"
    MAXIMUM = "maximum"
    CABLE = "cable"
    INSTALLATION = "installation"
    OPERATOR = "operator"
    TEMPERATURE = "temperature"
    METER = "meter"
    EXTERNAL_INPUT = "external_input"
    UNBALANCED_LOAD = "unbalanced_load"
    OCPP_TX = "ocpp_tx"
    ENERGY_MANAGER = "energy_manager"
    SUPPLY_LINE = "supply_line"
    OCPP_STATION = "ocpp_station"
    LOAD_MANAGEMENT = "load_management"
    SUB_DISTRIBUTION = "sub_distribution"
    SCHEDULER = "scheduler"
    EXTERNAL_LOAD = "external_load"
    """What other loads of the site leave available."""
    EXTERNAL_LOAD_FALLBACK = "external_load_fallback"
    """The external meter does not report: the assumed load counts."""
    MINIMUM = "minimum"
    """A car cannot use less than this."""

    # Origin of the value of a row.
    HARDWARE = "hardware"
    SETTING = "setting"
    PLUG = "plug"
    """The resistor in the plug of the cable."""
    PROFILE = "profile"
    HOT = "hot"
    BLIND = "blind"
    """There is no measurement of what the car draws."""
    FALLBACK = "fallback"
    """The row expired; the fallback of its source applies."""

    # How a shared current was divided.
    NO_DEMAND = "no_demand"
    OWN_LIMIT = "own_limit"
    TAKES_LESS = "takes_less"
    """The car draws less than its offer; the rest went to others."""
    TAKES_MORE = "takes_more"
    """The car draws more than its offer: it is not raised, and others get less."""
    FAIR_SHARE = "fair_share"
    GROUP_LIMIT = "group_limit"
    """There is no other participant; the limit of the group is reached."""
    MINIMUM_SHARE = "minimum_share"
    """At its minimum; the group has no more current."""
    HIGHER_PRIORITY = "higher_priority"
    """At its minimum; a higher class got the rest."""
    IMBALANCE = "imbalance"
    """The difference between two grid phases is at its limit."""
    WAITING_FOR_MINIMUM = "waiting_for_minimum"
    """Paused: less than the minimum is left."""
    PAUSED_RECENTLY = "paused_recently"
    """Paused: there is enough again, but its contactor has just opened."""
    LIMIT_BELOW_MINIMUM = "limit_below_minimum"
    """Paused: its own limit is below the minimum."""
    WAKES_UP = "wakes_up"
    """The car draws no current; it is offered what others leave."""
    WAKE_UP_WAITS = "wake_up_waits"
    """The car draws no current, and nothing is left for it."""
    WAKE_UP_OFF = "wake_up_off"
    """The car draws no current after a pause, and waking cars up is not allowed."""
    NO_CONTACT = "not_heard"
    """Connection lost: a fixed current stays reserved on all connected phases."""
    WAITS_FOR_OTHERS = "waits_for_others"
    """Rises as soon as others are confirmed lower."""
    PAUSED = "paused"
    """The distribution failed; all participants are paused."""
