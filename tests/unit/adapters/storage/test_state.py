"""Small durable facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from borne.foundation.json_value import JsonValue
from tests.unit.adapters.storage.builders import opened


@pytest.mark.parametrize(
    "value", [0, False, "", "text", 1.5, [], {}, [1, {"a": [None, "é\u2028"]}], {"b": 1, "a": 2}]
)
async def test_a_value_is_there_after_a_power_cut(tmp_path: Path, value: Any) -> None:
    storage = await opened(tmp_path)
    await storage.state.put("key", "other")
    await storage.state.put("key", value)
    storage.abort()
    storage = await opened(tmp_path)
    assert await storage.state.get("key") == value
    await storage.close()


async def test_none_removes_a_value(tmp_path: Path) -> None:
    storage = await opened(tmp_path)
    assert await storage.state.get("key") is None
    await storage.state.put("key", 1)
    await storage.state.put("key", None)
    assert await storage.state.get("key") is None
    with pytest.raises(TypeError):
        await storage.state.put("key", cast("JsonValue", object()))
    await storage.close()
