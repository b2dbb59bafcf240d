"""What deciding costs: the connector's machine, the answer to a card, the whitelist.

    python -m tests.benchmarks.decisions [--rounds N]

The events are those of a whole session, taken once from an obedient connector and played to the
machine again and again; cards come in every state of knowledge. Prints decisions per second of CPU
time; the whitelist with ten thousand entries is compared with one of a hundred (read the ratio: a
look-up must not feel the length of the list).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from borne.application.authorization.whitelist import Whitelist
from borne.application.ports.storage import WhitelistEntry
from borne.domain.authorization.decision import (
    BackendAnswer,
    Card,
    Knowledge,
    KnownToken,
    Policy,
    WhitelistMatch,
    decide,
)
from borne.domain.station.connector import step
from borne.domain.station.connector_events import Event
from borne.domain.station.connector_state import (
    Authorization,
    ConnectorConfig,
    ConnectorState,
    LiveSession,
    Phase,
)
from borne.domain.vehicle import Identity, IdentityKind
from borne.foundation.clock import Clock, ClockTrust
from tests.support.fake_stores import MemoryWhitelist
from tests.unit.domain.station.machine import OWN_STOP, Machine

ENTRIES, FEW = 10_000, 100
LOOK_UPS = 20_000
TOKENS = 64
OWN, FOREIGN = Card("04567daa5f3580"), Card("0a0e9b83")


class _Recorder(Machine):
    """Remembers the events of the machine, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Event]] = []
        super().__init__()

    def feed(self, *events: Event) -> Machine:
        for event in events:
            self.events.append((self.now_s, event))
            super().feed(event)
        return self


def session_events() -> list[tuple[float, Event]]:
    """Plug, card, energy, the card again, unplug."""
    found = _Recorder()
    found.charge()
    found.wait(60.0)
    found.feed(OWN_STOP)
    found.wait(60.0)
    found.unplug()
    found.wait(5.0)
    assert found.stops
    assert play(found.events, found.config) == found.state
    return found.events


def play(events: list[tuple[float, Event]], config: ConnectorConfig) -> ConnectorState:
    """The machine after all of them."""
    state = ConnectorState()
    for at_s, event in events:
        state = step(state, event, at_s, config).state
    return state


def questions() -> list[Callable[[], object]]:
    """A card in every state of knowledge, at a free connector and at one in use."""
    owner = Authorization(Identity(IdentityKind.RFID, OWN.token, "family"), card=OWN.token)
    running = LiveSession(owner, Phase.RUNNING, "s1")
    known = KnownToken("Accepted", "family")
    policy = Policy(
        has_backend=True, whitelist_enabled=True, local_list_enabled=True, cache_enabled=True
    )
    states = itertools.product(
        WhitelistMatch, (None, known), (None, known), (True, False), BackendAnswer, (OWN, FOREIGN)
    )
    asked: list[Callable[[], object]] = []
    for match, listed, cached, online, answered, card in states:
        answer = known if answered is BackendAnswer.ANSWERED else None
        knowledge = Knowledge(match, listed, cached, online, answered, answer)
        both = (None, running)
        asked += [_question(card, policy, knowledge, session) for session in both]
    return asked


def _question(
    card: Card, policy: Policy, knowledge: Knowledge, session: LiveSession | None
) -> Callable[[], object]:
    return lambda: decide(card, policy, knowledge, session)


async def whitelist(entries: int) -> tuple[Whitelist, list[str]]:
    """A list of so many cards, and some tokens of which half are in it."""
    rng = random.Random(1)
    tokens = [f"{rng.getrandbits(56):014X}" for _ in range(entries)]
    store = MemoryWhitelist([WhitelistEntry(token) for token in tokens])
    clock = Clock(time.monotonic, datetime(2026, 11, 22, tzinfo=UTC), ClockTrust.NTP)
    made = Whitelist(store, clock)
    await made.load()
    strangers = [f"{rng.getrandbits(56):014X}" for _ in range(TOKENS // 2)]
    return made, rng.sample(tokens, TOKENS // 2) + strangers


def per_second(rounds: int, count: int, work: Callable[[], object]) -> float:
    """The median over the rounds; `work` decides `count` times."""
    rates = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        rates.append(count / (time.process_time() - began))
    return statistics.median(rates)


def _look_up(found: Whitelist, tokens: Iterable[str]) -> Callable[[], None]:
    wanted = list(itertools.islice(itertools.cycle(tokens), LOOK_UPS))

    def work() -> None:
        for token in wanted:
            found.match(token, 1)

    return work


def _report(name: str, rate: float) -> None:
    sys.stdout.write(f"{name:46}{rate:12,.0f} a second {1e6 / rate:8.2f} us\n")


async def main(rounds: int) -> None:
    """Measure all in one run."""
    recorded, config = session_events(), Machine().config
    sessions = 200
    work = [recorded] * sessions
    events = per_second(
        rounds, len(recorded) * sessions, lambda: [play(each, config) for each in work]
    )
    _report(f"events of a connector ({len(recorded)} a session)", events)

    asked = questions()
    answers = per_second(rounds, len(asked) * 50, lambda: [ask() for ask in asked * 50])
    _report(f"answers to a card ({len(asked)} questions)", answers)

    rates = []
    for entries in (FEW, ENTRIES):
        found, tokens = await whitelist(entries)
        rates.append(per_second(rounds, LOOK_UPS, _look_up(found, tokens)))
        _report(f"look-ups in a whitelist of {entries:,}", rates[-1])
    sys.stdout.write(f"{FEW} / {ENTRIES:,} entries: {rates[0] / rates[1]:.2f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(main(parser.parse_args().rounds))
