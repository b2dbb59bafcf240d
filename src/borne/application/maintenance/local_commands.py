"""Commands of the command line on the machine itself: settings, passwords, links, tokens.

They run inside a running station (through its control socket) or, if none runs, in the command's
own process under the lock of the data folder. `settings get` prints values in the spelling that
`settings set` accepts; a secret is only shown as set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from borne.application.people.accounts import Accounts, PasswordRefused, TooManyTokens
from borne.application.people.passwords import LONGEST, SHORTEST, Busy, Weakness
from borne.application.ports.settings import SettingsNotSaved
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.application.settings.settings_service import SettingsRejected, SettingsService
from borne.application.state.kept_state import mapping
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.addressing import resolve
from borne.domain.settings.values import Form, to_text
from borne.domain.settings.view import SettingView
from borne.foundation.addresses import is_loopback
from borne.foundation.json_value import JsonObject
from borne.foundation.logging import redact

HIDDEN = "(set)"
"""Shown instead of a secret."""
MAX_SHOWN = 80
"""Characters of user input quoted in a message."""

_WEAK = {
    Weakness.TOO_SHORT: f"use at least {SHORTEST} characters",
    Weakness.TOO_LONG: f"use at most {LONGEST} characters",
    Weakness.PRINTED: "it is printed in the manual",
    Weakness.SAME_AS_NAME: "it is the name of the role",
    Weakness.NOT_STRONG: "use small and capital letters, digits and a special character",
}


class CommandRefused(Exception):
    """The request is invalid; the message is for the user at the command line."""


class CommandFailed(Exception):
    """The request is valid but failed; the message is for the user at the command line."""


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Parse `KEY=VALUE` arguments; the last value of a key counts. Raises CommandRefused."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise CommandRefused(f"{_short(redact(text))} is not of the form KEY=VALUE.")
        found[name.strip()] = value
    return found


def parse_lines(text: str) -> dict[str, str]:
    """Parse a file with one `KEY=VALUE` per line. Empty lines and lines starting with # are
    ignored, the last value of a key counts. Raises CommandRefused, without quoting the file, as it
    holds secrets."""
    found = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not (equals and name.strip()):
            raise CommandRefused(f"Line {number} of the settings is not of the form KEY=VALUE.")
        found[name.strip()] = value.removesuffix("\r")
    return found


def refusal_sentence(rejected: SettingsRejected) -> str:
    """All errors of a rejected change in one line."""
    return "; ".join(f"{name}: {message}" for name, message in rejected.errors.items())


def link_note(host: str) -> str:
    """Why a login link to `host` does not work; empty if it does."""
    if host == "localhost" or is_loopback(host):
        return ""
    return (
        f"A login link works on this machine only, and the station listens on {host} alone: "
        "start it with --host 127.0.0.1 or 0.0.0.0, or set a password with "
        "borne user set-password."
    )


class LocalCommands:
    """Executes commands given as JSON data and returns JSON data."""

    def __init__(
        self,
        settings: SettingsService,
        accounts: Callable[[], Awaitable[Accounts]],
        page: str | None = None,
    ) -> None:
        """`accounts` opens the accounts when a command needs them; `page` is the URL of a running
        station's web interface."""
        self._settings = settings
        self._accounts = accounts
        self._page = page

    async def run(self, command: str, arguments: JsonObject) -> JsonObject:
        """Execute one command; raises CommandRefused and CommandFailed."""
        try:
            return await self._run(command, arguments)
        except Busy:
            raise CommandFailed("Too many passwords are being checked: try again.") from None
        except StorageFull:
            raise CommandFailed("Nothing was stored: the disk is full.") from None
        except StorageFailed as failed:
            reason = str(failed).removesuffix(".")
            raise CommandFailed(f"Nothing was stored: {reason}.") from None

    async def _run(self, command: str, arguments: JsonObject) -> JsonObject:
        match command:
            case "settings-list":
                return {"settings": [self._row(view) for view in self._settings.list(SYSTEM)]}
            case "settings-get":
                return self._get(str(arguments.get("name", "")))
            case "settings-set":
                return await self._set(arguments)
            case "set-password":
                return await self._set_password(arguments)
            case "login-link":
                return await self._create_link(arguments)
            case "token-create":
                return await self._create_token(arguments)
            case _:
                raise CommandRefused(f"There is no command {_short(command)}.")

    def _get(self, name: str) -> JsonObject:
        for view in self._settings.list(SYSTEM):
            if view.name == name:
                return self._row(view)
        raise CommandRefused(f"There is no setting {_short(name)}.")

    def _row(self, view: SettingView) -> JsonObject:
        return {
            "name": view.name,
            "text": self._text(view),
            "value": view.value,
            "is_set": view.is_set,
            "default": view.default,
            "changed": view.changed,
            "active": view.active,
            "unit": view.entry.unit,
        }

    def _text(self, view: SettingView) -> str:
        if view.entry.type.is_secret:
            return HIDDEN if view.is_set else ""
        settings = self._settings.settings
        address = resolve(view.name, settings.facts)
        return to_text(address.entry, settings.at(address)) if address is not None else ""

    async def _set(self, arguments: JsonObject) -> JsonObject:
        changes = mapping(arguments.get("changes", {}))
        try:
            result = await self._settings.change(changes, SYSTEM, "command line", form=Form.TEXT)
        except SettingsRejected as rejected:
            raise CommandRefused(refusal_sentence(rejected)) from None
        except SettingsNotSaved as error:
            raise CommandFailed(str(error)) from None
        return result.to_json()

    async def _set_password(self, arguments: JsonObject) -> JsonObject:
        role = _role(arguments)
        accounts = await self._accounts()
        try:
            await accounts.set_password(role, str(arguments.get("password", "")))
        except PasswordRefused as refused:
            raise CommandRefused(f"This password is refused: {_WEAK[refused.why]}.") from None
        return {"role": role.value}

    async def _create_link(self, arguments: JsonObject) -> JsonObject:
        role = _role(arguments)
        secret = await (await self._accounts()).create_link(role)
        return {"page": self._page, "path": f"/login/{secret}"}

    async def _create_token(self, arguments: JsonObject) -> JsonObject:
        role, name = _role(arguments), str(arguments.get("name", ""))
        accounts = await self._accounts()
        try:
            stored, token = await accounts.create_token(role, name)
        except TooManyTokens:
            sentence = "There are as many tokens as there may be: take one back on the web page."
            raise CommandRefused(sentence) from None
        return {"id": stored.token_id, "token": token}


def _role(arguments: JsonObject) -> Role:
    try:
        return Role(str(arguments.get("role", "")))
    except ValueError:
        names = ", ".join(role.value for role in Role)
        raise CommandRefused(f"The role must be one of {names}.") from None


def _short(text: str) -> str:
    return repr(text[:MAX_SHOWN])
