"""What OpenAPI says of the training routes."""

from __future__ import annotations

from typing import Any

from engine.training import LAB_OPTIONS, STRATEGY_OPTIONS
from engine.training.options import MOST_STRATEGIES
from server.answers import option_schema
from server.components import Schema
from server.negotiation import media_type
from server.openapi import BODY_ERRORS, ERRORS, PROBLEM
from server.store.rows import RUN_ID
from server.training.asking import ACTIONS, KEY, LARGEST, NUMBER
from server.work import BINARY, CSV, JSON

__all__ = ["CSV", "JSON", "chosen", "controlled", "deleted", "estimated", "figures", "listed", "moment", "one"]
__all__ += ["options", "points", "presets", "report", "results", "started", "stream"]

Told = dict[str, Any]
OBJECT: Schema = {"type": "object"}
ARRAY: Schema = {"type": "array", "items": OBJECT}
RUN: Schema = {
    "type": "object",
    "required": ["id", "status", "own", "lab", "share", "remaining_seconds", "strategies", "lanes", "verdict"],
    "properties": {
        "id": {"type": "string", "description": "Names the run; whoever knows it may watch."},
        "title": {"type": "string"},
        "status": {"enum": ["queued", "running", "paused", "done", "failed", "cancelled", "interrupted"]},
        "note": {"type": "string", "description": "Why it has this status, where that needs saying."},
        "created": {"type": "number", "description": "Seconds since 1970."},
        "own": {"type": "boolean", "description": "Whether you may control it."},
        "last_event": {"type": "integer", "description": "The id of its last event."},
        "lab": OBJECT | {"description": "The whole lab; a long text or series is named in left_out instead."},
        "tokens": {"type": "integer", "description": "Trained on so far, all lanes together."},
        "total_tokens": {"type": "integer"},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "remaining_seconds": {
            "type": ["number", "null"],
            "description": "From what the lanes that ran took, and those still to come; null while nothing has run.",
        },
        "seconds": {"type": "number", "description": "Of computing, all lanes together."},
        "strategies": ARRAY | {"description": "Of each: name, seconds of computing, peak_bytes of an update."},
        "lanes": ARRAY | {"description": "Of each (strategy, seed): tokens, seconds, and how it ended."},
        "rates": ARRAY | {"description": "Learning rates that were changed, and from how many tokens on."},
        "verdict": {"type": ["object", "null"], "description": "What the run says, once it has ended."},
    },
}
LAB: Schema = {
    "type": "object",
    "additionalProperties": False,
    "description": "What determines a run. What is left out takes its default.",
    "properties": {option.name: option_schema(option, text=False) for option in LAB_OPTIONS}
    | {
        "strategies": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_STRATEGIES,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {option.name: option_schema(option, text=False) for option in STRATEGY_OPTIONS},
            },
        }
    },
}
CONTROL: Schema = {
    "type": "object",
    "required": ["action"],
    "additionalProperties": False,
    "properties": {"action": {"enum": list(ACTIONS)}, "rate": {"type": "number", "description": "With action rate."}},
}
ID: Schema = {"name": "id", "in": "path", "required": True, "description": "Of the run."} | {
    "schema": {"type": "string", "pattern": f"^{RUN_ID.pattern}$"}
}
LANE: Schema = {"name": "lane", "in": "path", "required": True, "schema": {"type": "string"}} | {
    "description": "strategy.seed: the strategy's place in the lab, from 0, and the seed."
}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": LARGEST}
TOKENS: Schema = {"name": "tokens", "in": "path", "required": True, "schema": COUNT}
WHOLE: Schema = {"type": "string", "pattern": f"^{NUMBER.pattern}$"}
AFTER: Schema = {"name": "after", "in": "query", "description": "The id of the last event that you have."} | {
    "schema": COUNT | {"default": 0}
}
LAST: Schema = {"name": "Last-Event-ID", "in": "header", "description": "The same; it goes before `after`."} | {
    "schema": WHOLE
}
IDEMPOTENCY: Schema = {"name": "Idempotency-Key", "in": "header"} | {
    "description": "A random name for this run: sent again, it starts nothing new.",
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
}
MISSING = {404: "No such run is kept", 503: "The database cannot be reached; see Retry-After"}
OURS = {403: "The run belongs to another visitor", 409: "The run has ended", 507: "The disk is full"}
BUSY = {429: "You have as many waiting as you may; see Retry-After", 507: "The disk is full"}


