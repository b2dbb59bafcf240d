"""Settings on the disk: what was acknowledged is there after any power cut."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.adapters.storage.settings_files import Files, PosixFiles
from borne.adapters.storage.settings_store import MARK, SettingsStore
from borne.application.ports.settings import (
    LoadedSettings,
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
)
from tests.unit.adapters.storage.failing_files import FailingFiles, Inode, PowerCut


def document(revision: int, **values: Any) -> SettingsDocument:
    return SettingsDocument(values, {"serial_number": "a1"}, revision)


def load(files: Files) -> Any:
    return SettingsStore(files).load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "settings"


def save(files: Files, *documents: SettingsDocument) -> None:
    store = SettingsStore(files)
    store.load()
    for each in documents:
        store.save(each)


class TestOnARealDisk:
    def test_a_first_start_has_no_settings(self, folder: Path) -> None:
        loaded = load(PosixFiles(folder))
        assert (loaded.document, loaded.health) == (SettingsDocument(), SettingsHealth.FRESH)

    def test_saved_settings_are_loaded(self, folder: Path) -> None:
        saved = SettingsDocument({"A": [1, 2, 3], "Ä": {"hex": "00"}}, {"serial_number": "x"}, 4)
        save(PosixFiles(folder), saved)
        loaded = load(PosixFiles(folder))
        assert (loaded.document, loaded.health, loaded.reports) == (
            saved,
            SettingsHealth.GOOD,
            (),
        )

    def test_an_unconfirmed_station_stays_unconfirmed(self, folder: Path) -> None:
        save(PosixFiles(folder), SettingsDocument({}, {}, 1, unconfirmed=True))
        assert load(PosixFiles(folder)).document.unconfirmed

    def test_only_the_owner_can_read_the_files(self, folder: Path) -> None:
        save(PosixFiles(folder), document(1, WLANPassword="sesame"))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_the_last_five_revisions_are_kept(self, folder: Path) -> None:
        save(PosixFiles(folder), *(document(n, A=n) for n in range(1, 9)))
        assert sorted(file.name for file in folder.iterdir()) == [
            f"settings-{number:010}.json" for number in range(4, 9)
        ]

    def test_a_disk_that_cannot_be_written_is_reported(self, folder: Path) -> None:
        folder.write_text("a file where the folder should be")
        with pytest.raises(SettingsNotSaved, match="could not be stored"):
            SettingsStore(PosixFiles(folder)).save(document(1))


ALL_OR_NOTHING: dict[bool, Callable[[int], bool]] = {True: lambda _: True, False: lambda _: False}


def newest(files: FailingFiles) -> str:
    return max(name for name in files.names if name.endswith(".json"))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[:-5],
    "first line only": lambda content: content.partition(b"\n")[0] + b"\n",
    "a bit flipped": lambda content: content.replace(b"16", b"17"),
    "zeros": lambda content: bytes(len(content)),
    "other JSON": lambda content: b'{"format": "other", "schema": 1, "sha256": ""}\n{}\n',
    "a list": lambda content: b"[1]\n[2]\n",
    "no schema": lambda content: b'{"format": "borne-settings"}\n{}\n',
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
class TestDamagedFile:
    def test_the_revision_before_is_in_force_and_reported(
        self, damage: Callable[[bytes], bytes]
    ) -> None:
        files = FailingFiles()
        save(files, document(1, OperatorCurrentLimit=10), document(2, OperatorCurrentLimit=16))
        name = newest(files)
        files.names[name].content = damage(files.names[name].content)
        loaded = load(files)
        assert loaded.health is SettingsHealth.RECOVERED
        assert loaded.document.values == {"OperatorCurrentLimit": 10}
        assert f"kept as {name}.damaged" in str(loaded.reports[0])
        assert f"{name}.damaged" in files.names

    def test_without_a_readable_revision_the_settings_count_as_damaged_until_confirmed(
        self, damage: Callable[[bytes], bytes]
    ) -> None:
        files = FailingFiles()
        save(files, document(1, OperatorCurrentLimit=16))
        name = newest(files)
        files.names[name].content = damage(files.names[name].content)
        for _ in range(2):
            loaded = load(files)
            assert loaded.health is SettingsHealth.DAMAGED
            assert loaded.document.values == {}
            assert "no car is charged" in str(loaded.reports[-1])
        save(files, document(5, A=1))
        assert load(files).health is SettingsHealth.GOOD


def test_a_file_that_cannot_be_read_counts_as_damaged() -> None:
    files = FailingFiles()
    save(files, document(1, A=1), document(2, A=2))

    bad = newest(files)

    class Unreadable(FailingFiles):
        def read(self, name: str) -> bytes:
            if name == bad:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(name)

    loaded = load(Unreadable(files.names))
    assert loaded.document.values == {"A": 1}
    assert "Input/output error" in str(loaded.reports[0])


def test_numbers_are_never_used_twice() -> None:
    """A damaged file keeps its name even when newer ones come."""
    files = FailingFiles()
    save(files, document(1, A=1), document(2, A=2))
    files.names[newest(files)].content = b"rubbish"
    save(files, document(3, A=3))
    assert load(files).document.values == {"A": 3}
    assert "settings-0000000002.json.damaged" in files.names
    assert "settings-0000000003.json" in files.names


class TestSchema:
    @staticmethod
    def rename(body: dict[str, Any]) -> dict[str, Any]:
        values = dict(body["values"])
        values["New"] = values.pop("Old")
        return {**body, "values": values}

    def test_the_version_before_is_read_after_copying_it(self) -> None:
        files = FailingFiles()
        save(files, document(1, Old=5))
        before = files.read(newest(files))
        newer = SettingsStore(files, schema=2, migrations={1: self.rename})
        assert newer.load().document.values == {"New": 5}
        assert files.read("settings-0000000001.schema1.bak") == before
        newer.save(document(2, New=6))
        assert newer.load().document.values == {"New": 6}

    def test_a_newer_version_is_put_aside_untouched_and_must_be_confirmed(self) -> None:
        files = FailingFiles()
        save(files, document(1, A=1))
        newer = SettingsStore(files, schema=2, migrations={1: dict})
        newer.load()
        newer.save(document(2, B=2))
        written = files.read(newest(files))
        loaded = SettingsStore(files).load()
        assert loaded.health is SettingsHealth.RECOVERED
        assert "newer version, schema 2" in str(loaded.reports[0])
        assert files.read("settings-0000000002.json.damaged") == written

    def test_a_version_without_a_migration_is_refused(self) -> None:
        files = FailingFiles()
        save(files, document(1, A=1))
        loaded = SettingsStore(files, schema=3, migrations={2: dict}).load()
        assert loaded.health is SettingsHealth.DAMAGED

    def test_the_stored_form_is_stable(self) -> None:
        files = FailingFiles()
        save(files, document(3, OperatorCurrentLimit=16))
        header, body, _ = files.read("settings-0000000001.json").split(b"\n")
        assert json.loads(header)["schema"] == 1
        assert json.loads(header)["format"] == "borne-settings"
        assert json.loads(body) == {
            "values": {"OperatorCurrentLimit": 16},
            "made": {"serial_number": "a1"},
            "revision": 3,
            "unconfirmed": False,
            "number": 1,
            "schema": 1,
            "marked": False,
        }


@pytest.mark.parametrize("operation", ["write", "fsync", "replace", "fsync_dir"])
def test_a_save_that_fails_leaves_the_old_settings(operation: str) -> None:
    files = FailingFiles()
    store = SettingsStore(files)
    store.save(document(1, A=1))
    files.broken[operation] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(SettingsNotSaved, match="No space left on device"):
        store.save(document(2, A=2))
    files.broken.clear()
    assert load(files).document.values == {"A": 1}
    store.save(document(3, A=3))
    assert load(files).document.values == {"A": 3}
    assert not any(name.endswith(".tmp") for name in files.names)


def test_old_files_that_cannot_be_removed_do_not_stop_a_save() -> None:
    files = FailingFiles(broken={"remove": OSError(errno.EROFS, "Read-only file system")})
    save(files, *(document(n, A=n) for n in range(1, 9)))
    assert load(files).document.values == {"A": 8}


# Power loss ---------------------------------------------------------------------------------


@given(
    saves=st.integers(1, 8),
    cut=st.integers(0, 60),
    happened=st.lists(st.booleans(), min_size=30, max_size=30),
    keep=st.floats(0, 1),
    rubbish=st.binary(max_size=20),
)
def test_no_power_cut_loses_what_was_acknowledged(
    saves: int, cut: int, happened: list[bool], keep: float, rubbish: bytes
) -> None:
    """After a cut at any step the newest acknowledged document is there, or the one that was
    being saved; nothing older, nothing damaged."""
    files = FailingFiles(steps_left=cut)
    store = SettingsStore(files, generations=3)
    acknowledged = 0
    try:
        store.load()
        for number in range(1, saves + 1):
            store.save(document(number, A=number))
            acknowledged = number
    except PowerCut:
        pass

    def torn(content: bytes) -> bytes:
        return content[: int(len(content) * keep)] + rubbish

    after = files.after_power_cut(lambda n: happened[n % len(happened)], torn)
    loaded = load(after)
    assert loaded.document.revision in {acknowledged, acknowledged + 1}
    assert loaded.health is (
        SettingsHealth.GOOD if loaded.document.revision else SettingsHealth.FRESH
    )
    assert loaded.reports == ()
    save(after, document(99, A=99))
    assert load(after).document.revision == 99


def test_a_cut_at_every_step_of_a_save_loses_nothing() -> None:
    """The same, exhaustively: each cut, with nothing and with everything of the unsynced kept."""
    whole = FailingFiles()
    save(whole, document(1, A=1), document(2, A=2))
    for cut in range(whole.steps + 1):
        for kept in (False, True):
            files = FailingFiles(steps_left=cut)
            done = 0
            try:
                for number in (1, 2):
                    store = SettingsStore(files)
                    store.load()
                    store.save(document(number, A=number))
                    done = number
            except PowerCut:
                pass
            after = files.after_power_cut(ALL_OR_NOTHING[kept], lambda content: content[:7])
            assert load(after).document.revision in {done, done + 1}


def test_the_disk_model_loses_data_without_fsync() -> None:
    """Otherwise the tests above would prove nothing."""

    class WithoutSync(FailingFiles):
        def fsync(self, name: str) -> None:
            """An fsync that does nothing."""

    files = WithoutSync()
    save(files, document(1, A=1))
    after = files.after_power_cut(lambda _: True, lambda content: content[:7])
    assert load(after).health is SettingsHealth.DAMAGED


# What shows that something newer was stored -----------------------------------------------------


@dataclass
class Disk:
    """A folder of settings and, beside it, the mark."""

    files: FailingFiles = field(default_factory=FailingFiles)
    beside: FailingFiles = field(default_factory=FailingFiles)

    def store(self, *, in_use: bool = False) -> SettingsStore:
        return SettingsStore(self.files, self.beside, in_use=in_use)

    def save(self, *documents: SettingsDocument) -> None:
        store = self.store()
        store.load()
        for each in documents:
            store.save(each)

    def load(self, *, in_use: bool = False) -> LoadedSettings:
        return self.store(in_use=in_use).load()

    def content(self, number: int) -> bytes:
        return self.files.names[name_of(number)].content

    def put(self, number: int, content: bytes) -> None:
        self.files.names[name_of(number)] = Inode(content)

    def remove(self, *numbers: int) -> None:
        for number in numbers:
            del self.files.names[name_of(number)]


def name_of(number: int) -> str:
    return f"settings-{number:010}.json"


def disk(revisions: int = 3, serial_number: str = "a1") -> Disk:
    """A station that was set again and again: revision n allows n ampere."""
    made = Disk()
    for n in range(1, revisions + 1):
        made.save(SettingsDocument({"A": n}, {"serial_number": serial_number}, n))
    return made


def test_the_mark_names_the_newest_revision() -> None:
    assert disk().load().health is SettingsHealth.GOOD
    assert Disk().load().health is SettingsHealth.FRESH


def exchanged(found: Disk) -> None:
    second, third = found.content(2), found.content(3)
    found.put(2, third)
    found.put(3, second)


def removed_and_damaged(found: Disk) -> None:
    found.remove(3)
    found.put(2, b"rubbish")


def older_folder(found: Disk) -> None:
    found.files = disk(2).files


def other_station(found: Disk) -> None:
    found.files = disk(9, "b2").files


LOSSES: dict[str, Callable[[Disk], None]] = {
    "the newest is removed": lambda found: found.remove(3),
    "two are removed": lambda found: found.remove(2, 3),
    "one is removed, one is damaged": removed_and_damaged,
    "two are exchanged": exchanged,
    "an older one stands in its place": lambda found: found.put(3, found.content(2)),
    "an older one stands behind it": lambda found: found.put(4, found.content(2)),
    "another one with the right number": lambda found: found.put(
        3, disk_with_other_third().content(3)
    ),
    "the folder is an older copy": older_folder,
    "the mark is removed": lambda found: found.beside.names.clear(),
    "the mark is damaged": lambda found: found.beside.names.__setitem__(MARK, Inode(b"{}\n{}\n")),
    "the number of the schema has a flipped bit": lambda found: found.put(
        3, found.content(3).replace(b'"schema": 1, "sha256"', b'"schema": 3, "sha256"')
    ),
}


def disk_with_other_third() -> Disk:
    made = disk(2)
    made.save(SettingsDocument({"A": 99}, {"serial_number": "a1"}, 3))
    return made


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_settings_other_than_the_newest_must_be_confirmed(
    loss: Callable[[Disk], None],
) -> None:
    found = disk()
    loss(found)
    loaded = found.load()
    assert loaded.health is SettingsHealth.RECOVERED
    assert "No car is charged" in str(loaded.reports[-1])
    # As the service does at once; so it survives restarts.
    found.save(replace(loaded.document, unconfirmed=True))
    again = found.load()
    assert again.health is SettingsHealth.GOOD
    assert again.document.unconfirmed
    assert again.document.values != {"A": 99}


def test_all_readable_older_revisions_are_returned() -> None:
    found = disk(4)
    found.remove(4)
    found.put(2, b"rubbish")
    loaded = found.load()
    assert [loaded.document.values["A"], *(each.values["A"] for each in loaded.others)] == [3, 1]


@pytest.mark.parametrize("damage", ["removed", "rubbish"])
def test_a_station_without_its_settings_files_is_not_new(damage: str) -> None:
    found = disk()
    for number in (1, 2, 3):
        found.put(number, b"rubbish")
        if damage == "removed":
            found.remove(number)
    for _ in range(2):
        loaded = found.load()
        assert loaded.health is SettingsHealth.DAMAGED
        assert loaded.document.made == {"serial_number": "a1"}


def test_a_station_with_data_must_have_settings() -> None:
    assert Disk().load(in_use=True).health is SettingsHealth.DAMAGED


def test_settings_of_another_station_must_be_confirmed() -> None:
    found = disk()
    other_station(found)
    loaded = found.load()
    assert loaded.health is SettingsHealth.DAMAGED
    assert loaded.document.made == {"serial_number": "a1"}
    assert "another station" in str(loaded.reports[0])


def test_a_damaged_file_counts_also_after_a_power_cut_before_the_report() -> None:
    files = FailingFiles()
    save(files, document(1, A=1), document(2, A=2))
    files.names[name_of(2)].content = b"rubbish"
    for _ in range(2):
        assert load(files).health is SettingsHealth.RECOVERED


def test_files_of_the_first_version_are_valid_and_marked_at_the_next_change() -> None:
    """They know neither number nor mark."""
    found = Disk()
    for number, amps in ((1, 32), (2, 16)):
        body = {"values": {"A": amps}, "made": {}, "revision": number, "unconfirmed": False}
        found.put(number, framed(body))
    assert found.load().health is SettingsHealth.GOOD
    found.save(document(3, A=10))
    assert found.load().document.values == {"A": 10}
    found.remove(3)
    assert found.load().health is SettingsHealth.RECOVERED


def test_exchanged_files_of_the_first_version() -> None:
    found = Disk()
    for number, revision in ((1, 2), (2, 1)):
        body = {"values": {}, "made": {}, "revision": revision, "unconfirmed": False}
        found.put(number, framed(body))
    assert found.load().health is SettingsHealth.RECOVERED


def framed(body: dict[str, Any]) -> bytes:
    """A file as version 0.1.0 wrote it."""
    text = json.dumps(body, sort_keys=True).encode()
    header = {"format": "borne-settings", "schema": 1, "sha256": hashlib.sha256(text).hexdigest()}
    return json.dumps(header).encode() + b"\n" + text + b"\n"


def test_a_mark_that_cannot_be_written_keeps_the_stored_settings() -> None:
    found = disk(1)
    store = found.store()
    store.load()
    found.beside.broken["replace"] = OSError(errno.ENOSPC, "No space left on device")
    store.save(SettingsDocument({"A": 2}, {"serial_number": "a1"}, 2))
    assert found.load().document.values == {"A": 2}
    assert found.load().health is SettingsHealth.GOOD


def test_without_a_first_mark_no_settings_are_stored() -> None:
    found = Disk()
    found.beside.broken["fsync"] = OSError(errno.EIO, "Input/output error")
    with pytest.raises(SettingsNotSaved):
        found.store().save(document(1, A=1))
    found.beside.broken.clear()
    assert found.load().health is SettingsHealth.FRESH


def test_after_any_power_cut_valid_settings_are_not_taken_as_lost() -> None:
    """A cut at every step of two saves, in both folders, with nothing and all of the unsynced."""
    whole = disk(2)
    steps = (whole.files.steps, whole.beside.steps)
    for in_files, kept in itertools.product((True, False), (True, False)):
        for cut in range(steps[not in_files] + 1):
            found, done = Disk(), 0
            (found.files if in_files else found.beside).steps_left = cut
            try:
                for number in (1, 2):
                    found.save(SettingsDocument({"A": number}, {"serial_number": "a1"}, number))
                    done = number
            except PowerCut:
                pass
            after = Disk(
                found.files.after_power_cut(ALL_OR_NOTHING[kept], lambda content: content[:7]),
                found.beside.after_power_cut(ALL_OR_NOTHING[kept], lambda content: content[:7]),
            )
            loaded = after.load()
            assert loaded.document.revision in {done, done + 1}
            assert not loaded.health.unfit
