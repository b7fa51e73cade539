"""What a JSON request may hold: the border between a visitor's JSON and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from engine import CONVENTIONS, REDUCTIONS, InputError, Problem
from engine.errors import shorten
from server.problems import nearest

Include = Literal["credit", "row", "gradients", "weights", "states", "inputs", "figures",
                  "bias_curve", "paths", "spectrum", "gates", "draws"]
INCLUDES: tuple[str, ...] = get_args(Include)
ARRAYS = ("weights", "inputs", "targets", "mask", "initial_state", "vocabulary")
Nested = list[JsonValue]
TYPE_NAMES = ("list", "dict", "str", "int", "float", "bool", "nullable")  # parts that pydantic adds to a path


def _whole(value: object) -> object:
    """Returns 7 for 7.0: JSON Schema, and JavaScript, know no difference."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)


class ConfigRequest(BaseModel):
    """A config; what is left out has its default."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    config: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=64, description="The config; what is left out has its default."
    )


class EstimateRequest(ConfigRequest):
    """A config, and what the answer should hold beside the norms."""

    include: list[Include] = Field(default=["credit"], max_length=len(INCLUDES))


class CertificateRequest(ConfigRequest):
    """A config, and the caller's own arrays as nested lists; sequences are (T, B, features)."""

    weights: dict[str, Nested] | None = Field(
        default=None,
        max_length=64,
        description="Block name -> array, as include=weights names them; those left out are drawn.",
    )
    inputs: Nested | None = Field(default=None, description="(T, B) symbols or (T, B, D) values.")
    targets: Nested | None = Field(default=None, description="(T, B) classes or (T, B, O) values.")
    mask: Nested | None = Field(default=None, description="(T,) 1 where a loss is read.")
    initial_state: dict[str, Nested] | None = Field(
        default=None, max_length=16, description="l0.h, l0.c, ... -> (B, H)."
    )
    convention: str = Field(
        default="native",
        json_schema_extra={"enum": list(CONVENTIONS)},
        description="Whose names, order and layout `weights` and `initial_state` have, and in the answer `weights`, "
        "`gradients` and `gradients_full`; /api/v1/conventions describes each.",
    )
    vocabulary: list[str] | None = Field(
        default=None,
        max_length=100_000,
        description="The symbols that given weights of a text model know, in their order.",
    )

    def arrays(self) -> dict[str, Any]:
        """Returns the caller's own arrays, those that were given."""
        given = {name: value for name in ARRAYS if (value := getattr(self, name)) is not None}
        return given | ({"vocabulary": tuple(self.vocabulary)} if self.vocabulary is not None else {})


class AnalysisRequest(CertificateRequest):
    """As before, with what the answer should hold; without a certificate it comes sooner."""

    include: list[Include] = Field(default=["credit"], max_length=len(INCLUDES))
    certificate: bool = True
    loss: Annotated[int, Field(ge=0, le=999_999), WHOLE] | None = Field(
        default=None,
        description="With include=row: the loss step whose row of the credit matrix is answered, or one near it; by "
        "default the last.",
    )
    reduction: str = Field(
        default="sum_time_mean_batch",
        json_schema_extra={"enum": list(REDUCTIONS)},
        description="How your framework reduces the loss: `reduction_factor` in the answer is what ours, and every "
        "gradient of it, is to be multiplied by.",
    )


class LongRequest(CertificateRequest):
    """A long sequence; without a certificate its overview comes sooner."""

    certificate: bool = True


class CloseUpRequest(CertificateRequest):
    """Some steps of a long sequence: [from, to)."""

    first: Annotated[int, Field(ge=0), WHOLE] | None = Field(
        default=None, alias="from", description="The first step of the close-up."
    )
    to: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        default=None, description="The step after its last one; at most from + 500."
    )

    def steps(self) -> dict[str, object]:
        """Returns the ends that were given."""
        return {name: value for name, value in (("from", self.first), ("to", self.to)) if value is not None}


REQUESTS: dict[str, type[ConfigRequest]] = {
    "analysis": AnalysisRequest,
    "certificate": CertificateRequest,
    "long": LongRequest,
    "closeup": CloseUpRequest,
    "credit": CertificateRequest,
    "estimate": EstimateRequest,
}
Request = TypeVar("Request", bound=BaseModel)


def read(model: type[Request], value: object) -> Request:
    """Returns the validated request, or raises InputError naming what is wrong; the input is not echoed."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InputError([_problem(model, dict(item)) for item in found[:10]]) from None


def _problem(model: type[BaseModel], error: Mapping[str, Any]) -> Problem:
    path = [str(part) for part in error["loc"] if part not in TYPE_NAMES]
    field = shorten(".".join(path[:2])).strip("'") or "body"
    if error["type"] == "extra_forbidden":
        return Problem(field, field, "unknown name", nearest(field, list(model.model_fields)))
    described = model.model_fields[path[0]].description if path and path[0] in model.model_fields else None
    return Problem(field, "-", str(error["msg"])[:200], described or "See /api/docs for what a request may hold.")
