"""What a request asks for, read strictly from a query or a JSON body, and written canonically."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl

from engine import CONVENTIONS, OPTION, REDUCTIONS, Config, InputError, Problem, as_query, check_range, parse
from engine.errors import shorten
from server import schemas, strict
from server.problems import nearest, refuse
from server.typed import require_typed

INCLUDES = schemas.INCLUDES
THEMES = ("light", "dark")
NATIVE, OURS = "native", "sum_time_mean_batch"  # the engine's own convention, and its reduction of losses
EXTRAS: dict[str, tuple[str, ...]] = {  # what each kind of query takes beside the config
    "analysis": ("include", "certificate", "convention", "reduction", "loss"),
    "credit": (),
    "certificate": (),
    "long": ("certificate",),
    "closeup": ("from", "to"),
    "estimate": ("include",),
    "figure": ("theme",),
    "agree": (),
    "museum": (),
    "code": (),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "theme": THEMES,
    "convention": tuple(CONVENTIONS),
    "reduction": tuple(REDUCTIONS),
}
LAST = int(OPTION["steps"].high or 0)
RANGE = {  # of a close-up
    "from": "The first step of the close-up.",
    "to": "The step after its last one; at most from + 500.",
}
SHOWN = 200  # steps of a close-up whose range is left out
MOST_FIELDS = 64


@dataclass(frozen=True)
class Query:
    """One question to the engine. Two queries with the same canonical text have the same answer."""

    kind: str
    config: Config
    include: frozenset[str] = frozenset({"credit"})
    certificate: bool = True
    figure: str = ""  # its name; of kind "agree" that of the published result, of kind "museum" the exhibit's
    theme: str = "light"
    convention: str = NATIVE  # of the weights and states that are given, and of those in the answer
    reduction: str = OURS
    loss: int | None = None  # the loss step whose row of the credit matrix is included; None for the last
    given: Mapping[str, Any] = field(default_factory=dict)
    first: int = 0  # the close-up's steps: [first, end)
    end: int = 0

    @property
    def certified(self) -> bool:
        """Whether its answer has certificates."""
        return self.certificate and self.kind not in ("figure", "credit")

    @cached_property
    def canonical(self) -> str:
        """The query with every default filled in, in one order, so that no two different ones are written alike."""
        extras = {
            "include": ",".join(sorted(self.include)),
            "certificate": self.certificate,
            "theme": self.theme,
            "convention": self.convention,
            "reduction": self.reduction,
            "from": str(self.first),
            "to": str(self.end),
            "loss": "" if self.loss is None else str(self.loss),
        }
        return repr([*as_query(self.config).values(), *(extras[name] for name in EXTRAS[self.kind])])


@lru_cache(1024)
def read_query(kind: str, raw: bytes, figure: str = "") -> Query:
    """Returns the query of an address, or raises InputError or RefusedError. A class asks the same ones."""
    given = read_pairs(raw, [*OPTION, *EXTRAS[kind]])
    extras = {name: given.pop(name) for name in EXTRAS[kind] if name in given}
    query = Query(kind, parse(given), certificate=kind not in ("figure", "closeup"), figure=figure)
    return _with_extras(with_range(query, extras) if kind == "closeup" else query, extras)


def with_range(query: Query, given: Mapping[str, object]) -> Query:
    """Returns a close-up's query with its steps, or raises InputError; by default they are the last ones."""
    found = {name: _step(name, given[name]) for name in RANGE if name in given}
    end = found.get("to", min(query.config.steps, found.get("from", query.config.steps) + SHOWN))
    query = replace(query, first=found.get("from", max(0, end - SHOWN)), end=end)
    check_range(query.config, range(query.first, query.end))
    return query


def _step(name: str, raw: object) -> int:
    text = str(raw)
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= LAST):
        raise InputError(Problem(name, shorten(raw), f"must be a whole number from 0 to {LAST}", RANGE[name]))
    return int(text)


def read_pairs(raw: bytes, known: Sequence[str]) -> dict[str, str]:
    """Returns the names and values of an address's query. Raises RefusedError (400) for what is none, and InputError
    for a name that is not known, or given twice."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except (ValueError, UnicodeError):
        raise refuse(
            400,
            "query",
            f"{len(raw)} bytes",
            f"must be name=value pairs joined by &, at most {MOST_FIELDS}, percent-encoded UTF-8",
            "Encode it as a form is encoded.",
        ) from None
    _check_names([name for name, _ in pairs], known)
    return dict(pairs)


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    wrong = [
        Problem(shorten(name).strip("'"), shorten(name), "unknown name", nearest(name, known))
        for name in dict.fromkeys(names)
        if name not in known
    ]
    wrong += [
        Problem(name, f"given {count} times", "may be given once", "Keep one of them.")
        for name, count in Counter(names).items()
        if count > 1 and name in known
    ]
    if wrong:
        raise InputError(wrong)


def _with_extras(query: Query, extras: Mapping[str, str]) -> Query:
    changes: dict[str, Any] = {}
    for name, text in extras.items():
        if name == "include":
            changes["include"] = _includes(text)
        elif name in RANGE:
            continue
        elif name == "loss":
            changes["loss"] = _loss(text)
        elif name == "certificate":
            changes["certificate"] = choice(name, text, ("true", "false")) == "true"
        else:
            changes[name] = choice(name, text, CHOICES[name])
    return replace(query, **changes)


def _loss(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
        limit = "must be a step number from 0, or empty for the last loss"
        raise InputError(Problem("loss", shorten(text), limit, "Give the loss step, or leave it out."))
    return int(text) if text else None


def choice(name: str, text: str, choices: Sequence[str]) -> str:
    """Returns the text if it is one of the choices; else raises InputError, which names the nearest."""
    if text not in choices:
        hint = nearest(text.lower(), choices)
        raise InputError(Problem(name, shorten(text), f"must be one of {', '.join(choices)}", hint))
    return text


def _includes(text: str) -> frozenset[str]:
    return frozenset(choice("include", name.strip(), INCLUDES) for name in text.split(",") if text)


def read_body(kind: str, body: bytes, depth: int) -> Query:
    """Returns the query of a JSON body, or raises InputError or RefusedError."""
    return read_value(kind, strict.loads(body, depth))


def read_value(kind: str, value: object, flags: Mapping[str, str] | None = None) -> Query:
    """Returns the query of a JSON value; `flags` override its config, as strings."""
    request = schemas.read(schemas.REQUESTS[kind], value)
    require_typed(request.config, OPTION)
    query = Query(kind, parse({**request.config, **(flags or {})}))
    if isinstance(request, (schemas.EstimateRequest, schemas.AnalysisRequest)):
        query = replace(query, include=frozenset(request.include))
    if isinstance(request, schemas.LongRequest):
        query = replace(query, certificate=request.certificate)
    if isinstance(request, schemas.CloseUpRequest):
        query = with_range(replace(query, certificate=False), request.steps())
    if isinstance(request, schemas.CertificateRequest):
        convention = choice("convention", request.convention, CHOICES["convention"])
        query = replace(query, given=request.arrays(), convention=convention)
    if isinstance(request, schemas.AnalysisRequest):
        reduction = choice("reduction", request.reduction, CHOICES["reduction"])
        query = replace(query, certificate=request.certificate, reduction=reduction, loss=request.loss)
    return query


def etag(parts: Sequence[str]) -> str:
    """Returns a strong entity tag of everything that an answer depends on."""
    return '"' + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32] + '"'
