"""How many databases of a process stay open: as many as are needed again and again."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

import pytest

from borne.adapters.storage import OpenFiles
from borne.adapters.storage.open_files import FIRST_LIMIT, OFTEN, SOON_S, max_open_files


@dataclass(eq=False)
class Opened:
    rests: int = 0

    def rest(self) -> None:
        self.rests += 1


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Fleet:
    """Databases that are used in turn."""

    size: int
    most: int = 10_000
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.files = OpenFiles(self.most, now_s=self.clock)
        self.databases = [Opened() for _ in range(self.size)]

    def use_all(self, every_s: float = 0.0) -> int:
        """How many were closed meanwhile."""
        before = self.rests
        for database in self.databases:
            self.files.note(database)
            self.clock.now_s += every_s
        return self.rests - before

    @property
    def rests(self) -> int:
        return sum(database.rests for database in self.databases)


def test_many_stations_leave_few_databases_open() -> None:
    fleet = Fleet(1000)
    assert fleet.use_all() == 1000 - FIRST_LIMIT
    for _ in range(OFTEN - 1):
        fleet.use_all()
    assert fleet.files.limit == FIRST_LIMIT


def test_databases_in_frequent_use_stay_open() -> None:
    fleet = Fleet(200)
    for _ in range(OFTEN + 1):
        fleet.use_all()
    assert fleet.use_all() == 0
    assert fleet.files.limit <= 200 + FIRST_LIMIT


def test_the_limit_of_the_machine_is_kept() -> None:
    fleet = Fleet(200, most=100)
    for _ in range(OFTEN + 2):
        fleet.use_all()
    assert fleet.files.limit == 100
    assert fleet.use_all() > 0


def test_idle_databases_are_closed() -> None:
    fleet = Fleet(200)
    for _ in range(OFTEN + 1):
        fleet.use_all()
    fleet.clock.now_s += SOON_S
    before = fleet.rests
    fleet.files.note(fleet.databases[0])
    assert fleet.rests - before == 200 - FIRST_LIMIT
    assert fleet.files.limit == FIRST_LIMIT


def test_databases_in_rare_use_do_not_raise_the_limit() -> None:
    fleet = Fleet(100)
    for _ in range(2 * OFTEN):
        fleet.use_all(every_s=SOON_S / 10)
    assert fleet.files.limit == FIRST_LIMIT


def test_a_closed_database_is_not_closed_again() -> None:
    fleet = Fleet(FIRST_LIMIT)
    fleet.use_all()
    for database in fleet.databases:
        fleet.files.forget(database)
    Fleet.use_all(fleet)
    assert fleet.rests == 0


@pytest.mark.parametrize("files", [256, 4096, 1_000_000])
def test_half_of_the_file_descriptors_are_left_for_others(
    files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert FIRST_LIMIT <= max_open_files() <= max(FIRST_LIMIT, files // 6)
