"""A frame of the backend link as JSON, and back."""

from __future__ import annotations

import json

import pytest

from borne.domain.frames import FrameRecord
from borne.foundation.json_value import JsonObject
from borne.protocols.frame_json import frame_json, frame_of
from tests.support.frames import frame

WHOLE = frame("received", "error", "m7", "é", None, seq=7, outcome="InternalError", elapsed_ms=2.5)


@pytest.mark.parametrize("record", [WHOLE, frame(), frame(message_id=None)])
def test_what_is_written_is_read(record: FrameRecord) -> None:
    assert frame_of(json.loads(json.dumps(frame_json(record)))) == record


@pytest.mark.parametrize(
    "change",
    [
        {"seq": "first"},
        {"at": "yesterday"},
        {"direction": "sideways"},
        {"kind": None},
        {"elapsed_ms": "long"},
    ],
)
def test_what_another_version_wrote_differently_is_refused(change: JsonObject) -> None:
    with pytest.raises((ValueError, TypeError)):
        frame_of({**frame_json(WHOLE), **change})


@pytest.mark.parametrize("name", frame_json(WHOLE))
def test_a_part_that_is_missing_is_refused(name: str) -> None:
    with pytest.raises(LookupError):
        frame_of({key: value for key, value in frame_json(WHOLE).items() if key != name})
