"""Settings on the disk: what was acknowledged is there after any power cut (house, "Durable")."""

from __future__ import annotations

import errno
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from borne.adapters.storage.settings_files import Files, PosixFiles
from borne.adapters.storage.settings_store import SettingsStore
from borne.application.settings_ports import (
    SettingsDocument,
    SettingsHealth,
    SettingsNotSaved,
    SettingsTooNew,
)
from tests.unit.adapters.storage.failing_files import FailingFiles, PowerCut


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
    def test_a_first_start_has_none(self, folder: Path) -> None:
        loaded = load(PosixFiles(folder))
        assert (loaded.document, loaded.health) == (SettingsDocument(), SettingsHealth.FRESH)

    def test_what_was_saved_comes_back(self, folder: Path) -> None:
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

    def test_nobody_else_can_read_it(self, folder: Path) -> None:
        save(PosixFiles(folder), document(1, WLANPassword="sesame"))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_the_last_five_are_kept(self, folder: Path) -> None:
        save(PosixFiles(folder), *(document(n, A=n) for n in range(1, 9)))
        assert sorted(file.name for file in folder.iterdir()) == [
            f"settings-{number:010}.json" for number in range(4, 9)
        ]

    def test_a_disk_that_cannot_be_written_is_told(self, folder: Path) -> None:
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
    def test_the_one_before_is_in_force_and_people_are_told(
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

    def test_without_a_good_one_the_station_is_damaged_until_it_is_confirmed(
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

    def test_a_newer_version_is_refused_in_words(self) -> None:
        files = FailingFiles()
        save(files, document(1, A=1))
        SettingsStore(files, schema=2, migrations={1: dict}).save(document(2, B=2))
        names = set(files.names)
        with pytest.raises(SettingsTooNew, match="newer version \\(schema 2"):
            SettingsStore(files).load()
        assert set(files.names) == names

    def test_a_version_without_a_way_is_not_guessed(self) -> None:
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


def test_every_step_of_a_save_can_be_the_last() -> None:
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


def test_the_model_of_the_disk_punishes_a_forgotten_fsync() -> None:
    """Without it the tests above would prove nothing."""

    class Forgetful(FailingFiles):
        def fsync(self, name: str) -> None:
            """Does not."""

    files = Forgetful()
    save(files, document(1, A=1))
    after = files.after_power_cut(lambda _: True, lambda content: content[:7])
    assert load(after).health is SettingsHealth.DAMAGED
