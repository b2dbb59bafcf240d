"""`borne settings`, `user`, `login-link` and `token` without their command line."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from borne.application.maintenance.local_commands import (
    HIDDEN,
    CommandFailed,
    CommandRefused,
    LocalCommands,
    link_note,
    parse_assignments,
    parse_lines,
)
from borne.application.people.accounts import MAX_TOKENS, Accounts, Logins, Rules
from borne.application.people.passwords import Hasher, ScryptCost
from borne.application.ports.storage import StorageFailed, StorageFull
from borne.application.settings.settings_service import SettingsService
from borne.domain.principals import Role
from borne.foundation.clock import Clock
from tests.support.fake_stores import MemoryAccounts
from tests.unit.application.settings_doubles import MemoryRepository, open_service

CHEAP = Hasher(secrets.token_bytes, ScryptCost(2, 1, 1))


def local_commands(
    settings: SettingsService | None = None,
    store: MemoryAccounts | None = None,
    page: str | None = None,
) -> LocalCommands:
    loop = asyncio.get_running_loop()
    logins = Logins(loop.time, secrets.token_urlsafe)
    rules = Rules(strong=lambda: True)
    stored = store or MemoryAccounts()
    accounts = Accounts(stored, Clock(loop.time), logins, hasher=CHEAP, rules=rules)

    async def ready() -> Accounts:
        return accounts

    return LocalCommands(settings or open_service(), ready, page)


async def run(answered: LocalCommands, command: str, **arguments: Any) -> Mapping[str, Any]:
    return await answered.run(command, arguments)


def test_assignments_are_parsed() -> None:
    assert parse_assignments(["A=1", " B =x=y", "A=2", "C="]) == {"A": "2", "B": "x=y", "C": ""}


def test_a_secret_typed_wrongly_is_not_repeated() -> None:
    with pytest.raises(CommandRefused, match="KEY=VALUE") as refused:
        parse_assignments(["AuthorizationKey:geheim"])
    assert "geheim" not in str(refused.value)


def test_lines_of_a_file_are_parsed() -> None:
    text = "\ufeff# of ours\nA=1\r\n\n  # B=2\nC = x=y \nD=a\u2028b\nA=3"
    assert parse_lines(text) == {"A": "3", "C": " x=y ", "D": "a\u2028b"}


@pytest.mark.parametrize("line", ["geheim", "=geheim", " = geheim"])
def test_invalid_lines_are_refused(line: str) -> None:
    with pytest.raises(CommandRefused, match=r"Line 3 .*KEY=VALUE") as refused:
        parse_lines(f"A=1\n\n{line}\n")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("text", ["A", "=1", ""])
def test_invalid_assignments_are_refused(text: str) -> None:
    with pytest.raises(CommandRefused, match="KEY=VALUE"):
        parse_assignments([text])


async def test_listed_values_can_be_set_again() -> None:
    repository = MemoryRepository()
    changes = {
        "MaximumCurrent": "16",
        "DLMEVSESubDistributionLimit": "63,63,32",
        "DLMRole": "master",
        "DLMMaxCurrentSchedule": "07:00;09:00;10|22:00;06:00;16,16,16",
        "APNPassword": "sesame",
        "FreeCharging": "on",
    }
    answer = await run(local_commands(open_service(repository)), "settings-set", changes=changes)
    assert answer["restart_required"] == ["DLMRole", "APNPassword"]
    again = local_commands(open_service(repository))
    answered = {row["name"]: row for row in (await run(again, "settings-list"))["settings"]}
    texts = {name: answered[name]["text"] for name in (*changes, "MaximumCurrent_2", "SIMPin")}
    assert texts == changes | {
        "DLMMaxCurrentSchedule": "07:00;09:00;10,10,10 | 22:00;06:00;16,16,16",
        "APNPassword": HIDDEN,
        "MaximumCurrent_2": "32",
        "SIMPin": "",
    }
    assert {name for name, row in answered.items() if row["changed"]} == set(changes)
    assert "sesame" not in str(answered)
    readable = {name: text for name, text in texts.items() if text not in (HIDDEN, "")}
    await run(local_commands(), "settings-set", changes=readable)


async def test_one_setting_by_name() -> None:
    answered = local_commands(open_service(active={"FreeCharging"}))
    free = await run(answered, "settings-get", name="FreeCharging")
    assert (free["text"], free["value"], free["active"]) == ("off", False, True)
    assert not (await run(answered, "settings-get", name="LogLevel"))["active"]
    for name in ("Nonsense", "", "freecharging", "x" * 1000):
        with pytest.raises(CommandRefused, match=r"^There is no setting '.{0,80}'\.$"):
            await run(answered, "settings-get", name=name)


async def test_invalid_changes_are_refused_together_in_one_sentence() -> None:
    service = open_service()
    changes = {"FreeCharging": "on", "OperatorCurrentLimit": "200", "Nothing": "1"}
    with pytest.raises(CommandRefused) as refused:
        await run(local_commands(service), "settings-set", changes=changes)
    assert str(refused.value) == (
        "Nothing: There is no setting of this name.; "
        "OperatorCurrentLimit: At most 32 A: Installation Current Limit is 32 A."
    )
    assert service.settings["FreeCharging"] is False


async def test_a_full_disk_is_reported() -> None:
    repository = MemoryRepository()
    service = open_service(repository)
    repository.full = True
    with pytest.raises(CommandFailed, match="No space left"):
        await run(local_commands(service), "settings-set", changes={"FreeCharging": "on"})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StorageFull("full"), "Nothing was stored: the disk is full."),
        (StorageFailed("disk I/O error"), "Nothing was stored: disk I/O error."),
    ],
)
async def test_a_database_that_cannot_be_written_is_reported(
    error: Exception, sentence: str
) -> None:
    class Broken(MemoryAccounts):
        async def set_password_hash(self, role: Role, hash_: str | None) -> None:
            raise error

    with pytest.raises(CommandFailed) as failed:
        await run(
            local_commands(store=Broken()), "set-password", role="user", password="Stromkabel-1"
        )
    assert str(failed.value) == sentence


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "use at least 8 characters"),
        ("x" * 200, "use at most 128 characters"),
        ("yellow_zone", "it is printed in the manual"),
        ("operator", "it is the name of the role"),
        ("onlysmallletters", "use small and capital letters, digits and a special character"),
    ],
)
async def test_weak_passwords_are_refused(password: str, sentence: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        await run(local_commands(), "set-password", role="operator", password=password)
    assert str(refused.value) == f"This password is refused: {sentence}."


async def test_a_password_is_kept_as_a_hash() -> None:
    store = MemoryAccounts()
    answer = await run(
        local_commands(store=store), "set-password", role="installer", password="Stromkabel-1"
    )
    assert answer == {"role": "installer"}
    assert store.hashes[Role.INSTALLER].startswith("scrypt$")


@pytest.mark.parametrize("command", ["set-password", "login-link", "token-create"])
async def test_unknown_roles_are_refused(command: str) -> None:
    with pytest.raises(CommandRefused, match=r"one of user, operator, installer, manufacturer"):
        await run(local_commands(), command, role="root", password="Stromkabel-1")


async def test_each_role_gets_a_link() -> None:
    store = MemoryAccounts()
    for role in Role:
        answer = await run(
            local_commands(store=store, page="http://h"), "login-link", role=role.value
        )
        assert answer["page"] == "http://h"
        assert answer["path"].startswith("/login/")
    assert [role for role, _ in store.links.values()] == list(Role)


async def test_a_token_is_shown_once_and_their_number_is_limited() -> None:
    answered = local_commands()
    first = await run(answered, "token-create", role="user", name="wallboard")
    assert first["token"].startswith("borne_")
    for _ in range(MAX_TOKENS - 1):
        await run(answered, "token-create", role="user")
    with pytest.raises(CommandRefused, match="as many tokens"):
        await run(answered, "token-create", role="user")


@pytest.mark.parametrize(
    ("host", "works"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.7", False), ("", False)],
)
def test_a_link_that_works_on_one_host_only_has_a_note(host: str, works: bool) -> None:
    assert (link_note(host) == "") is works


async def test_unknown_commands_are_refused() -> None:
    with pytest.raises(CommandRefused, match="There is no command 'explode'"):
        await run(local_commands(), "explode")
