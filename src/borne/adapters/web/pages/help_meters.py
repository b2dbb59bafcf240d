"""Live tests on the help pages of the two meter faults, with the saved settings."""

from __future__ import annotations

from fastapi import Request

from borne.adapters.web.api.settings import settings_of
from borne.adapters.web.guard import station, visitor
from borne.adapters.web.meter_tests import loop_time_s
from borne.adapters.web.pages import meter_view
from borne.adapters.web.pages.meter_view import MeterSlot, Panel
from borne.adapters.web.pages.shell import words_for
from borne.adapters.web.state import web_state
from borne.domain.help import meter_help
from borne.domain.help.remedies import Remedy
from borne.domain.principals import Role
from borne.domain.station.faults import Fault
from borne.foundation.messages import N_


def meters_of(remedy: Remedy, request: Request) -> tuple[MeterSlot, ...]:
    """The meters that a help page is about and that can be asked, for a visitor who may."""
    who, services = visitor(request), station(request)
    # Tests belong to a login.
    if who.login is None or not who.role.includes(Role.OPERATOR) or services.try_meter is None:
        return ()
    settings = settings_of(services).settings
    slots = meter_view.slots(settings.facts.connectors)
    match remedy.fault:
        case Fault.METER_EXTERNAL:
            slots = (meter_view.SECOND,)
        case Fault.METER_BILLING:
            slots = tuple(slot for slot in slots if slot is not meter_view.SECOND)
        case _:
            return ()
    addresses = {slot: meter_view.address_of(slot, settings) for slot in slots}
    return tuple(
        slot
        for slot, address in addresses.items()
        if address is not None and meter_help.is_complete(address)
    )


def read_buttons(remedy: Remedy, request: Request) -> tuple[tuple[str, str], ...]:
    """Label and target of a button for each meter."""
    words, found = words_for(request), meters_of(remedy, request)
    label = N_("Read meter now") if len(found) == 1 else N_("Socket {n}: read meter now")
    return tuple(
        (words(label).format(n=slot.connector), f"/meters/{slot.key}/test?saved=1")
        for slot in found
    )


def places(remedy: Remedy, request: Request) -> tuple[str, ...]:
    """For each meter its type and address, and how old its last value is."""
    words, services = words_for(request), station(request)
    settings, ages_s = settings_of(services).settings, services.meter_ages_s()
    found = []
    for slot in meters_of(remedy, request):
        address = meter_view.address_of(slot, settings)
        if address is None:
            continue
        number = "second" if slot is meter_view.SECOND else str(slot.connector)
        age_s = ages_s.get(number)
        age = (
            words("no value yet")
            if age_s is None
            else words("last value {age} ago").format(age=meter_view.age_text(age_s, words))
        )
        parts = (
            meter_view.type_name(address.slug, words),
            meter_view.address_text(address, words),
            age,
        )
        found.append(" · ".join(parts))
    return tuple(found)


def panels(remedy: Remedy, request: Request) -> tuple[tuple[str, Panel | None], ...]:
    """For each meter its key, and the visitor's test if there is one."""
    login, settings = visitor(request).login, settings_of(station(request)).settings
    tests, at_s, words = web_state(request.app).meter_tests, loop_time_s(), words_for(request)
    found: list[tuple[str, Panel | None]] = []
    for slot in meters_of(remedy, request):
        test = tests.shown(slot.key, login.key) if login else None
        if test is not None and test.address == meter_view.address_of(slot, settings):
            found.append((slot.key, meter_view.panel_of(test, at_s, words)))
        else:
            found.append((slot.key, None))
    return tuple(found)
