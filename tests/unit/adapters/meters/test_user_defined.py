"""What may lie in the place of the file that describes a meter."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from borne.adapters.meters.endpoints import BadAddress
from borne.adapters.meters.user_defined import MAX_BYTES, read_profile

GOOD = """
[registers.voltage_l1]
address = 1
type = "f32"
"""


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: None, "is missing", id="nothing"),
        pytest.param(os.mkfifo, "not a regular file", id="pipe"),
        pytest.param(Path.mkdir, "not a regular file", id="folder"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "not a regular", id="device"),
        pytest.param(a_loop, "cannot be read", id="link to itself"),
        pytest.param(lambda path: path.write_bytes(b"\xff\0"), "is wrong", id="binary"),
        pytest.param(lambda path: path.write_text("a=" + "[" * 9000), "is wrong", id="deep"),
        pytest.param(lambda path: path.write_text("a=" + "1" * 5000), "is wrong", id="digits"),
        pytest.param(lambda path: path.write_text("#" * MAX_BYTES + "\n"), "too large", id="huge"),
    ],
)
def test_a_file_that_is_no_description(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "meter.toml"
    make(path)
    with pytest.raises(BadAddress, match=reason):
        read_profile(path)


def test_a_link_to_a_description(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(GOOD)
    (tmp_path / "meter.toml").symlink_to("real.toml")
    assert list(read_profile(tmp_path / "meter.toml").registers) == ["voltage_l1"]


def test_a_file_of_windows_with_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    path.write_text("\ufeff" + GOOD, encoding="utf-8")
    assert list(read_profile(path).registers) == ["voltage_l1"]
