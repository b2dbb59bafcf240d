"""Refusals reach people in their language, programs in English."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from borne.adapters.web.i18n import Words
from borne.adapters.web.spoken import TEMPLATES, said_to_people, template_of
from borne.domain.principals import Role
from tests.support.cases import every_case
from tests.support.fake_station import FakeHost
from tests.unit.adapters.web.conftest import Clients

SOURCE = Path(__file__).parents[4] / "src/borne"
ROOMS = ("application", "adapters/web", "domain/authorization")
RAISED = {"Refused", "ApiError", "BadCard", "RandomCard"}
FOR_PROGRAMS = {
    "Log in, or send an API token.",
    "This route has no entry in the table of rights.",
    "The API token is not valid.",
    "The body is not valid JSON.",
    "If-Match must be the revision that was read.",
    "Name the token to remove.",
    "The whitelist has no such entry.",
    "wait: x is not a duration such as 10s.",
}
"""No page leads there."""


def sentences() -> set[str]:
    """What is raised with a text, its values as x."""
    found = set()
    for room in ROOMS:
        for path in (SOURCE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED:
                    found |= {text for text in map(_literal, node.args) if " " in text}
    return found


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_literal(part) or "x" for part in parts)
    return ""


def test_whatever_is_refused_can_be_said_in_other_languages() -> None:
    with every_case() as case:
        for sentence in sorted(sentences() - FOR_PROGRAMS):
            with case(sentence):
                assert template_of(sentence) is not None


def test_a_message_is_found_again_with_its_values() -> None:
    with every_case() as case:
        for template in TEMPLATES:
            with case(template):
                names = re.findall(r"{(\w+)}", template)
                values = {name: f"<{name} 1>" for name in names}
                assert template_of(template.format(**values)) == (template, values)


def test_what_is_unknown_stays_as_it_is() -> None:
    assert said_to_people("Nobody ever said this.", Words("de")) == "Nobody ever said this."
    assert said_to_people("x" * 10_000, Words("de")) == "x" * 10_000


async def test_pages_ask_in_their_language_and_programs_in_english(
    browser: Clients, host: FakeHost
) -> None:
    person = await browser(Role.OPERATOR)
    person.cookies.set("borne_language", "de")
    told = await person.post("/connectors/1/stop", headers={"hx-request": "true"})
    assert told.json()["message"] == "An Steckdose 1 wird nicht geladen."
    assert told.json()["error"] == "no_session"
    program = await person.post("/api/v1/connectors/1/stop", headers={"accept": "*/*"})
    assert program.json()["message"] == "Nothing is charging at socket 1."
