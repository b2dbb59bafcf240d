"""Rules between the settings of load management (manual 7.4), and what is only warned of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from borne.domain.settings.addressing import SettingAddress, label_of
from borne.domain.settings.catalogue import CATALOGUE
from borne.domain.settings.choices import (
    DlmInput1,
    DlmInput2,
    DlmRole,
    EthernetMode,
    ExternalInput,
    OptoInput,
)
from borne.domain.settings.entry import Feature, HardwareFacts
from borne.domain.settings.snapshot import Settings
from borne.foundation.messages import N_, Message

Findings = Iterator[tuple[str, Message]]

LOWEST_PILOT_A = 6
_PROTECTION = ("RCDInput", "MCBType2Input", "MCBDomesticInput", "SPDInput")
_SLAVES = {DlmRole.SLAVE_AUTO, DlmRole.SLAVE_FIXED}


def role_without_link(role: object, facts: HardwareFacts) -> Message | None:
    """Why this station cannot have a role: a slave needs a link to its master. Checked when the
    role is chosen only: a stored role stays, and its station falls back to its Disconnected
    Limit."""
    if role in _SLAVES and Feature.GROUP_LINK not in facts.features:
        return Message(
            N_(
                "This version has no network link between stations: choose master with internal "
                "slave, or disabled."
            )
        )
    return None


def main_limit_missing(settings: Settings) -> Findings:
    """The main distribution limit has no default (decision D37)."""
    if not _measures_building(settings):
        return
    if settings.amps_or_none("DLMMainDistributionLimit") is None:
        text = N_("Enter the main fuse of the building: it has no default.")
        yield "DLMMainDistributionLimit", Message(text)


def headroom_too_large(settings: Settings) -> Findings:
    """A headroom as large as the main limit leaves nothing for any car."""
    main = settings.amps_or_none("DLMMainDistributionLimit")
    if not _measures_building(settings) or main is None:
        return
    headroom = settings.amps("DLMExternalLoadHeadroom")
    if any(0 < limit <= kept for limit, kept in zip(main, headroom, strict=True)):
        high = "/".join(str(max(0, limit - 1)) for limit in main)
        text = N_("At most {high} A: the main distribution limit must leave something.")
        yield "DLMExternalLoadHeadroom", Message(text, {"high": high})


def minimum_never_left(settings: Settings) -> Findings:
    """No car could charge if the minimum were above what the group may draw on every phase."""
    if not settings.choice("DLMRole", DlmRole).is_master:
        return
    limit = settings.amps("DLMEVSESubDistributionLimit")
    minimum = settings.integer("DLMMinimumCurrentLimit")
    if minimum > max(limit):
        text = N_(
            "No car could charge: the EVSE sub-distribution has {amps} A, the minimum is "
            "{minimum} A."
        )
        amps = "/".join(map(str, limit))
        yield "DLMMinimumCurrentLimit", Message(text, {"amps": amps, "minimum": minimum})


def groups_no_tree(settings: Settings) -> Findings:
    """Groups form a tree: unique names, known parents, no cycle."""
    parents: dict[str, str] = {}
    for item in settings.items("DLMGroups"):
        name, parent, _amps = item.split(";")
        if name == "root":
            text = N_("{name} is the EVSE sub-distribution itself: choose another name.")
            yield "DLMGroups", Message(text, {"name": name})
            return
        if name in parents:
            yield "DLMGroups", Message(N_("The name {name} is used twice."), {"name": name})
            return
        parents[name] = parent
    for name, parent in parents.items():
        if parent and parent not in parents:
            yield "DLMGroups", Message(N_("There is no group {name}."), {"name": parent})
            return
        if _circular(name, parents):
            yield "DLMGroups", Message(N_("{name} is its own parent."), {"name": name})
            return


def _circular(name: str, parents: Mapping[str, str]) -> bool:
    seen = {name}
    while name := parents.get(name, ""):
        if name in seen:
            return True
        seen.add(name)
    return False


def group_unknown(settings: Settings) -> Findings:
    """The master knows all groups; a slave's group is checked by its master."""
    group = settings.text("DLMGroup")
    if not group or settings.choice("DLMRole", DlmRole) is not DlmRole.MASTER:
        return
    names = [item.partition(";")[0] for item in settings.items("DLMGroups")]
    if group not in names:
        yield "DLMGroup", Message(N_("There is no group {name}."), {"name": group})


