"""Our models against the JSON schemas of the standard, as the `ocpp` package ships them."""

from __future__ import annotations

import json
import types
import typing
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import ocpp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # it has no types
from pydantic import BaseModel

from borne.protocols.ocpp.messages import Action, Message, request_model, response_model
from borne.protocols.ocpp.messages.core import UnitOfMeasure
from tests.support.cases import every_case
from tests.unit.protocols.ocpp.strategies import max_length, messages

SCHEMAS = Path(ocpp.__file__).parent / "v16" / "schemas"
CASES = [(action.value, request_model(action)) for action in Action] + [
    (f"{action}Response", response_model(action)) for action in Action
]
IDS = [name for name, _ in CASES]


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(
        (SCHEMAS / f"{name}.json").read_text("utf-8-sig"), parse_float=Decimal
    )
    return schema


def test_every_schema_has_a_model() -> None:
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == sorted(IDS)


@pytest.mark.parametrize(("name", "model"), CASES, ids=IDS)
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_produced_messages_are_valid_and_can_be_read(
    name: str, model: type[Message], data: st.DataObject
) -> None:
    message = data.draw(messages(model))
    text = message.to_wire_json()
    if name == "StopTransaction" and '"unit":"Hertz"' in text:
        return  # the schema of StopTransaction lacks it; see UnitOfMeasure
    Draft4Validator(schema_of(name)).validate(json.loads(text, parse_float=Decimal))
    assert json.loads(text) == message.to_wire()
    read = model.from_wire(json.loads(text))
    assert read.to_wire_json() == text
    assert model.model_validate(message.to_plain()).to_wire_json() == text


def facts_of_schema(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Fields with what the schema says of each, by path."""
    facts: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        facts[name] = _schema_fact(field, root, required=name in schema.get("required", []))
    return facts


def _schema_fact(field: dict[str, Any], root: dict[str, Any], *, required: bool) -> Any:
    if "$ref" in field:
        field = root["definitions"][field["$ref"].rsplit("/", 1)[1]]
    match field:
        case {"type": "object"}:
            return required, facts_of_schema(field, root)
        case {"type": "array", "items": items}:
            return required, ("many", _schema_fact(items, root, required=True)[1])
        case {"enum": values}:
            return required, frozenset(values)
    return required, (field["type"], field.get("maxLength"), "multipleOf" in field)


def facts_of_model(model: type[BaseModel]) -> dict[str, Any]:
    return {
        info.alias or name: (
            info.is_required(),
            _model_fact(info.annotation, list(info.metadata)),
        )
        for name, info in model.model_fields.items()
    }


def _model_fact(annotation: Any, metadata: list[Any]) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _model_fact(arguments[0], [*arguments[1:], *metadata])
    if origin in {typing.Union, types.UnionType}:
        (only,) = (argument for argument in arguments if argument is not type(None))
        return _model_fact(only, metadata)
    if origin is tuple:
        return "many", _model_fact(arguments[0], [])
    if issubclass(annotation, BaseModel):
        return facts_of_model(annotation)
    if issubclass(annotation, Enum):
        return frozenset(member.value for member in annotation)
    kind = {int: "integer", bool: "boolean", float: "number"}.get(annotation, "string")
    return kind, max_length(metadata), annotation is float


def units_apart(fact: Any) -> Any:
    """The one enumeration in which the schemas differ from each other and from the text."""
    match fact:
        case dict():
            return {name: units_apart(value) for name, value in fact.items()}
        case tuple():
            return tuple(units_apart(value) for value in fact)
        case frozenset() if UnitOfMeasure.KVARH in fact:
            return fact - {"Celcius", UnitOfMeasure.HERTZ}
    return fact


def test_fields_requirements_enumerations_and_lengths_agree() -> None:
    with every_case() as case:
        for name, model in CASES:
            with case(name):
                schema = schema_of(name)
                facts = facts_of_schema(schema, schema)
                assert units_apart(facts_of_model(model)) == units_apart(facts)
