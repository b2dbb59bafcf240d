"""Refusals reach people in their language, programs in English."""

from __future__ import annotations

import ast
from pathlib import Path

from borne.domain.principals import Role
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Clients

SOURCE = Path(__file__).parents[4] / "src/borne"
RAISED = {
    "ApiError",
    "BadCard",
    "BodyRefused",
    "MayNotConfirm",
    "RandomCard",
    "Refused",
    "SettingsNotSaved",
    "SimulatorError",
}


def bare_sentences(path: Path) -> list[str]:
    """Sentences that are raised without a mark for translation."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        if (name.id if isinstance(name, ast.Name) else name) not in RAISED:
            continue
        for argument in node.args:
            is_text = isinstance(argument, ast.JoinedStr) or (
                isinstance(argument, ast.Constant) and " " in str(argument.value)
            )
            if is_text:
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_every_refusal_is_translated() -> None:
    bare = [place for path in SOURCE.rglob("*.py") for place in bare_sentences(path)]
    assert bare == [], "mark them with N_, or say that they are foreign with verbatim"


def test_the_check_finds_an_unmarked_sentence(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text(
        'raise Refused("busy", f"Socket {n} cannot start")\nraise x.BadCard("Not so")'
    )
    assert bare_sentences(source) == ["a.py:1", "a.py:2"]


async def test_pages_get_translated_refusals_and_programs_english_ones(
    browser: Clients, host: FakeHost
) -> None:
    person = await browser(Role.OPERATOR)
    person.cookies.set("borne_language", "de")
    answer = await person.post("/connectors/1/stop", headers={"hx-request": "true"})
    assert answer.json()["message"] == "An Steckdose 1 wird nicht geladen."
    assert answer.json()["error"] == "no_session"
    program = await person.post("/api/v1/connectors/1/stop", headers={"accept": "*/*"})
    assert program.json()["message"] == "Nothing is charging at socket 1."
