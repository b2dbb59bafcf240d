"""Settings that are obeyed, each with the test that fails when it is ignored.

A setting that is not listed here is "planned": shown, but nobody can change it. Whoever makes a
setting work adds its line, with the test's file and name: `"Key": "tests/...py::test_name"`.
"""

from __future__ import annotations

ACTIVE: dict[str, str] = {}
