"""A setting is active when a test fails if it is ignored; the catalogue must not claim more."""

from __future__ import annotations

import ast
from pathlib import Path

from borne.domain.settings import CATALOGUE
from borne.domain.settings.active import ACTIVE

ROOT = Path(__file__).parents[4]


def _tests(path: Path) -> set[str]:
    """Names of the tests in a file: functions, and `Class::method`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(f"{node.name}::{item.name}")
    return found


def test_active_settings_exist_and_name_a_test_that_exists() -> None:
    wrong = []
    for key, test in ACTIVE.items():
        file, _, name = test.partition("::")
        path = ROOT / file
        known = key in CATALOGUE.settings and not CATALOGUE.settings[key].constant
        if not (known and path.is_file() and name.partition("[")[0] in _tests(path)):
            wrong.append(f"{key}: {test}")
    assert wrong == []
