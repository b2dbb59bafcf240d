"""Security profiles (whitepaper A05): the backend raises the profile if its requirements are met.
The new profile is on trial until the backend has been reached with it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from borne.application.ports.settings import SettingsNotSaved
from borne.application.ports.storage import StateStore
from borne.application.security.certificates import Material
from borne.application.settings.settings_service import SettingsRejected, SettingsService
from borne.application.state.kept_state import of_form, stored_fact, text, whole
from borne.domain.principals import BACKEND, SYSTEM
from borne.domain.settings.ocpp_view import ConfigurationStatus
from borne.domain.settings.values import Form
from borne.foundation.json_value import JsonObject, JsonValue
from borne.foundation.supervisor import OnDemandTask, Supervisor
from borne.foundation.waiting import Flag

KEY, URL = "SecurityProfile", "WebSocketsBackendURL"
MAX_DIGITS = 9
SECURED = frozenset({"2", "3"})
STATE_KEY = "security_profile_before"
FORM = 1
"""Version of the stored form."""
TRIAL_S = 180.0
"""If the backend is not reached within this time, the previous profile is restored."""
_log = logging.getLogger(__name__)


def missing(profile: int, password: bytes | None, material: Material) -> str | None:
    """What a profile still requires; None if nothing (A05.FR.02 to 04)."""
    if profile in (1, 2) and not password:
        return "a password (AuthorizationKey)"
    if profile >= 2 and not material.roots_pem:
        return "a root certificate of the backend"
    if profile == 3 and material.own is None:
        return "a certificate of the station"
    return None


def _trial(data: JsonValue) -> JsonObject:
    """Parse the stored values from before a trial; no other settings can be restored from them."""
    stored = of_form(data, FORM)
    return {KEY: whole(stored[KEY]), URL: text(stored[URL])}


def _to_stored(trial: JsonObject) -> JsonObject:
    return {"form": FORM, **trial}


class SecurityProfiles:
    """Validates a change of the profile, and reverts it if the backend is not reached."""

    def __init__(
        self,
        settings: SettingsService,
        material: Callable[[], Material],
        state: StateStore,
        supervisor: Supervisor,
    ) -> None:
        self._settings = settings
        self._material = material
        self._state = state
        self._online = Flag()
        self._judging = OnDemandTask(supervisor, "security profile", self._judge)

    def start(self) -> None:
        """Restart a trial that a power failure interrupted."""
        self._judging.request()

    async def change(self, value: str) -> ConfigurationStatus:
        """ChangeConfiguration of the profile: only to a higher one (A05.FR.01) whose requirements
        are met. From profile 2 on, the address of the backend becomes wss://."""
        if not self._may_become(value):
            return ConfigurationStatus.REJECTED
        settings = self._settings.settings
        stored, _ = await stored_fact(self._state, STATE_KEY, _trial, None)
        profile, url = settings.integer(KEY), settings.text(URL)
        changes: dict[str, object] = {KEY: value}
        if value.strip() in SECURED and url.lower().startswith("ws://"):
            changes[URL] = f"wss{url[2:]}"
        await self._remember(stored or {KEY: profile, URL: url})
        self._online.clear()
        try:
            await self._settings.change(changes, BACKEND, "ocpp", form=Form.OCPP)
        except (SettingsRejected, SettingsNotSaved):
            await self._remember(stored)
            return ConfigurationStatus.REJECTED
        self._judging.request()
        return ConfigurationStatus.ACCEPTED

    def _may_become(self, value: str) -> bool:
        """True if the profile may be raised to `value`. A value that is not a number is rejected
        later, by the validation of settings."""
        digits = value.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
            return True
        if int(digits) <= self._settings.settings.integer(KEY):
            _log.warning("security profile %s is not above the one in use", digits)
            return False
        password = self._settings.settings.key_bytes("AuthorizationKey")
        why = missing(int(digits), password, self._material())
        if why is not None:
            _log.warning("security profile %s needs %s", digits, why)
        return why is None

    def on_online(self, online: bool) -> None:
        """The connection to the backend was established or lost."""
        if online:
            self._online.set()
        else:
            self._online.clear()

    async def _judge(self) -> None:
        before, _ = await stored_fact(self._state, STATE_KEY, _trial, None)
        if before is None:
            return
        if await self._online.wait(TRIAL_S):
            await self._remember(None)
        else:
            await self._go_back(before)

    async def _remember(self, trial: JsonObject | None) -> None:
        await self._state.put(STATE_KEY, None if trial is None else _to_stored(trial))

    async def _go_back(self, before: JsonObject) -> None:
        _log.error("the new security profile does not work: returning to %s", before[KEY])
        try:
            await self._settings.change(before, SYSTEM, "security profile")
        except (SettingsRejected, SettingsNotSaved) as error:
            _log.error("the security profile could not be restored: %s", error)
        await self._remember(None)