def input_used_twice(settings: Settings) -> Findings:
    """A contact that limits a current is not the one of a protective device. Limits may share a
    contact, and so may protective devices."""
    optos = {OptoInput.OPTO_1: 1, OptoInput.OPTO_2: 2}
    protected = {optos.get(settings.choice(key, OptoInput)): key for key in _PROTECTION}
    for key, number in _limiting_inputs(settings):
        if number in protected:
            other = label_of(SettingAddress(CATALOGUE.settings[protected[number]]))
            text = N_("Input {number} is already used by {label}.")
            yield key, Message(text, {"number": number, "label": other})
            return


def _limiting_inputs(settings: Settings) -> Iterator[tuple[str, int]]:
    station = settings.choice("EnergyManExternalInput", ExternalInput)
    if station in {ExternalInput.OPTO_1, ExternalInput.OPTO_2}:
        yield "EnergyManExternalInput", 1 if station is ExternalInput.OPTO_1 else 2
    if not settings.choice("DLMRole", DlmRole).is_master:
        return
    if settings.choice("DLMExternalInput1Config", DlmInput1) is not DlmInput1.DISABLE:
        yield "DLMExternalInput1Config", 1
    if settings.choice("DLMExternalInput2Config", DlmInput2) is not DlmInput2.DISABLE:
        yield "DLMExternalInput2Config", 2


INPUT_KEYS = (
    *_PROTECTION,
    "EnergyManExternalInput",
    "DLMExternalInput1Config",
    "DLMExternalInput2Config",
    "DLMRole",
)


def _measures_building(settings: Settings) -> bool:
    master = settings.choice("DLMRole", DlmRole).is_master
    return master and settings.flag("DLMExternalMeterSupport")


# Warnings -----------------------------------------------------------------------------------


def warnings(settings: Settings) -> dict[str, str]:
    """What is allowed and dangerous, or useless: name of the setting to sentence (manual 3.2)."""
    role = settings.choice("DLMRole", DlmRole)
    if role is DlmRole.DISABLED:
        return {}
    found = dict(_of_member(settings, role))
    return found | dict(_of_master(settings)) if role.is_master else found


def _of_member(settings: Settings, role: DlmRole) -> Iterator[tuple[str, str]]:
    if 0 < settings.integer("DLMDisconnectedLimit") < LOWEST_PILOT_A:
        yield (
            "DLMDisconnectedLimit",
            N_("A car cannot be offered less than 6 A: it pauses while the master is lost."),
        )
    mode = settings.choice("EthernetConfigMode", EthernetMode)
    if role in _SLAVES and mode is EthernetMode.AUTO:
        yield (
            "EthernetConfigMode",
            N_(
                "A slave with an address from DHCP is lost when the address server fails: a fixed "
                "address is better."
            ),
        )


def _of_master(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.flag("WANRouter"):
        yield (
            "WANRouter",
            N_(
                "WAN router and DLM master on one controller: the manual advises two, so that a "
                "fault of the modem does not end load management."
            ),
        )
    if settings.flag("DLMMaxCurrentScheduler") and not settings.items("DLMMaxCurrentSchedule"):
        yield (
            "DLMMaxCurrentSchedule",
            N_("The scheduler is on and has no entry: it limits nothing."),
        )
    if not _measures_building(settings):
        return
    if max(settings.amps("DLMExternalLoadFallback")) == 0:
        yield (
            "DLMExternalLoadFallback",
            N_("While the meter is silent, the building counts as drawing nothing."),
        )


__all__ = [
    "INPUT_KEYS",
    "group_unknown",
    "groups_no_tree",
    "headroom_too_large",
    "input_used_twice",
    "main_limit_missing",
    "minimum_never_left",
    "role_without_link",
    "warnings",
]
