"""The OpenAPI document: parameters from the table of options, answers from the engine's dataclasses."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine import OPTIONS, Analysis, Certificate, Estimate
from engine.published import Published
from server import answers, schemas
from server.queries import EXTRAS, INCLUDES, THEMES
from server.work import BINARY, CSV, JSON, NPZ

Schema = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ERRORS = {
    400: "Cannot be read",
    403: "Another site's page may not post here",
    406: "None of the forms asked for",
    414: "The address is too long",
    422: "A value that cannot be used: which, its limit and the remedy",
    431: "Too many or too long headers",
    500: "A fault in Unrolled",
    503: "Busy, or too slow; see Retry-After",
}
MISSING = {"figure": "No figure has this name", "code": "No program is written for this framework"}
BODY_ERRORS = {408: "The body took too long", 413: "The body is too long", 415: "Not application/json"}
BINARY_SCHEMA = {"schema": {"type": "string", "format": "binary"}}
STRING: Schema = {"type": "string"}
PACKAGE: Schema = {"type": "object", "required": ["package", "version"], "additionalProperties": False} | {
    "properties": {"package": STRING, "version": STRING}
}
FRAMEWORK: Schema = {
    **dict.fromkeys(("name", "title", "help", "language"), STRING),
    "checked_with": {"type": "array", "items": PACKAGE},
    "checked": STRING | {"description": "How its programs were held against the engine, in words."},
}
EXTRA_SCHEMAS: dict[str, Schema] = {
    "include": {
        "name": "include",
        "in": "query",
        "style": "form",
        "explode": False,
        "description": "What the answer should hold beside the norms; comma-separated, empty for nothing.",
        "schema": {"type": "array", "items": {"type": "string", "enum": list(INCLUDES)}, "default": ["credit"]},
    },
    "certificate": {
        "name": "certificate",
        "in": "query",
        "schema": {"type": "boolean", "default": True},
        "description": "Without a certificate the answer comes sooner.",
    },
    "theme": {
        "name": "theme",
        "in": "query",
        "schema": {"type": "string", "enum": list(THEMES), "default": "light"},
        "description": "Which colours the figure has.",
    },
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def contents(kind: str) -> Schema:
    """Returns the forms of an answer with their schemas."""
    found: Schema = {
        JSON: {
            "schema": ref(
                {
                    "analysis": "AnalysisAnswer",
                    "certificate": "CertificateAnswer",
                    "estimate": "EstimateAnswer",
                    "figure": "Figure",
                    "code": "ProgramAnswer",
                }[kind]
            )
        }
    }
    if kind == "analysis":
        found |= {CSV: {"schema": {"type": "string"}}, NPZ: BINARY_SCHEMA}
    if kind == "code":
        return {"text/x-python": {"schema": {"type": "string"}}} | found
    return found if kind == "estimate" else found | {BINARY: BINARY_SCHEMA}


def responses(kind: str, extra: dict[int, str]) -> Responses:
    """Returns every status that a route answers with."""
    found: Responses = {200: {"description": "The answer", "content": contents(kind)}}
    return found | {status: {"description": text, "content": PROBLEM} for status, text in (ERRORS | extra).items()}


def asked(kind: str, path: tuple[Schema, ...] = ()) -> dict[str, Any]:
    """Returns what FastAPI is told of a GET route."""
    options = [
        {
            "name": option.name,
            "in": "query",
            "description": option.help,
            "schema": answers.option_schema(option, text=True),
        }
        for option in OPTIONS
    ]
    extras = [EXTRA_SCHEMAS[name] for name in EXTRAS[kind]]
    found = responses(kind, {404: MISSING[kind]} if kind in MISSING else {})
    if kind != "estimate":
        found |= {304: {"description": "The client has this answer already"}}
    return {"openapi_extra": {"parameters": [*path, *options, *extras]}, "responses": found, "response_model": None}


def posted(kind: str) -> dict[str, Any]:
    """Returns what FastAPI is told of a POST route."""
    body = {"required": True, "content": {JSON: {"schema": ref(schemas.REQUESTS[kind].__name__)}}}
    return {"openapi_extra": {"requestBody": body}, "responses": responses(kind, BODY_ERRORS), "response_model": None}


def listed(schema: Schema, extra: dict[int, str] | None = None) -> dict[str, Any]:
    """Returns what FastAPI is told of a route without parameters."""
    found: Responses = {200: {"description": "The answer", "content": {JSON: {"schema": schema}}}}
    errors = {400: ERRORS[400], 414: ERRORS[414], 431: ERRORS[431], 500: ERRORS[500]} | (extra or {})
    return {
        "responses": found | {status: {"description": text, "content": PROBLEM} for status, text in errors.items()},
        "response_model": None,
    }


def reproduced(name: Schema) -> dict[str, Any]:
    """Returns what FastAPI is told of the route that computes a published result."""
    told = listed(ref("Published"), {code: ERRORS[code] for code in (406, 422, 503)})
    told["responses"] |= {
        304: {"description": "The client has this answer already"},
        404: {"description": "No published result has this name", "content": PROBLEM},
    }
    return told | {"openapi_extra": {"parameters": [name]}}


def document(app: FastAPI) -> Schema:
    """Returns the OpenAPI document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
        # FastAPI would say that 422 is its own kind of error; here every error is a problem.
        made.setdefault("components", {})["schemas"] = components()
        app.openapi_schema = made
    return app.openapi_schema


