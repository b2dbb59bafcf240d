"""Applies the setting EnforcePasswordChange while the station runs."""

from __future__ import annotations

from borne.application.people.accounts import Accounts
from borne.application.settings.running import RunningSettings
from borne.domain.principals import Role
from borne.foundation.supervisor import Supervisor

KEY = "EnforcePasswordChange"


class PasswordRule:
    """Demands a new password from the operator when the setting is switched on."""

    def __init__(
        self, accounts: Accounts, settings: RunningSettings, supervisor: Supervisor
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._supervisor = supervisor

    def start(self) -> None:
        self._settings.on_change({KEY}, self._on_settings_changed)

    def _on_settings_changed(self) -> None:
        if self._settings().flag(KEY):
            work = self._accounts.require_change(Role.OPERATOR)
            self._supervisor.start("new password for the operator", work)
