"""The OpenAPI document: parameters from the table of options, answers from the engine's dataclasses."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from engine import CONVENTIONS, OPTION, OPTIONS, REDUCTIONS
from server import answers, schemas, uploads
from server.components import Schema, components, ref
from server.queries import EXTRAS, INCLUDES, LAST, NATIVE, OURS, RANGE, THEMES
from server.traces.receiving import TYPES as TRACE_TYPES
from server.work import BINARY, CSV, JSON, NPZ

Responses = dict[int | str, dict[str, Any]]
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ERRORS = {
    400: "Cannot be read",
    403: "Another site's page may not post here",
    406: "None of the forms asked for",
    414: "The address is too long",
    422: "A value that cannot be used: which, its limit and the remedy",
    429: "Too many analyses of yours are waiting; see Retry-After",
    431: "Too many or too long headers",
    500: "A fault in Unrolled",
    503: "Busy, or too slow; see Retry-After",
}
MISSING = {"figure": "No figure has this name", "code": "No program is written for this framework"}
BODY_ERRORS = {408: "The body took too long", 413: "The body is too long", 415: "Not application/json"}
TRUNCATION = r"^\s*(full|(window|sliding):[0-9]{1,7}|k1k2:[0-9]{1,7},[0-9]{1,7})(,(carry|reset))?\s*$"
BINARY_SCHEMA = {"schema": {"type": "string", "format": "binary"}}
EXTRA_SCHEMAS: dict[str, Schema] = {
    "include": {
        "name": "include",
        "in": "query",
        "style": "form",
        "explode": False,
        "allowEmptyValue": True,
        "description": "What the answer should hold beside the norms; comma-separated, empty for nothing.",
        "schema": {"type": "array", "items": {"type": "string", "enum": list(INCLUDES)}, "default": ["credit"]},
    },
    "certificate": {
        "name": "certificate",
        "in": "query",
        "schema": {"type": "boolean", "default": True},
        "description": "Without a certificate the answer comes sooner.",
    },
    "convention": {
        "name": "convention",
        "in": "query",
        "schema": {"type": "string", "enum": list(CONVENTIONS), "default": NATIVE},
        "description": "Whose names, order and layout `weights`, `gradients` and `gradients_full` have in the answer.",
    },
    "reduction": {
        "name": "reduction",
        "in": "query",
        "schema": {"type": "string", "enum": list(REDUCTIONS), "default": OURS},
        "description": "How your framework reduces the loss: `reduction_factor` in the answer is what ours, and every "
        "gradient of it, is to be multiplied by.",
    },
    **{
        name: {"name": name, "in": "query", "description": described}
        | {"schema": {"type": "integer", "minimum": 0, "maximum": LAST}}
        for name, described in RANGE.items()
    },
    "loss": {
        "name": "loss",
        "in": "query",
        "schema": {"type": "string", "pattern": "^([0-9]{1,6})?$"},
        "description": "With include=row: the loss step whose row of the credit matrix is answered, or one near it; "
        "empty for the last.",
    },
    "theme": {
        "name": "theme",
        "in": "query",
        "schema": {"type": "string", "enum": list(THEMES), "default": "light"},
        "description": "Which colours the figure has.",
    },
}


def contents(kind: str) -> Schema:
    """Returns the forms of an answer with their schemas."""
    found: Schema = {
        JSON: {
            "schema": ref(
                {
                    "analysis": "AnalysisAnswer",
                    "certificate": "CertificateAnswer",
                    "long": "LongAnswer",
                    "closeup": "CloseUpAnswer",
                    "credit": "CreditAnswer",
                    "estimate": "EstimateAnswer",
                    "figure": "Figure",
                    "code": "ProgramAnswer",
                    "weights": "WeightsAnswer",
                    "trace": "TraceAnswer",
                }[kind]
            )
        }
    }
    if kind == "analysis":
        found |= {CSV: {"schema": {"type": "string"}}, NPZ: BINARY_SCHEMA}
    if kind == "code":
        return {"text/x-python": {"schema": {"type": "string"}}} | found
    return found if kind in ("estimate", "weights") else found | {BINARY: BINARY_SCHEMA}


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


def uploaded() -> dict[str, Any]:
    """Returns what FastAPI is told of the route that reads a file of weights."""
    options = [
        {"name": name, "in": "query", "description": OPTION[name].help}
        | {"schema": answers.option_schema(OPTION[name], text=True)}
        for name in uploads.OPTIONS
    ]
    whose = EXTRA_SCHEMAS["convention"] | {"description": "Whose names, order and layout the file has."}
    body = {"required": True, "content": dict.fromkeys(uploads.TYPES, BINARY_SCHEMA)}
    told = responses("weights", BODY_ERRORS | {415: "Not one of the types of files"})
    extra = {"parameters": [whose, *options], "requestBody": body}
    return {"openapi_extra": extra, "responses": told, "response_model": None}


def traced() -> dict[str, Any]:
    """Returns what FastAPI is told of the route that reads a recorded trace."""
    expect = {
        "name": "expect",
        "in": "query",
        "schema": {"type": "string", "pattern": TRUNCATION, "maxLength": 64},
        "description": "What the trace is held against, instead of what it declares: full, window:20, sliding:20 or "
        "k1k2:10,20, with ,carry or ,reset behind it.",
    }
    body = {"required": True, "content": dict.fromkeys(TRACE_TYPES, BINARY_SCHEMA)}
    told = responses("trace", BODY_ERRORS | {415: "Not one of the types of files"})
    return {"openapi_extra": {"parameters": [expect], "requestBody": body}, "responses": told, "response_model": None}


def listed(schema: Schema, extra: dict[int, str] | None = None) -> dict[str, Any]:
    """Returns what FastAPI is told of a route without parameters."""
    found: Responses = {200: {"description": "The answer", "content": {JSON: {"schema": schema}}}}
    errors = {400: ERRORS[400], 414: ERRORS[414], 431: ERRORS[431], 500: ERRORS[500]} | (extra or {})
    return {
        "responses": found | {status: {"description": text, "content": PROBLEM} for status, text in errors.items()},
        "response_model": None,
    }


def plain(media: str, description: str) -> dict[str, Any]:
    """Returns what FastAPI is told of a route without parameters whose answer is text."""
    told = listed({})
    told["responses"][200] = {"description": description, "content": {media: {"schema": {"type": "string"}}}}
    return told


def reproduced(name: Schema) -> dict[str, Any]:
    """Returns what FastAPI is told of the route that computes a published result."""
    told = listed(ref("Published"), {code: ERRORS[code] for code in (406, 422, 429, 503)})
    told["responses"] |= {
        304: {"description": "The client has this answer already"},
        404: {"description": "No published result has this name", "content": PROBLEM},
    }
    return told | {"openapi_extra": {"parameters": [name]}}


def exhibited(name: Schema) -> dict[str, Any]:
    """Returns what FastAPI is told of the route that computes an exhibit of the bug museum."""
    told = reproduced(name)
    told["responses"][200]["content"][JSON]["schema"] = ref("ExhibitAnswer")
    told["responses"][404]["description"] = "No exhibit has this name"
    return told


def found_in_text() -> dict[str, Any]:
    """Returns what FastAPI is told of the route that looks for exhibits in a text."""
    told = listed(ref("Findings"), BODY_ERRORS | {code: ERRORS[code] for code in (403, 422)})
    body = {"required": True, "content": {JSON: {"schema": ref("FindRequest")}}}
    return told | {"openapi_extra": {"requestBody": body}}


def document(app: FastAPI) -> Schema:
    """Returns the OpenAPI document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
        # FastAPI would say that 422 is its own kind of error; here every error is a problem.
        made.setdefault("components", {})["schemas"] = components()
        _tell_apart(made["paths"])
        app.openapi_schema = made
    return app.openapi_schema


def _tell_apart(paths: dict[str, Schema]) -> None:
    """Says of each operation whose address holds a name what is answered to words that are addresses of their own, and
    do not have its method: /training/estimate is no run, and can only be posted to."""
    for template, operations in paths.items():
        named = compile_path(template)[0]
        words = [path for path in paths if path != template and "{" not in path and named.match(path)]
        for method, operation in operations.items():
            if lacking := [path for path in words if method not in paths[path]]:
                said = f"At {', '.join(lacking)}: no name, and without this method; see Allow"
                operation["responses"]["405"] = {"description": said, "content": PROBLEM}