def components() -> dict[str, Schema]:
    """Returns every schema by name."""
    found: dict[str, Schema] = dict(answers.SHARED)
    number = {"type": "number", "description": "Milliseconds that the engine took when this was computed."}
    answers.answer(Analysis, found, {"engine_ms": number})
    analysis = found.pop("Analysis")
    analysis["properties"]["figures"] = {
        "type": "object",
        "additionalProperties": ref("Figure"),
        "description": "With include=figures: each figure by its name.",
    }
    answers.answer(Published, found)
    certificate = answers.answer(Certificate, found)
    estimate = answers.answer(Estimate, found)
    cost = found.pop(estimate["$ref"].rsplit("/", 1)[1])
    found |= {
        "AnalysisAnswer": analysis,
        "Figure": {"type": "object", "description": "A Plotly figure: data and layout."},
        "Framework": _object(FRAMEWORK),
        "ProgramAnswer": _object(
            {
                "program": {"type": "string", "description": "The whole text."},
                "cut_lines": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1},
                    "description": "The numbers, from 1, of the lines that make the cut.",
                },
                **FRAMEWORK,
            }
        ),
        "CertificateAnswer": _object(
            {
                "certificate": certificate,
                "certificate_full": certificate,
                "sentence": {"type": "string"},
                "engine_ms": number,
            }
        ),
        "EstimateAnswer": _object(
            cost["properties"]
            | {
                "affordable": {"type": "boolean"},
                "problems": {"type": "array", "items": found["Problem"]["properties"]["problems"]["items"]},
                "limits": ref("Limits"),
            }
        ),
        "Limits": {
            "type": "object",
            "additionalProperties": _object(
                {"value": {"type": "number"}, "unit": {"type": "string"}, "help": {"type": "string"}}
            ),
        },
        "Config": answers.config_schema(),
    }
    return found | {model.__name__: _request(model) for model in schemas.REQUESTS.values()}


def _object(properties: Schema) -> Schema:
    required = [name for name in properties if not name.endswith("_nonfinite")]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _request(model: type[schemas.ConfigRequest]) -> Schema:
    made = model.model_json_schema()
    made.pop("$defs", None)
    properties = made["properties"]
    properties["config"] = ref("Config")
    array = {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "array"}]}}
    forms = dict.fromkeys(("inputs", "targets", "mask"), array)
    forms |= {name: {"type": "object", "additionalProperties": array} for name in ("weights", "initial_state")}
    for name in forms.keys() & properties.keys():
        described = properties[name]["description"]
        properties[name] = {"description": described, "anyOf": [forms[name], {"type": "null"}]}
    return made
