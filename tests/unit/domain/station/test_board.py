"""Commands and reports of a board are plain values: they may cross the border of a process."""

from __future__ import annotations

import dataclasses
import pickle
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from borne.domain.station import board
from borne.domain.station.board import BoardCommand, BoardReport, PilotCommand
from borne.foundation.codec import Codec

CODEC = Codec((board,))
VALUES = (*get_args(BoardCommand), *get_args(BoardReport), *get_args(PilotCommand))


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_board_values_are_frozen_and_can_be_serialised(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]  # a dataclass

    @settings(max_examples=20)
    @given(st.from_type(kind).filter(lambda value: "nan" not in repr(value)))
    def crosses(value: object) -> None:
        assert pickle.loads(pickle.dumps(value)) == value
        assert CODEC.decode(CODEC.encode(value)) == value
        assert dataclasses.is_dataclass(value)

    crosses()
