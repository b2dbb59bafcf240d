"""Writes the OpenAPI document that the package ships: `python -m tools.openapi`.

It is generated at build time, because that blocks the event loop for half a second. A test checks
that it is up to date.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import is_typeddict

from borne.adapters.web.api.answers import Error, Revision
from borne.adapters.web.api.commands import model_name
from borne.adapters.web.factory import all_routes
from borne.adapters.web.routes import GuardedRoute

TARGET = Path(__file__).parents[1] / "src/borne/adapters/web/openapi.json"
ERRORS = {
    400: "The request cannot be read.",
    401: "A login or an API token is needed.",
    403: "The rights do not suffice.",
    404: "It does not exist.",
    409: "The state of the station does not allow it.",
    413: "The body is too large.",
    421: "The station does not answer under this name.",
    422: "The request is invalid; the message says why.",
    503: "The station has no power, or is busy.",
    507: "The disk is full; nothing was stored.",
}
VERSION = "1"
"""Version of the API, not of the software."""


def document(routes: Sequence[GuardedRoute]) -> dict[str, Any]:
    """The description of these routes as data."""
    app = FastAPI(
        title="borne",
        version=VERSION,
        summary="Charging station: state, commands, settings, sessions, simulator",
        description="Send `Authorization: Bearer TOKEN`, or the cookie of a login. "
        "Members may be added to answers; readers ignore what they do not know.",
    )
    app.router.routes.extend(routes)
    made = app.openapi()
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(answer_schemas(routes))
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "login": {"type": "apiKey", "in": "cookie", "name": "borne_8080"},
    }
    for route in routes:
        describe(made["paths"][route.path_format][route.method.lower()], route)
    return made


class AnswerSchema(GenerateJsonSchema):
    """All fields of a dataclass are part of an answer; its docstring describes it (older
    versions of pydantic leave that out)."""

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        described = super().dataclass_schema(schema)
        described.setdefault("description", inspect.cleandoc(schema["cls"].__doc__))
        return described

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)


def answer_schemas(routes: Sequence[GuardedRoute]) -> dict[str, Any]:
    """Schemas of all answers."""
    answers = [answer for route in routes if (answer := answer_of(route)) is not None]
    adapters = {name_of(each): TypeAdapter(each) for each in (*answers, Error)}
    _, document = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters.items()],
        ref_template="#/components/schemas/{model}",
        schema_generator=AnswerSchema,
    )
    found: dict[str, Any] = document["$defs"]
    for schema in found.values():
        if schema["type"] == "object":
            schema["additionalProperties"] = True
        else:
            schema.pop("description", None)  # what the program says of an enum to its developers
        for member in schema.get("properties", {}).values():
            member.pop("default", None)
    return found


def answer_of(route: GuardedRoute) -> Any:
    """The type of the JSON answer of a route; None if it is not JSON, or any JSON."""
    if route.command is None:
        answer = route.answer or typing.get_type_hints(route.endpoint)["return"]
        return answer if is_typeddict(answer) or dataclasses.is_dataclass(answer) else None
    answer = route.command.answer
    if answer is type(None):
        return Revision
    if dataclasses.is_dataclass(answer):
        return answer
    name = f"{model_name(route.command)}Answer"
    return create_model(name, status=(answer, ...), revision=(int, ...))


def name_of(answer: type) -> str:
    """Of its schema."""
    return answer.__name__


def describe(operation: dict[str, Any], route: GuardedRoute) -> None:
    """Add access rights, response and errors to one operation."""
    access, path = route.access, route.path_format
    operation["security"] = [] if access.role is None else [{"token": []}, {"login": []}]
    if access.role is not None:
        operation["x-role"] = access.role.value
    answers: dict[str, Any] = {
        code: answer for code, answer in operation["responses"].items() if code != "422"
    }
    model = answer_of(route)
    if model is not None:
        success = next(iter(answers))
        answers[success]["content"] = {"application/json": {"schema": reference(model)}}
    if path.endswith("/events"):
        answers["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    if path.endswith(".csv"):
        answers["200"]["content"] = {"text/csv": {"schema": {"type": "string"}}}
    if path == "/readyz":
        answers["503"] = {"description": "Not ready."} | {
            "content": {"application/json": {"schema": {"type": "object"}}}
        }
    for status_code, text in ERRORS.items():
        if access.role is not None:
            content = {"application/json": {"schema": reference(Error)}}
            answers.setdefault(str(status_code), {"description": text, "content": content})
    operation["responses"] = answers


def reference(model: type) -> dict[str, str]:
    """A link to the schema of a model."""
    return {"$ref": f"#/components/schemas/{name_of(model)}"}


def rendered() -> str:
    """The text of the file."""
    described = [route for route in all_routes() if route.include_in_schema]
    return json.dumps(document(described), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    TARGET.write_text(rendered())


if __name__ == "__main__":
    main()
