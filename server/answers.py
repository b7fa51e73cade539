"""The schema of what is answered, made from the engine's dataclasses field by field; nothing is written twice."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from engine import OPTIONS, Option

# OpenAPI 3.1 is JSON Schema 2020-12.

Schema = dict[str, Any]
NUMBER: Schema = {"type": ["number", "null"]}
MARKS: Schema = {"$ref": "#/components/schemas/Nonfinite_indices"}
NUMERAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
LONGEST_IN_QUERY = 8192  # characters: what an address can hold at most; a longer text is sent by POST
SHARED: dict[str, Schema] = {
    "Array": {
        "description": "Nested lists of numbers; null where a number is not finite, and then "
        "`<name>_nonfinite` beside it says which.",
        "type": ["array", "number", "null"],
        "items": {"anyOf": [{"$ref": "#/components/schemas/Array"}, {"type": ["number", "boolean", "null"]}]},
    },
    "Nonfinite_indices": {
        "description": "Flat indices (C order) of what is not finite.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"type": "array", "items": {"type": "integer", "minimum": 0}} for name in ("nan", "+inf", "-inf")
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "problems"],
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "problems": {
                "type": "array",
                "maxItems": 10,
                "items": {
                    "type": "object",
                    "required": ["field", "value", "limit", "remedy"],
                    "properties": {n: {"type": "string"} for n in ("field", "value", "limit", "remedy")},
                    "additionalProperties": False,
                },
            },
        },
    },
}


def answer(cls: type, into: dict[str, Schema], extra: Mapping[str, Schema] | None = None) -> Schema:
    """Returns a reference to the schema of a dataclass, which is put into `into` with all that it holds."""
    name = cls.__name__
    if name not in into:
        into[name] = {}
        hints = get_type_hints(cls)
        properties = {field.name: annotation(hints[field.name], into) for field in fields(cls)}
        required = [*properties, *(extra or {})]
        marks = {f"{n}_nonfinite": MARKS for n, schema in properties.items() if _may_have_marks(schema)}
        into[name] = {
            "type": "object",
            "description": (cls.__doc__ or "").strip(),
            "required": required,
            "properties": {**properties, **(extra or {}), **marks},
            "additionalProperties": False,
        }
    return {"$ref": f"#/components/schemas/{name}"}


def annotation(hint: Any, into: dict[str, Schema]) -> Schema:
    """Returns the schema of a type that a field of the engine's dataclasses has."""
    plain: dict[Any, Schema] = {
        str: {"type": "string"},
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: NUMBER,
        object: {},
        Any: {},
    }
    if hint in plain:
        return plain[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        return answer(hint, into)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        return {"$ref": "#/components/schemas/Array"}
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"}, *(annotation(a, into) for a in arguments if a is not types.NoneType)]}
    if origin is tuple:
        return {"type": "array", "items": annotation(arguments[0], into)}
    if origin is dict:
        return {"type": "object", "additionalProperties": {"anyOf": [annotation(arguments[1], into), MARKS]}}
    raise TypeError(f"no schema for {hint}")


def _may_have_marks(schema: Schema) -> bool:
    inner: Sequence[Schema] = schema.get("anyOf", [schema])
    return any(part == NUMBER or part.get("$ref", "").endswith("/Array") for part in inner)


def option_schema(option: Option, text: bool) -> Schema:
    """Returns the schema of one option: as it stands in a query (`text`), or in JSON."""
    schema: Schema = {"description": option.help}
    if option.kind in ("int", "float"):
        schema |= {
            "type": "integer" if option.kind == "int" else "number",
            "minimum": option.low,
            "maximum": option.high,
        }
    elif option.kind == "bool":
        schema |= {"type": "boolean"}
    elif option.kind == "choice":
        schema |= {"type": "string", "enum": list(option.choices or ())}
    elif option.kind == "text":
        schema |= {"type": "string", "maxLength": LONGEST_IN_QUERY if text else int(option.high or 0)}
    elif text:
        schema |= {"type": "string", "pattern": rf"^\s*({NUMERAL}\s*([,\n]\s*{NUMERAL}\s*)*)?$"}
    else:
        schema |= {"type": "array", "items": {"type": "number"}, "maxItems": int(option.high or 0)}
    return schema | ({} if option.kind == "series" else {"default": option.default})


def config_schema() -> Schema:
    """Returns the schema of a config in JSON."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: option_schema(option, text=False) for option in OPTIONS},
    }