def chosen(accept: str | None) -> str:
    """Returns the form in which results are wanted; raises RefusedError (406)."""
    return media_type(accept, (JSON, CSV))


def _told(contents: dict[str, Schema], errors: dict[int, str], *parameters: Schema, status: int = 200) -> Told:
    usual = {code: ERRORS[code] for code in (400, 414, 422, 431, 500)}
    answers: dict[int | str, Any] = {
        status: {"description": "The answer", "content": {media: {"schema": s} for media, s in contents.items()}}
    }
    answers |= {code: {"description": text, "content": PROBLEM} for code, text in (usual | errors).items()}
    return {"responses": answers, "response_model": None, "openapi_extra": {"parameters": list(parameters)}}


def _with_body(told: Told, schema: Schema) -> Told:
    told["openapi_extra"]["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return told


def options() -> Told:
    return _told({JSON: OBJECT}, {})


def presets() -> Told:
    return _told({JSON: ARRAY}, {})


def estimated() -> Told:
    return _with_body(_told({JSON: OBJECT}, BODY_ERRORS | {403: ERRORS[403]}), LAB)


def started() -> Told:
    told = _told({JSON: RUN}, BODY_ERRORS | BUSY | {403: ERRORS[403], 503: ERRORS[503]}, IDEMPOTENCY, status=201)
    known = {"description": "The run that the same key started before", "content": {JSON: {"schema": RUN}}}
    told["responses"][200] = known
    return _with_body(told, LAB)


def listed() -> Told:
    return _told({JSON: ARRAY}, {503: MISSING[503]})


def one() -> Told:
    return _told({JSON: RUN}, MISSING, ID)


def stream() -> Told:
    told = _told({"text/event-stream": {"type": "string"}}, MISSING | {429: "Too many streams"}, ID, AFTER, LAST)
    told["responses"][204] = {"description": "The run has ended, and you have all of it: do not come again"}
    return told


def points() -> Told:
    return _told({JSON: OBJECT}, MISSING, ID, AFTER)


def controlled() -> Told:
    return _with_body(_told({JSON: RUN}, BODY_ERRORS | MISSING | OURS, ID), CONTROL)


def deleted() -> Told:
    told = _told({JSON: RUN}, MISSING | OURS, ID)
    told["responses"][204] = {"description": "It had ended, and is deleted"}
    return told


def results(*media: str) -> Told:
    schemas: dict[str, Schema] = {JSON: OBJECT, CSV: {"type": "string"}}
    forms = {name: schema for name, schema in schemas.items() if name in (media or schemas)}
    return _told(forms, MISSING | ({} if media else {406: ERRORS[406]}), ID)


def moment() -> Told:
    return _told({JSON: OBJECT}, MISSING | {404: "No such run, lane or moment is kept"}, ID, LANE, TOKENS)


def figures(measures: tuple[str, ...], themes: tuple[str, ...]) -> Told:
    seed: Schema = {"name": "seed", "in": "query", "schema": COUNT} | {
        "description": "The seed whose probes are drawn; by default the first."
    }
    measure: Schema = {"name": "measure", "in": "query", "schema": {"enum": list(measures), "default": "nats"}} | {
        "description": "In what losses are shown; values have half their squared error."
    }
    theme: Schema = {"name": "theme", "in": "query", "schema": {"enum": list(themes)}} | {
        "description": "Whose colours the figures have; left out, colours are names such as var(--full)."
    }
    return _told({JSON: OBJECT, BINARY: {"type": "string", "format": "binary"}}, MISSING | {406: ERRORS[406]},
                 ID, seed, measure, theme)


def report() -> Told:
    return _told({"text/html": {"type": "string"}}, MISSING, ID)
