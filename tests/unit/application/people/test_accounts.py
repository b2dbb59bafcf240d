"""Accounts (manual 1.2, 3; decision D20)."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest

from borne.application.people import passwords
from borne.application.people.accounts import (
    MAX_TOKENS,
    PRINTED_PASSWORD,
    Accounts,
    LinkRefused,
    Login,
    NotAllowed,
    PasswordRefused,
    Rules,
    TooManyTokens,
    TryLater,
    WrongPassword,
    token_principal,
)
from borne.application.people.logins import ABSOLUTE_S, IDLE_S, MAX_LOGINS, Logins, LoginWay
from borne.application.people.passwords import (
    BUDGET_ATTEMPTS,
    BUDGET_REFILL_S,
    FREE_ATTEMPTS,
    LONGEST_DELAY_S,
    MAX_KNOWN,
    MAX_REMEMBERED,
    MAX_WAITING,
    Attempts,
    Busy,
    Hasher,
    ScryptCost,
    Weakness,
    weakness,
)
from borne.domain.principals import SYSTEM, Principal, PrincipalKind, Role
from borne.foundation.addresses import client_network, is_loopback
from borne.foundation.clock import Clock
from borne.foundation.scaled_loop import ScaledEventLoop
from tests.support.fake_stores import MemoryAccounts, MemorySecurityLog

HOME = "127.0.0.1"
ELSEWHERE = "192.168.1.44"
GOOD = "correct horse"
CHEAP = ScryptCost(n=2, r=1, p=1)


class Bench:
    """Accounts on a clock that only the test moves."""

    def __init__(self, *, strong: bool = False) -> None:
        self.now_s = 1000.0
        self.store = MemoryAccounts()
        self.security = MemorySecurityLog()
        counter = itertools.count()
        self.logins = Logins(lambda: self.now_s, lambda size: f"cookie-{next(counter)}-{size}")
        self.clock = Clock(lambda: self.now_s)
        self.accounts = Accounts(
            self.store,
            self.clock,
            self.logins,
            hasher=Hasher(lambda size: b"s" * size, CHEAP),
            rules=Rules(strong=lambda: strong),
            security=self.security,
            random_id=lambda size: f"secret-{next(counter)}-{size}",
        )

    async def login(self, role: Role, password: str = GOOD, address: str = HOME) -> Login:
        _, login = await self.accounts.login(role.value, password, address)
        return login

    async def logged_in(self, role: Role) -> Login:
        await self.accounts.set_password(role, GOOD)
        return await self.login(role)


def person(role: Role) -> Principal:
    return Principal(PrincipalKind.PERSON, role, role.value)


# The printed password ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["operator", " Operator ", "OPERATOR", "opérateur", "operateur"])
async def test_the_printed_password_opens_only_its_own_change(name: str) -> None:
    bench = Bench()
    cookie, login = await bench.accounts.login(name, PRINTED_PASSWORD, HOME)
    assert login.must_change
    assert login.principal.role is Role.OPERATOR
    assert bench.logins.find(cookie) is not None


async def test_a_replaced_printed_password_is_refused() -> None:
    bench = Bench()
    login = await bench.login(Role.OPERATOR, PRINTED_PASSWORD)
    await bench.accounts.change_password(login, "", GOOD)
    with pytest.raises(WrongPassword):
        await bench.login(Role.OPERATOR, PRINTED_PASSWORD)
    assert not (await bench.login(Role.OPERATOR)).must_change


async def test_after_the_change_the_same_login_has_all_rights() -> None:
    bench = Bench()
    cookie, login = await bench.accounts.login("operator", PRINTED_PASSWORD, HOME)
    await bench.accounts.change_password(login, "", GOOD)
    found = bench.logins.find(cookie)
    assert found is not None
    assert not found.must_change


async def test_a_second_first_login_ends_the_one_before() -> None:
    bench = Bench()
    first, _ = await bench.accounts.login("operator", PRINTED_PASSWORD, HOME)
    second, _ = await bench.accounts.login("operator", PRINTED_PASSWORD, ELSEWHERE)
    assert bench.logins.find(first) is None
    assert bench.logins.find(second) is not None


@pytest.mark.parametrize("role", [Role.USER, Role.INSTALLER, Role.MANUFACTURER])
@pytest.mark.parametrize("password", ["", PRINTED_PASSWORD, "admin"])
async def test_other_roles_have_no_password_until_one_is_set(role: Role, password: str) -> None:
    bench = Bench()
    with pytest.raises(WrongPassword):
        await bench.login(role, password)
    await bench.accounts.set_password(role, GOOD)
    assert (await bench.login(role)).principal.role is role


async def test_an_unknown_name_gets_the_answer_of_a_wrong_password() -> None:
    with pytest.raises(WrongPassword):
        await Bench().accounts.login("root", GOOD, HOME)


async def test_a_password_of_broken_characters_is_only_wrong() -> None:
    with pytest.raises(WrongPassword):
        await Bench().accounts.login("operator", "\ud800", HOME)


# Setting and changing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "strong", "expected"),
    [
        ("short", False, Weakness.TOO_SHORT),
        ("x" * 129, False, Weakness.TOO_LONG),
        ("Yellow_Zone", False, Weakness.PRINTED),
        ("installer", False, Weakness.SAME_AS_NAME),
        ("long enough", False, None),
        ("long enough", True, Weakness.NOT_STRONG),
        ("Long-enough-1", True, None),
        ("LONG-ENOUGH-1", True, Weakness.NOT_STRONG),
        ("Longenough1", True, Weakness.NOT_STRONG),
        ("Long-enough-x", True, Weakness.NOT_STRONG),
    ],
)
def test_weak_passwords_are_recognised(
    password: str, strong: bool, expected: Weakness | None
) -> None:
    name = "installer"
    found = weakness(password, name=name, printed=PRINTED_PASSWORD, strong=strong)
    assert found is expected


async def test_a_weak_password_changes_nothing() -> None:
    bench = Bench(strong=True)
    login = await bench.login(Role.OPERATOR, PRINTED_PASSWORD)
    with pytest.raises(PasswordRefused) as refused:
        await bench.accounts.change_password(login, "", "lowercase only")
    assert refused.value.why is Weakness.NOT_STRONG
    assert not await bench.accounts.has_password(Role.OPERATOR)


async def test_a_change_needs_the_current_password_and_ends_the_other_logins() -> None:
    bench = Bench()
    login = await bench.logged_in(Role.OPERATOR)
    other, _ = await bench.accounts.login("operator", GOOD, ELSEWHERE)
    with pytest.raises(WrongPassword):
        await bench.accounts.change_password(login, "wrong one", "another horse")
    await bench.accounts.change_password(login, GOOD, "another horse")
    assert bench.logins.find(other) is None
    assert bench.logins.alive(login.key)


async def test_guessing_the_current_password_is_slowed_down_too() -> None:
    bench = Bench()
    login = await bench.logged_in(Role.OPERATOR)
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(WrongPassword):
            await bench.accounts.change_password(login, "wrong one", "another horse")
    with pytest.raises(TryLater):
        await bench.accounts.change_password(login, GOOD, "another horse")


RIGHTS = [
    (setter, target, setter.includes(target) and setter is not target)
    for setter in Role
    for target in Role
]


@pytest.mark.parametrize(("setter", "target", "allowed"), RIGHTS)
async def test_only_a_stronger_role_sets_a_password(
    setter: Role, target: Role, allowed: bool
) -> None:
    bench = Bench()
    if allowed:
        await bench.accounts.set_password(target, GOOD, person(setter))
    else:
        with pytest.raises(NotAllowed):
            await bench.accounts.set_password(target, GOOD, person(setter))
    assert await bench.accounts.has_password(target) is allowed


async def test_a_temporary_password_must_be_replaced() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.USER, GOOD, person(Role.OPERATOR), temporary=True)
    login = await bench.login(Role.USER)
    assert login.must_change
    await bench.accounts.change_password(login, "", "my own horse")
    assert not (await bench.login(Role.USER, "my own horse")).must_change


async def test_a_password_change_can_be_required() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    await bench.accounts.require_change(Role.OPERATOR)
    await bench.accounts.require_change(Role.OPERATOR)
    assert (await bench.login(Role.OPERATOR)).must_change


async def test_a_removed_password_refuses_and_ends_logins() -> None:
    bench = Bench()
    login = await bench.logged_in(Role.USER)
    await bench.accounts.set_password(Role.USER, None)
    assert not bench.logins.alive(login.key)
    with pytest.raises(WrongPassword):
        await bench.login(Role.USER)


async def test_no_password_is_kept_or_logged_in_clear() -> None:
    bench = Bench()
    await bench.logged_in(Role.INSTALLER)
    with pytest.raises(WrongPassword):
        await bench.login(Role.INSTALLER, "a wrong guess")
    everything = f"{bench.store.hashes} {bench.security.events}"
    assert GOOD not in everything
    assert "a wrong guess" not in everything
    events = [(event.kind, event.detail) for event in bench.security.events]
    assert ("login", f"installer from {HOME} by password") in events


# Guessing -----------------------------------------------------------------------------------------


async def guess(bench: Bench, address: str = HOME) -> float:
    """A wrong password; the seconds to wait, 0 when it was checked."""
    try:
        await bench.login(Role.OPERATOR, "wrong one", address)
    except TryLater as later:
        return later.wait_s
    except WrongPassword:
        return 0.0
    raise AssertionError("it was right")


async def test_after_five_wrong_tries_the_delay_doubles() -> None:
    bench = Bench()
    assert [await guess(bench) for _ in range(FREE_ATTEMPTS)] == [0.0] * FREE_ATTEMPTS
    delays = []
    for _ in range(4):
        wait_s = await guess(bench)
        delays.append(wait_s)
        bench.now_s += wait_s
        assert await guess(bench) == 0.0
    assert delays == [2.0, 4.0, 8.0, 16.0]


async def test_the_right_password_waits_too_and_then_clears() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    for _ in range(FREE_ATTEMPTS):
        await guess(bench)
    with pytest.raises(TryLater):
        await bench.login(Role.OPERATOR)
    bench.now_s += 2.0
    await bench.login(Role.OPERATOR)
    assert [await guess(bench) for _ in range(FREE_ATTEMPTS)] == [0.0] * FREE_ATTEMPTS


async def test_a_guesser_does_not_lock_others_out() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    for _ in range(FREE_ATTEMPTS + 1):
        await guess(bench, ELSEWHERE)
    assert (await bench.login(Role.OPERATOR)).address == HOME


async def test_concurrent_tries_count() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    judged = await asyncio.gather(*(guess(bench) for _ in range(30)))
    assert sum(wait_s == 0.0 for wait_s in judged) == FREE_ATTEMPTS


def test_the_delay_is_capped_and_forgotten() -> None:
    now_s = 0.0
    attempts = Attempts(lambda: now_s)
    for _ in range(60):
        attempts.count("operator", HOME)
    assert attempts.wait_s("operator", HOME) == LONGEST_DELAY_S
    now_s += 2 * 24 * 3600.0
    assert attempts.count("operator", HOME) == 1


def test_the_table_of_tries_is_bounded() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(3 * MAX_REMEMBERED):
        attempts.count("operator", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(attempts._tries) == MAX_REMEMBERED


def far(number: int) -> str:
    return f"10.1.{number >> 8}.{number & 255}"


async def test_many_addresses_guess_no_faster_than_a_few() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    judged = [await guess(bench, far(number)) == 0.0 for number in range(500)]
    assert sum(judged) == BUDGET_ATTEMPTS
    bench.now_s += 3600.0
    judged = [await guess(bench, far(1000 + number)) == 0.0 for number in range(500)]
    assert sum(judged) == BUDGET_ATTEMPTS
    hours = 0
    for number in range(24 * 60):
        bench.now_s += 60.0
        hours += await guess(bench, far(2000 + number)) == 0.0
    assert hours <= 24 * 3600 / BUDGET_REFILL_S


async def test_strangers_lock_neither_this_machine_nor_the_owner_out() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    await bench.login(Role.OPERATOR, address=ELSEWHERE)
    for number in range(100):
        await guess(bench, far(number))
    with pytest.raises(TryLater) as later:
        await bench.login(Role.OPERATOR, address="192.168.1.45")
    assert later.value.wait_s <= BUDGET_REFILL_S
    assert (await bench.login(Role.OPERATOR, address=ELSEWHERE)).address == ELSEWHERE
    assert (await bench.login(Role.OPERATOR, address=HOME)).address == HOME
    secret = await bench.accounts.create_link(Role.OPERATOR)
    await bench.accounts.use_link(secret, HOME)
    bench.now_s += later.value.wait_s
    await bench.login(Role.OPERATOR, address="192.168.1.45")


async def test_guesses_at_one_role_do_not_slow_another() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.INSTALLER, GOOD)
    for number in range(100):
        await guess(bench, far(number))
    await bench.login(Role.INSTALLER, address=ELSEWHERE)


async def test_right_passwords_are_not_slowed_down() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.USER, GOOD)
    for number in range(3 * BUDGET_ATTEMPTS):
        await bench.login(Role.USER, address=far(number))


async def test_after_a_password_change_other_addresses_are_strangers() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.OPERATOR, GOOD)
    await bench.login(Role.OPERATOR, address=far(1))
    login = await bench.login(Role.OPERATOR, address=ELSEWHERE)
    await bench.accounts.change_password(login, GOOD, "another horse")
    for number in range(100, 200):
        await guess(bench, far(number))
    with pytest.raises(TryLater):
        await bench.login(Role.OPERATOR, "another horse", far(1))
    await bench.login(Role.OPERATOR, "another horse", ELSEWHERE)


def test_known_addresses_are_bounded() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(3 * MAX_KNOWN):
        attempts.count("user", far(number))
        attempts.succeeded("user", far(number))
    assert sum(map(len, attempts._known.values())) == MAX_KNOWN


async def test_hashes_are_computed_one_at_a_time_in_one_thread() -> None:
    """Each thread that ever made one keeps its memory."""
    threads: set[str] = set()
    running: list[int] = []

    def scrypt(password: str, salt: bytes, cost: ScryptCost) -> bytes:
        threads.add(threading.current_thread().name)
        running.append(1)
        assert len(running) == 1
        running.pop()
        return b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_scrypt", scrypt)
        hashers = [Hasher(bytes, CHEAP) for _ in range(4)]
        await asyncio.gather(*(hasher.hash("x") for hasher in hashers for _ in range(8)))
    assert len(threads) == 1


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.168.1.4", "192.168.1.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::99", "2001:db8:1:2::/64"),
        ("::ffff:192.168.1.4", "192.168.1.4"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_ipv6_addresses_count_by_network(address: str, expected: str) -> None:
    assert client_network(address) == expected


async def test_the_number_of_waiting_hashes_is_limited() -> None:
    hasher = Hasher(bytes, CHEAP)
    results = await asyncio.gather(
        *(hasher.verify("x", None) for _ in range(MAX_WAITING + 3)), return_exceptions=True
    )
    assert sum(isinstance(result, Busy) for result in results) == 3


# Logins -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "alive"),
    [
        ([IDLE_S - 1], True),
        ([IDLE_S + 1], False),
        ([IDLE_S - 1] * 3, True),
        ([IDLE_S - 1] * int(ABSOLUTE_S / IDLE_S + 2), False),
    ],
    ids=["used", "idle", "used again and again", "too old"],
)
async def test_a_login_ends_by_itself(steps: list[float], alive: bool) -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.USER, GOOD)
    cookie, _ = await bench.accounts.login("user", GOOD, HOME)
    found: Login | None = None
    for step in steps:
        bench.now_s += step
        found = bench.logins.find(cookie)
    assert (found is not None) is alive


async def test_cookies_are_stored_as_hashes() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.USER, GOOD)
    cookie, login = await bench.accounts.login("user", GOOD, HOME)
    assert cookie not in repr(bench.logins._logins)
    assert bench.logins.find(login.key) is None


async def test_the_longest_unused_login_ends_when_there_are_too_many() -> None:
    bench = Bench()
    who = person(Role.USER)
    cookies = []
    for _ in range(MAX_LOGINS):
        bench.now_s += 1
        cookies.append(bench.logins.open(who, LoginWay.PASSWORD, HOME)[0])
    bench.logins.find(cookies[0])
    bench.logins.open(who, LoginWay.PASSWORD, HOME)
    assert len(bench.logins) == MAX_LOGINS
    assert bench.logins.find(cookies[0]) is not None
    assert bench.logins.find(cookies[1]) is None


async def test_the_end_of_a_login_is_signalled() -> None:
    bench = Bench()
    login = await bench.logged_in(Role.USER)
    ended: list[str] = []
    bench.logins.ended.subscribe(ended.append)
    bench.accounts.logout(login)
    bench.accounts.logout(login)
    assert ended == [login.key]


# API tokens ---------------------------------------------------------------------------------------


async def test_a_token_has_its_role_until_it_is_removed() -> None:
    bench = Bench()
    stored, token = await bench.accounts.create_token(Role.OPERATOR, "script")
    assert token_principal(stored) == Principal(PrincipalKind.API_TOKEN, Role.OPERATOR, "script")
    assert bench.accounts.token(token) == stored
    assert bench.accounts.token(token + "x") is None
    assert bench.accounts.token("") is None
    assert token not in repr(bench.store.stored)
    assert await bench.accounts.remove_token(stored.token_id)
    assert bench.accounts.token(token) is None
    assert not await bench.accounts.remove_token(stored.token_id)


async def test_tokens_survive_a_restart() -> None:
    bench = Bench()
    _, token = await bench.accounts.create_token(Role.USER, "display")
    again = Accounts(bench.store, bench.clock, bench.logins)
    assert again.token(token) is None
    await again.load()
    found = again.token(token)
    assert found is not None
    assert found.role is Role.USER


@pytest.mark.parametrize(
    ("maker", "role", "allowed"), [(m, r, m.includes(r)) for m in Role for r in Role]
)
async def test_a_token_has_at_most_its_makers_rights(
    maker: Role, role: Role, allowed: bool
) -> None:
    bench = Bench()
    if not allowed:
        with pytest.raises(NotAllowed):
            await bench.accounts.create_token(role, "x", person(maker))
        return
    stored, _ = await bench.accounts.create_token(role, "x", person(maker))
    assert stored in bench.accounts.tokens(person(maker))


async def test_a_weaker_role_neither_sees_nor_removes_a_token() -> None:
    bench = Bench()
    stored, token = await bench.accounts.create_token(Role.MANUFACTURER, "x")
    assert bench.accounts.tokens(person(Role.OPERATOR)) == []
    assert not await bench.accounts.remove_token(stored.token_id, person(Role.OPERATOR))
    assert bench.accounts.token(token) is not None


async def test_tokens_are_bounded() -> None:
    bench = Bench()
    for _ in range(MAX_TOKENS):
        await bench.accounts.create_token(Role.USER, "x")
    with pytest.raises(TooManyTokens):
        await bench.accounts.create_token(Role.USER, "x", SYSTEM)


# Links --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
async def test_a_link_logs_in_once_from_this_machine(address: str) -> None:
    bench = Bench()
    secret = await bench.accounts.create_link(Role.MANUFACTURER)
    _, login = await bench.accounts.use_link(secret, address)
    assert (login.principal.role, login.way) == (Role.MANUFACTURER, LoginWay.LINK)
    assert not login.must_change
    with pytest.raises(LinkRefused):
        await bench.accounts.use_link(secret, address)


@pytest.mark.parametrize("address", ["192.168.1.4", "::2", "", "localhost.evil", "::ffff:10.0.0.1"])
async def test_a_link_used_from_another_machine_is_refused_and_stays_valid(address: str) -> None:
    bench = Bench()
    secret = await bench.accounts.create_link(Role.USER)
    assert not is_loopback(address)
    with pytest.raises(LinkRefused):
        await bench.accounts.use_link(secret, address)
    await bench.accounts.use_link(secret, HOME)


@pytest.mark.parametrize(("minutes", "works"), [(14.9, True), (15.1, False)])
async def test_a_link_expires(minutes: float, works: bool) -> None:
    bench = Bench()
    secret = await bench.accounts.create_link(Role.USER)
    bench.now_s += minutes * 60
    if works:
        await bench.accounts.use_link(secret, HOME)
    else:
        with pytest.raises(LinkRefused):
            await bench.accounts.use_link(secret, HOME)


@pytest.mark.parametrize(("minutes", "works"), [(14.9, True), (15.1, False)])
def test_a_link_of_a_station_with_faster_time_lasts_as_long_for_people(
    minutes: float, works: bool
) -> None:
    with asyncio.Runner(loop_factory=lambda: ScaledEventLoop(60.0)) as runner:
        runner.run(test_a_link_expires(minutes * 60.0, works))


async def test_links_are_stored_as_hashes() -> None:
    bench = Bench()
    secret = await bench.accounts.create_link(Role.USER)
    assert secret not in repr(bench.store.links)


async def test_a_login_by_link_sets_a_password_without_the_old_one() -> None:
    bench = Bench()
    await bench.accounts.set_password(Role.MANUFACTURER, GOOD)
    secret = await bench.accounts.create_link(Role.MANUFACTURER)
    _, login = await bench.accounts.use_link(secret, HOME)
    await bench.accounts.change_password(login, "", "another horse")
    await bench.login(Role.MANUFACTURER, "another horse")
