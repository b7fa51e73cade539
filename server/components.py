"""The schemas of the OpenAPI document by name: those of answers follow from the engine's dataclasses."""

from __future__ import annotations

from typing import Any

from engine import CONVENTIONS, REDUCTIONS, Analysis, Certificate, CloseUp, Credit, Estimate, Long
from engine.museum import Exhibit, Findings
from engine.published import Published
from server import answers, schemas
from server.museum import FindRequest, MuseumPrograms
from server.queries import NATIVE
from server.traces.view import TraceAnswer

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
ANSWERED: Schema = {
    "convention": {
        "enum": list(CONVENTIONS),
        "description": "Whose names, order and layout `weights`, `gradients` and `gradients_full` have.",
    },
    "reduction": {"enum": list(REDUCTIONS), "description": "The reduction that was named."},
    "reduction_factor": {
        "type": "number",
        "description": "What the loss and every gradient here is to be multiplied by to be those of `reduction`. For "
        "squared errors PyTorch and Keras also divide by the outputs and lack the half: a further 2 / outputs.",
    },
}
PACKAGE: Schema = {"type": "object", "required": ["package", "version"], "additionalProperties": False} | {
    "properties": {"package": STRING, "version": STRING}
}
FRAMEWORK: Schema = {
    **dict.fromkeys(("name", "title", "help", "language"), STRING),
    "checked_with": {"type": "array", "items": PACKAGE},
    "checked": STRING | {"description": "How its programs were held against the engine, in words."},
}
ENGINE_MS: Schema = {"type": "number", "description": "Milliseconds that the engine took when this was computed."}
CUT_LINES: Schema = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1},
    "description": "The numbers, from 1, of the lines that make the cut.",
}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def components() -> dict[str, Schema]:
    """Returns every schema by name."""
    found: dict[str, Schema] = dict(answers.SHARED)
    found["AnalysisAnswer"] = _analysis(found)
    answers.answer(Published, found)
    answers.answer(Findings, found)
    found["ExhibitAnswer"] = _exhibit(found)
    found["FindRequest"] = FindRequest.model_json_schema()
    certificate = answers.answer(Certificate, found)
    found["CertificateAnswer"] = _object(
        {"certificate": certificate, "certificate_full": certificate, "sentence": STRING, "engine_ms": ENGINE_MS}
    )
    answers.answer(Long, found, {"engine_ms": ENGINE_MS})
    found["LongAnswer"] = found.pop("Long")
    found["CloseUpAnswer"] = _closeup(found)
    heatmap: Schema = {"type": "object", "description": "The matrix as the figure `credit` has it: a Plotly trace."}
    found["CreditAnswer"] = _object(
        {"credit": answers.answer(Credit, found), "sentence": STRING, "heatmap": heatmap, "engine_ms": ENGINE_MS}
    )
    found["EstimateAnswer"] = _estimate(found)
    program = {"program": STRING | {"description": "The whole text."}, "cut_lines": CUT_LINES}
    limit = {"value": {"type": "number"}, "unit": STRING, "help": STRING}
    found |= {
        "Figure": {"type": "object", "description": "A Plotly figure: data and layout."},
        "Framework": _object(FRAMEWORK),
        "ProgramAnswer": _object(program | FRAMEWORK),
        "WeightsAnswer": _weights(),
        "TraceAnswer": _trace(found),
        "Limits": _mapping(_object(limit)),
        "Config": answers.config_schema(),
    }
    return found | {model.__name__: _request(model) for model in schemas.REQUESTS.values()}


def _analysis(found: dict[str, Schema]) -> Schema:
    answers.answer(Analysis, found, ANSWERED | {"engine_ms": ENGINE_MS})
    analysis = found.pop("Analysis")
    described = "With include=figures: each figure by its name."
    analysis["properties"]["figures"] = _mapping(ref("Figure")) | {"description": described}
    return analysis


def _closeup(found: dict[str, Schema]) -> Schema:
    drawn = _mapping(ref("Figure")) | {"description": "Each figure by its name, over the steps' own numbers."}
    answers.answer(CloseUp, found, {"figures": drawn, "engine_ms": ENGINE_MS})
    return found.pop("CloseUp")


def _estimate(found: dict[str, Schema]) -> Schema:
    cost = found.pop(answers.answer(Estimate, found)["$ref"].rsplit("/", 1)[1])
    problems = {"type": "array", "items": found["Problem"]["properties"]["problems"]["items"]}
    more = {"affordable": {"type": "boolean"}, "problems": problems, "limits": ref("Limits")}
    return _object(cost["properties"] | more)


def _exhibit(found: dict[str, Schema]) -> Schema:
    answers.answer(Exhibit, found, {"programs": answers.answer(MuseumPrograms, found)})
    return found.pop("Exhibit")


def _trace(found: dict[str, Schema]) -> Schema:
    answers.answer(TraceAnswer, found)
    trace: Schema = found.pop("TraceAnswer")
    trace["properties"]["figures"] = _mapping(ref("Figure")) | {"description": "Each picture by its name."}
    return trace


def _weights() -> Schema:
    return _object(
        {
            "convention": {"const": NATIVE, "description": "Whose convention the blocks have: ours."},
            "config": ref("Config"),
            "shapes": _mapping({"type": "array", "items": {"type": "integer", "minimum": 1}}),
            "weights": _mapping(ref("Array")) | {"description": "Block -> array, as POST /api/v1/analysis takes."},
        }
    )


def _mapping(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


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
