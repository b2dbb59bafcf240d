"""Sentences about limits and shared currents, for pages, API and log."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from borne.domain.limits.cause import LimitCause
from borne.domain.load_management.participant import Reason
from borne.domain.load_management.topology import ROOT, SupplyLink
from borne.foundation.messages import N_, Message

SOURCES: Mapping[str, str] = {
    LimitCause.BOARD: N_("Hardware"),
    LimitCause.MAXIMUM: N_("Maximum current"),
    LimitCause.CABLE: N_("Cable"),
    LimitCause.INSTALLATION: N_("Installation"),
    LimitCause.OPERATOR: N_("Operator"),
    LimitCause.TEMPERATURE: N_("Temperature"),
    LimitCause.METER: N_("Meter does not answer"),
    LimitCause.EXTERNAL_INPUT: N_("Digital input"),
    LimitCause.UNBALANCED_LOAD: N_("Unbalanced load"),
    LimitCause.OCPP_TX: N_("Backend profile"),
    LimitCause.ENERGY_MANAGER: N_("Energy manager"),
    LimitCause.SUPPLY_LINE: N_("Supply line, shared"),
    LimitCause.OCPP_STATION: N_("Backend profile, station"),
    LimitCause.LOAD_MANAGEMENT: N_("Load management"),
    LimitCause.SUB_DISTRIBUTION: N_("EVSE sub-distribution"),
    LimitCause.SCHEDULER: N_("Scheduler"),
    LimitCause.EXTERNAL_LOAD: N_("Main distribution less the building"),
    LimitCause.EXTERNAL_LOAD_FALLBACK: N_("Main distribution, building not measured"),
}
"""Name of each source of a limit."""

CAUSES: Mapping[str, str] = {
    LimitCause.BLIND: N_("the current of the vehicle is not measured"),
    LimitCause.HARDWARE: N_("rated current"),
    LimitCause.SETTING: N_("from the settings"),
    LimitCause.PLUG: N_("coded in the plug"),
    LimitCause.FAIR_SHARE: N_("fair share among the sockets"),
    LimitCause.OWN_LIMIT: N_("all that the socket may have"),
    LimitCause.GROUP_LIMIT: N_("all that the line has"),
    LimitCause.TAKES_LESS: N_("the car draws no more; the rest goes to others"),
    LimitCause.TAKES_MORE: N_("the car draws more than its offer; the offer is not raised"),
    LimitCause.MINIMUM_SHARE: N_("the minimum; the line has no more"),
    LimitCause.NO_DEMAND: N_("no car wants current"),
    LimitCause.WAITING_FOR_MINIMUM: N_("waits: less than the minimum is left"),
    LimitCause.PAUSED_RECENTLY: N_(
        "waits: it paused a moment ago; every start wears the contactor"
    ),
    LimitCause.LIMIT_BELOW_MINIMUM: N_("waits: its own limit is below the minimum"),
    LimitCause.WAKES_UP: N_("the car does not request current; offered what others leave"),
    LimitCause.WAKE_UP_WAITS: N_("the car does not request current, and nothing is left"),
    LimitCause.WAKE_UP_OFF: N_("the car does not request current, and wake-up is not allowed"),
    LimitCause.WAITS_FOR_OTHERS: N_("waits until others have reduced their current"),
    LimitCause.PAUSED: N_("waits: the current could not be shared"),
    LimitCause.PROFILE: N_("charging profile {detail}"),
    LimitCause.HOT: N_("the station is hot"),
    LimitCause.HIGHER_PRIORITY: N_("the minimum; sockets with priority get the rest"),
    LimitCause.IMBALANCE: N_("more would load the phases unequally"),
    LimitCause.NO_CONTACT: N_("kept for a station that does not answer"),
    LimitCause.FALLBACK: N_("fallback, no contact"),
}
"""Why a limit has its value, without the line and the numbers."""

_ON_A_LINE: Mapping[LimitCause, str] = {
    LimitCause.FAIR_SHARE: N_("fair share on {line}"),
    LimitCause.GROUP_LIMIT: N_("all that is left on {line}"),
    LimitCause.MINIMUM_SHARE: N_("the minimum; nothing more is left on {line}"),
    LimitCause.HIGHER_PRIORITY: N_("the minimum; sockets with priority get the rest of {line}"),
    LimitCause.IMBALANCE: N_("more would load the phases unequally: {line} is the highest"),
    LimitCause.WAITING_FOR_MINIMUM: N_("waits: less than the minimum is left on {line}"),
    LimitCause.WAKE_UP_WAITS: N_("the car does not request current, and nothing is left on {line}"),
}
_WITH_AMPS: Mapping[LimitCause, str] = {
    LimitCause.TAKES_LESS: N_("the car draws only {amps} A; the rest goes to others"),
    LimitCause.LIMIT_BELOW_MINIMUM: N_("waits: its own limit of {amps} A is below the minimum"),
}
_WITH_SOURCE: Mapping[LimitCause, str] = {
    LimitCause.OWN_LIMIT: N_("all that the socket may have ({source})"),
}
_ROOT_NAMES: Mapping[LimitCause, str] = {
    LimitCause.SUB_DISTRIBUTION: N_("the EVSE sub-distribution"),
    LimitCause.EXTERNAL_LOAD: N_("the main distribution less the building"),
    LimitCause.EXTERNAL_LOAD_FALLBACK: N_("the main distribution, building not measured"),
}
_SHARED = N_("fair share among {n} on {line}")
_AGAINST = N_("more would load the phases unequally: {line} above {against}")
_WAITS_WITH = N_("waits: only {amps} A is left on {line}, less than the minimum")

Naming = Callable[[str], Message | str]
"""Name of a group, for people."""
Number = Callable[[float], str]


def group_name(group: str) -> Message | str:
    """Return the name of a group as it is configured."""
    return Message(N_("the EVSE sub-distribution")) if group == ROOT else group


def plain_number(value: float) -> str:
    """Return `13` or `12.5`."""
    return f"{value:.1f}".removesuffix(".0")


def link_text(
    link: SupplyLink, naming: Naming = group_name, source: LimitCause | None = None
) -> Message:
    """Return the grid phase of a line in words: `N2 of the EVSE sub-distribution`. `source`: what
    limits the whole group there, if the line is one of the root."""
    group = naming(link.group) if link.group != ROOT or source is None else _root_name(source)
    return Message(N_("{phase} of {group}"), {"phase": link.phase.name, "group": group})


def _root_name(source: LimitCause) -> Message:
    if source in _ROOT_NAMES:
        return Message(_ROOT_NAMES[source])
    name = Message(SOURCES.get(source, source.value))
    return Message(N_("the EVSE sub-distribution (limit: {source})"), {"source": name})


def reason_text(
    reason: Reason, naming: Naming = group_name, number: Number = plain_number
) -> Message:
    """Return the sentence of a reason, with the line that is full, its phase and the numbers as far
    as they are known. It begins with a small letter."""
    values: dict[str, object] = {}
    if reason.link is not None:
        values["line"] = link_text(reason.link, naming, reason.source)
    if reason.amps is not None:
        values["amps"] = number(reason.amps)
    if reason.against is not None:
        values["against"] = reason.against.name
    if reason.sharing is not None:
        values["n"] = reason.sharing
    if reason.source is not None:
        values["source"] = Message(SOURCES.get(reason.source, reason.source.value))
    return Message(_template(reason), values)


def _template(reason: Reason) -> str:
    cause, on_a_line = reason.cause, reason.link is not None
    if cause is LimitCause.FAIR_SHARE and on_a_line and reason.sharing is not None:
        return _SHARED
    if cause is LimitCause.IMBALANCE and on_a_line and reason.against is not None:
        return _AGAINST
    if cause is LimitCause.WAITING_FOR_MINIMUM and on_a_line and reason.amps is not None:
        return _WAITS_WITH
    if reason.link is not None and cause in _ON_A_LINE:
        return _ON_A_LINE[cause]
    if reason.amps is not None and cause in _WITH_AMPS:
        return _WITH_AMPS[cause]
    if reason.source is not None and cause in _WITH_SOURCE:
        return _WITH_SOURCE[cause]
    return CAUSES.get(cause) or SOURCES.get(cause, cause.value)
