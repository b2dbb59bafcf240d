"""Appearance and wording of the states of a connector: one table for card, icon and sentence
(manual section 6). The LED pattern comes with the status and is drawn by `rings`."""

from __future__ import annotations

from dataclasses import dataclass

from borne.domain.load_management import reason_text
from borne.domain.station.faults import CATALOGUE
from borne.foundation.messages import N_


@dataclass(frozen=True, slots=True)
class Look:
    """`tone` is the colour class, `ring` how the ring is drawn ("", "outline", "dashed"; what it
    shows is the LED's pattern), `icon` a symbol's name."""

    tone: str
    ring: str
    icon: str
    sentence: str


LOOKS: dict[str, Look] = {
    "available": Look("available", "", "circle-check", N_("Free")),
    "reserved": Look("reserved", "", "clock", N_("Reserved")),
    "preparing": Look("checking", "", "plug", N_("Plugged in: hold a card to the reader")),
    "preparing_remote": Look("checking", "", "plug", N_("Plugged in: waiting to be started")),
    "checking": Look("checking", "", "id-card", N_("Checking card …")),
    "rejected": Look("fault", "", "circle-x", N_("Card refused")),
    "identifying": Look("checking", "", "info", N_("Shows where it stands")),
    "updating": Look("checking", "", "download", N_("Updating, up to 10 min")),
    "authorized": Look("charging", "", "plug", N_("Accepted: plug in")),
    "authorized_plugged": Look("charging", "", "plug", N_("Accepted: waiting for the car")),
    "charging": Look("charging", "", "zap", N_("Charging")),
    "suspended_ev": Look("charging", "outline", "circle-pause", N_("Car is full or waiting")),
    "suspended_evse": Look("charging", "outline", "hourglass", N_("Waiting for power")),
    "finishing": Look("reserved", "", "clock", N_("Ending the previous charge")),
    "finished": Look("available", "", "plug", N_("Ended: please unplug")),
    "unavailable": Look("off", "", "circle-minus", N_("Switched off by operator")),
    "faulted": Look("fault", "", "triangle-alert", N_("Out of order")),
    "offline": Look("off", "dashed", "unplug", N_("No contact")),
}
OVERRIDES = {"checking", "identifying", "rejected", "updating"}
"""LED patterns that are more specific than the state."""
UNKNOWN = Look("off", "dashed", "circle-help", N_("Unknown"))


def look(state: str, led: str, *, plugged: bool, asks_for_card: bool = True) -> Look:
    """The look of a connector; without a working reader no card is asked for."""
    if led in OVERRIDES:
        return LOOKS[led]
    if state == "preparing" and not asks_for_card:
        return LOOKS["preparing_remote"]
    if state == "authorized" and plugged:
        return LOOKS["authorized_plugged"]
    if state == "finishing" and led != "finishing":
        return LOOKS["finished"]
    return LOOKS.get(state, UNKNOWN)


SOURCES = dict(reason_text.SOURCES)
REASONS = dict(reason_text.CAUSES)

STOP_REASONS: dict[str, str] = {
    "EmergencyStop": N_("Emergency stop"),
    "EVDisconnected": N_("Unplugged"),
    "HardReset": N_("Restart (hard)"),
    "Local": N_("Stopped at the station"),
    "Other": N_("Other"),
    "PowerLoss": N_("Power cut"),
    "Reboot": N_("Restart"),
    "Remote": N_("Stopped by the backend"),
    "SoftReset": N_("Restart (soft)"),
    "UnlockCommand": N_("Unlock command"),
    "DeAuthorized": N_("Card refused afterwards"),
}

FLAGS: dict[str, str] = {
    "not_billable": N_("not billable: there is no billing meter"),
    "meter_silent_at_start": N_("the meter did not answer at the start"),
    "meter_silent_at_stop": N_("the meter did not answer at the end"),
    "estimated_stop": N_("the end is the last stored value"),
    "meter_fault": N_("not billable: the meter gave impossible values"),
    "undated": N_("the date is estimated"),
}

FAULTS: dict[str, str] = {fault.value: kind.activation for fault, kind in CATALOGUE.items()}
"""The message of each fault, from the catalogue."""


NAMES = (
    *(N_("user"), N_("operator"), N_("installer"), N_("manufacturer")),
    *(N_("locked"), N_("unlocked"), N_("moving"), N_("absent")),
    *(N_("City car"), N_("Family car"), N_("Fast AC car"), N_("Plug-in hybrid"), N_("Sleepy car")),
    *(N_("Faulty car"), N_("Van"), N_("Two-phase car"), N_("Demanding car"), N_("Tricycle")),
    *(N_("Ventilated car"), N_("Stubborn car"), N_("Rogue car"), N_("Leaking car")),
    *(N_("Half plugged car"), N_("Full car"), N_("Unknown"), N_("New")),
)
"""Values of other parts that pages show: roles, locks, simulated cars and cards."""


def phrase(table: dict[str, str], key: str) -> str:
    """The phrase for a key; an unknown key is shown as it is."""
    return table.get(key) or key.replace("_", " ").replace("-", " ").capitalize()
