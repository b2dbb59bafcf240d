"""What the command line may do on the machine itself: settings, passwords, links, tokens.

The same commands run inside a running station (through its control socket) or, under the folder's
lock, without one; never beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from borne.application.accounts import Accounts, PasswordRefused
from borne.application.settings_ports import SettingsNotSaved
from borne.application.settings_service import SettingsRejected, SettingsService
from borne.domain.principals import SYSTEM, Role
from borne.domain.settings.values import Form
from borne.domain.settings.view import SettingView


class CommandRefused(Exception):
    """A sentence for the person at the command line."""


class Console:
    """Runs commands given as JSON data and answers with JSON data."""

    def __init__(self, settings: SettingsService, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts

    async def run(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one command; raises CommandRefused."""
        match command:
            case "settings-list":
                return {"settings": [_row(view) for view in self._settings.list(SYSTEM)]}
            case "settings-set":
                return await self._set(arguments)
            case "set-password":
                return await self._set_password(arguments)
            case "login-link":
                secret = await self._accounts.create_link(_role(arguments))
                return {"secret": secret}
            case "token-create":
                name = str(arguments.get("name", ""))
                stored, token = await self._accounts.create_token(_role(arguments), name)
                return {"id": stored.token_id, "token": token}
            case _:
                raise CommandRefused(f"There is no command {command}.")

    async def _set(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        changes = {str(key): value for key, value in dict(arguments.get("changes", {})).items()}
        try:
            result = await self._settings.change(changes, SYSTEM, "command line", form=Form.TEXT)
        except SettingsRejected as rejected:
            lines = [f"{name}: {message}" for name, message in rejected.errors.items()]
            raise CommandRefused("\n".join(lines)) from None
        except SettingsNotSaved as error:
            raise CommandRefused(str(error)) from None
        return result.to_json()

    async def _set_password(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        role = _role(arguments)
        try:
            await self._accounts.set_password(role, str(arguments.get("password", "")))
        except PasswordRefused as refused:
            raise CommandRefused(f"This password is refused: {refused.why.value}.") from None
        return {"role": role.value}


def _row(view: SettingView) -> dict[str, Any]:
    return {
        "name": view.name,
        "value": view.value,
        "is_set": view.is_set,
        "default": view.default,
        "changed": view.changed,
        "active": view.active,
        "unit": view.entry.unit,
    }


def _role(arguments: Mapping[str, Any]) -> Role:
    try:
        return Role(str(arguments.get("role", "")))
    except ValueError:
        names = ", ".join(role.value for role in Role)
        raise CommandRefused(f"The role must be one of {names}.") from None
