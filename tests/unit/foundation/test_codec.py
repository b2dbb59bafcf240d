"""Values as JSON data, under the names of the types or under older ones."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from borne.foundation.codec import Codec, StoredNames
from borne.foundation.json_value import JsonObject


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Lamp:
    colour: Colour
    watts: float | None = None
    places: tuple[Point, ...] = ()
    dim: bool = False


class Stranger(enum.IntEnum):
    ONE = 1


def _codec(names: StoredNames | None = None) -> Codec:
    module = ModuleType("lamps")
    vars(module).update(Colour=Colour, Point=Point, Lamp=Lamp)
    return Codec([module], names)


LAMP = Lamp(Colour.GREEN, math.inf, (Point(1.0, 2.0),))


@pytest.mark.parametrize(
    "value",
    [
        LAMP,
        None,
        True,
        "text",
        -1.5,
        -math.inf,
        Colour.RED,
        Point(0.0, 1.0),
        (1, ("a", None)),
        pytest.param(frozenset({Colour.RED, Colour.GREEN}), id="two choices"),
        {Colour.RED: LAMP},
        datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    ],
    ids=repr,
)
def test_encoded_values_are_decoded_unchanged(value: object) -> None:
    assert _codec().decode(_codec().encode(value)) == value


def test_older_names_are_written_and_read() -> None:
    old = StoredNames(
        types={"Lamp": "Bulb", "Colour": "Tint"},
        members={"Lamp": {"watts": "power", "dim": None}, "Colour": {"GREEN": "VERT"}},
    )
    data: JsonObject = {
        "@": "Bulb",
        "colour": {"!": "Tint.VERT"},
        "power": {"~": "inf"},
        "places": [{"@": "Point", "of": [1.0, 2.0]}],
    }
    assert _codec(old).encode(LAMP) == data
    assert _codec(old).decode(data) == LAMP


@pytest.mark.parametrize(
    "data",
    [
        {"@": "Popen", "args": "rm"},
        {"!": "Stranger.ONE"},
        {"@": "Lamp", "colour": {"!": "Colour.BLUE"}},
        {"@": "Lamp", "hue": None},
        {"!": "Lamp.RED"},
    ],
    ids=str,
)
def test_unknown_types_are_not_built(data: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        _codec().decode(data)


def test_a_type_of_another_module_cannot_be_written() -> None:
    @dataclass(frozen=True)
    class Other: ...

    with pytest.raises(TypeError, match="Other cannot be written"):
        _codec().encode(Other())
