"""docs/conformance.md is true: no certification case and no complaint is missing, each row that
says "tested" has a test of that id, and no test has an id without a row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.ocpp16 import test_field_complaints

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "docs" / "conformance.md"

CERTIFICATION = """
001 002 003 004_1 004_2 005_1 005_2 005_3 007_1 007_2 008_1 008_2 010 011_1 011_2 012 013 014 015
016 017_1 017_2 018_1 018_2 019 021 023_4 023_5 024 026 027 028 030 031 032_1 032_2 034 036 037_1
037_2 037_3 038 039 040_1 040_2 041 042_1 042_2 043 043_1 043_2 043_3 044_1 044_2 044_3 045_1 045_2
046_1 046_2 047 048_1 048_2 048_3 048_4 049 050_1 050_2 050_3 050_4 051 052 053_1 053_2 054 055 056
057 058_1 058_2 059 060 061_1 061_2 062 066 067 068 069 070 071 072 073 074 075_1 075_2 076 077 078
079 080 081 082 083 084 085 086 087
""".split()
COMPLAINTS = [f"Q{number:02}" for number in range(1, 26)]
NOT_APPLICABLE = re.compile(r"not applicable: \S.{20,}")


def rows() -> dict[str, str]:
    """Proof by id."""
    found = re.findall(r"^\| ((?:TC_|Q)\w+) \| \S.+? \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    assert len(dict(found)) == len(found), "an id twice"
    return dict(found)


def _ids_of(tree: ast.AST) -> Iterator[str]:
    """Ids in the names of tests and of their parameters."""
    for node in ast.walk(tree):
        match node:
            case ast.AsyncFunctionDef(name=name) | ast.FunctionDef(name=name):
                if name.startswith("test_"):
                    yield from re.findall(r"TC_\d+(?:_\d+)?_CS", name)
            case ast.keyword(arg="id", value=ast.Constant(value=str(name))):
                yield from re.findall(r"TC_\d+(?:_\d+)?_CS", name)


def proved() -> set[str]:
    cases = {
        name for path in HERE.glob("test_*.py") for name in _ids_of(ast.parse(path.read_text()))
    }
    complaints = re.findall(r"^test_q(\d\d)_", "\n".join(vars(test_field_complaints)), re.MULTILINE)
    return cases | {f"Q{number}" for number in complaints}


def test_the_catalogue_is_complete() -> None:
    assert list(rows()) == [f"TC_{number}_CS" for number in CERTIFICATION] + COMPLAINTS


def test_every_case_marked_tested_has_a_test() -> None:
    assert {name for name, proof in rows().items() if proof == "tested"} == proved()


def test_every_other_case_has_a_reason() -> None:
    for name, proof in rows().items():
        assert proof == "tested" or NOT_APPLICABLE.fullmatch(proof), name
