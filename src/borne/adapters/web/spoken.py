"""Refusals in the language of the reader.

The application refuses in English sentences, which programs get as they are. For people a sentence
is found again among these templates and said in their language; one that is unknown stays English.
"""

from __future__ import annotations

import re
from functools import cache

from borne.adapters.web.i18n import Words
from borne.domain.settings.messages import N_

TEMPLATES = (
    # Rights
    N_("You are {role}; this needs {needed}."),
    N_("This needs {needed}."),
    N_("This needs a login; a token does not suffice."),
    N_("These pages need a login; a token does not suffice."),
    N_("Only a stronger role sets this password."),
    N_("A token cannot have more rights than you."),
    N_("An API token has no password."),
    N_("Set a new password first."),
    N_("The login or API token has ended meanwhile."),
    N_("Too many logins at once; try again."),
    N_("The request comes from another site."),
    N_("only people from operator upwards may confirm the limits"),
    # Sockets
    N_("Socket {socket} cannot start: it is {status}."),
    N_("Nothing is charging at socket {socket}."),
    N_("There is no socket {socket}."),
    N_("There is no connector {socket}."),
    # Cards
    N_("There is no such charging profile."),
    N_("Enter a card number."),
    N_("A card number has only the digits 0-9 and the letters A-F."),
    N_("A card number has 8, 14 or 20 digits (4, 7 or 10 bytes)."),
    N_("This card shows another number each time."),
    N_("The list holds {limit} entries at most."),
    N_("The list is longer than {limit} MB."),
    N_("This line is too long."),
    N_("A name has {limit} characters at most."),
    N_("Line {line} cannot be read: {reason}."),
    N_("Teach-in is running ({who})."),
    N_("The teach-in is over."),
    N_("This station cannot teach cards."),
    N_("The station knows no master card."),
    N_("The station waits for a card already."),
    N_("Name the card or the sessions to make anonymous."),
    # Station
    N_("The station has no power."),
    N_("The station is stopping."),
    N_("The disk is full; nothing was stored."),
    N_("The station's memory does not answer; nothing was stored."),
    N_("The settings could not be stored: {reason}."),
    N_("Too many event streams are open; close one first."),
    N_("The log files are being packed already; try again."),
    N_("Something went wrong inside the station."),
    # Addresses and forms
    N_("Not Found"),
    N_("Method Not Allowed"),
    N_("There is no such preset."),
    N_("This station cannot try a connection."),
    N_("This station has no mobile modem."),
    N_("Enter the address of the backend first."),
    N_("There is no such action."),
    N_("There is no such session."),
    N_("There is no such token."),
    N_("There is no such page of settings."),
    N_("There is no such page of help."),
    N_("There is no setting {name}."),
    N_("A form is expected."),
    N_("The form cannot be read."),
    N_("The body is larger than {limit} kB."),
    # Simulator
    N_("Somebody else changed the settings meanwhile; read them again."),
    N_("The hardware of this station is not simulated."),
    N_("The simulator can be used from the machine it runs on only."),
    N_("The simulator needs operator."),
    N_("A card needs a uid or an id_token."),
    N_("the lock of {socket} is closed, no plug can enter"),
    N_("nothing is plugged into {socket}"),
    N_("the plug in {socket} is locked"),
    N_("the card reader has no power"),
    # General
    N_("{car} is plugged into {socket}"),
    N_("{token} is no socket."),
    N_("{token} is no {what}."),
)
"""Specific before general; `{...}` stands for anything."""
STATUSES = (
    *(N_("available"), N_("reserved"), N_("preparing"), N_("authorized"), N_("charging")),
    *(N_("suspended_ev"), N_("suspended_evse"), N_("finishing"), N_("unavailable"), N_("faulted")),
)
"""Values in the sentences."""
LONGEST = 500


def said_to_people(message: str, words: Words) -> str:
    """The message in the language of `words`."""
    found = template_of(message)
    if found is None:
        return message
    template, values = found
    return words(template).format(**{name: words(value) for name, value in values.items()})


def template_of(message: str) -> tuple[str, dict[str, str]] | None:
    """The template that a message was made of, and its values; None when there is none."""
    if message in TEMPLATES:
        return message, {}
    if len(message) > LONGEST:
        return None
    for template, pattern in _patterns():
        found = pattern.fullmatch(message)
        if found is not None:
            return template, found.groupdict()
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (template, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(template))))
        for template in TEMPLATES
        if "{" in template
    )
