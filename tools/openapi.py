"""Writes the description of the API that the package ships: `python -m tools.openapi`.

It is made at build time, because making it blocks the event loop for half a second. A test holds
that it is up to date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from borne.adapters.web.api.answers import ANSWERS, Error, Revision
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
    422: "The request makes no sense; the message says why.",
    503: "The station has no power, or is busy.",
    507: "The disk is full; nothing was stored.",
}
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
VERSION = "1"
"""Of the API, not of the software."""


def document() -> dict[str, Any]:
    """The description as data."""
    app = FastAPI(
        title="borne",
        version=VERSION,
        summary="Charging station: state, commands, settings, sessions, simulator",
        description="Send `Authorization: Bearer TOKEN`, or the cookie of a login. "
        "Members may be added to answers; readers ignore what they do not know.",
    )
    routes = [route for route in all_routes() if route.include_in_schema]
    app.router.routes.extend(routes)
    made = app.openapi()
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(answer_schemas())
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "login": {"type": "apiKey", "in": "cookie", "name": "borne_8080"},
    }
    for route in routes:
        describe(made["paths"][route.path_format][route.method.lower()], route)
    return made


def answer_schemas() -> dict[str, Any]:
    """Schemas of all answers."""
    models: list[type[BaseModel]] = [*dict.fromkeys(ANSWERS.values()), Error, Revision]
    template = "#/components/schemas/{model}"
    pairs = [(model, "serialization") for model in models]
    _, definitions = models_json_schema(pairs, ref_template=template)  # type: ignore[arg-type]  # a Literal
    found: dict[str, Any] = definitions["$defs"]
    return found


def describe(operation: dict[str, Any], route: GuardedRoute) -> None:
    """Rights, answer and errors of one operation."""
    access, path = route.access, route.path_format
    method = route.method
    operation["security"] = [] if access.role is None else [{"token": []}, {"login": []}]
    if access.role is not None:
        operation["x-role"] = access.role.value
    answers: dict[str, Any] = {
        code: answer for code, answer in operation["responses"].items() if code != "422"
    }
    model = ANSWERS.get(f"{method} {path}")
    if model is None and "/simulator/" in path and method in CHANGING:
        model = Revision
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


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A link to the schema of a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def rendered() -> str:
    """The text of the file."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    TARGET.write_text(rendered())


if __name__ == "__main__":
    main()
