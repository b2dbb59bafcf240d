"""A setting is active when a test fails if it is ignored; the catalogue must not claim more."""

from __future__ import annotations

import ast
from pathlib import Path

from borne.domain.settings import CATALOGUE
from borne.domain.settings.active import ACTIVE
from tests.support.active_settings import PROVED_BY

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


def test_every_active_setting_has_its_test() -> None:
    assert set(PROVED_BY) == ACTIVE


def test_active_settings_exist_and_so_do_their_tests() -> None:
    wrong = []
    for key, test in PROVED_BY.items():
        file, _, name = test.partition("::")
        path = ROOT / file
        known = key in CATALOGUE.settings and not CATALOGUE.settings[key].constant
        if not (known and path.is_file() and name.partition("[")[0] in _tests(path)):
            wrong.append(f"{key}: {test}")
    assert wrong == []
