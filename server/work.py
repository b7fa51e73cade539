"""One question answered whole: computed by the engine, drawn, and encoded.

Compute processes and the command run this same function, so that they say the same."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import engine
from engine import Analysis, InputError, Problem, errors, words
from engine.published import Published, reproduce
from server import conventions, encoding, figures, long, museum, problems, themes
from server.places import Place
from server.problems import RefusedError
from server.queries import Query, read_body
from server.references import references
from server.tables import encode_csv
from server.traces.reading import TraceFile, opened
from server.traces.view import view_of
from server.uploads import Upload, weights

log = logging.getLogger("unrolled")
JSON, CSV, NPZ = "application/json", "text/csv", "application/x-npz"
BINARY = "application/vnd.unrolled.bin"
MEDIA: dict[str, tuple[str, ...]] = {  # what each kind of answer comes as; the first is the default
    "analysis": (JSON, CSV, NPZ, BINARY),
    "certificate": (JSON, BINARY),
    "long": (JSON, BINARY),
    "closeup": (JSON, BINARY),
    "credit": (JSON, BINARY),
    "figure": (JSON, BINARY),
    "agree": (JSON,),
    "museum": (JSON,),
    "weights": (JSON,),
    "trace": (JSON, BINARY),
}
COMPRESSED = (JSON, CSV)
WORTH_COMPRESSING = 4096


@dataclass(frozen=True)
class Unread:
    """A JSON body that is too long to be read on the event loop; it is read where it is computed."""

    kind: str
    body: bytes


@dataclass(frozen=True)
class Task:
    """What is asked, and the form of its answer."""

    asked: Query | Unread | Upload | TraceFile
    media: str = JSON
    compress: bool = False
    json_depth: int = 16
    reply_bytes: int = 2**26
    seconds: float = 10.0
    keep: bool = True  # whether the answer is worth keeping for others
    place: Place | None = None  # what a process keeps of an earlier task, if this one can use it


@dataclass(frozen=True)
class Answer:
    """Encoded bytes, ready to be sent."""

    status: int
    media: str
    body: bytes
    compressed: bool
    engine_ms: float


DROPPED = Answer(499, problems.MEDIA_TYPE, b"", False, 0.0)  # of a computation that was ended; nobody sees it


def answer(task: Task) -> Answer:
    """Returns the answer; every error is an answer too (a problem), and a fault of ours goes to the log."""
    try:
        return compute(task)
    except InputError as error:
        return _problem(422, *error.problems)
    except RefusedError as error:
        return _problem(error.status, error.problem)
    except MemoryError:
        return _problem(
            422,
            Problem(
                "steps",
                "-",
                "needs more memory than a compute process has",
                "Ask for fewer steps, a smaller batch or a smaller hidden width.",
            ),
        )
    except Exception:
        log.exception("a computation of kind %s failed", task.asked.kind)
        return Answer(500, problems.MEDIA_TYPE, problems.internal().body, False, 0.0)  # type: ignore[arg-type]


def _problem(status: int, *found: Problem) -> Answer:
    return Answer(status, problems.MEDIA_TYPE, problems.encode(status, found), False, 0.0)


def compute(task: Task) -> Answer:
    """Returns the answer, or raises InputError or RefusedError."""
    body, engine_ms = _answered(task)
    if len(body) > task.reply_bytes:
        raise problems.refuse(
            422,
            "include",
            f"an answer of {len(body)} bytes",
            f"must have at most {task.reply_bytes} bytes",
            "Include less, or ask for fewer steps.",
        )
    compress = task.compress and task.media in COMPRESSED and len(body) > WORTH_COMPRESSING
    return Answer(200, task.media, gzip.compress(body, 1, mtime=0) if compress else body, compress, engine_ms)


def _answered(task: Task) -> tuple[bytes, float]:
    if isinstance(task.asked, TraceFile):
        return _traced(task.asked, task.media)
    return _read(task.asked) if isinstance(task.asked, Upload) else _computed(task.asked, task)


def _traced(file: TraceFile, media: str) -> tuple[bytes, float]:
    begun = time.perf_counter()
    view = view_of(opened(file))
    body = encoding.encode_binary(view) if media == BINARY else encoding.encode_json(view)
    return body, 1000 * (time.perf_counter() - begun)


def _computed(asked: Query | Unread, task: Task) -> tuple[bytes, float]:
    query = asked if isinstance(asked, Query) else read_body(asked.kind, asked.body, task.json_depth)
    check_affordable(query, task.seconds)
    result, engine_ms = timed(query)
    return encode(query, result, task.media, engine_ms), engine_ms


def _read(upload: Upload) -> tuple[bytes, float]:
    begun = time.perf_counter()
    read = weights(upload)
    return encoding.encode_json(read), 1000 * (time.perf_counter() - begun)


def check_affordable(query: Query, most_seconds: float) -> None:
    """Raises InputError for an analysis that the engine or this server would not do, saying by how much."""
    cost = long.check(query) if query.kind in long.KINDS else engine.check_affordable(
        query.config, query.include, query.certified
    )
    if cost.seconds > most_seconds:
        config = query.config
        sizes = f"T = {config.steps}, B = {config.batch}, H = {config.hidden}, layers = {config.layers}"
        raise errors.refuse(
            "steps",
            sizes,
            f"would take about {cost.seconds:.1f} s, the limit here is {most_seconds:g} s",
            f"Make it {cost.seconds / most_seconds:.1f} times smaller: fewer steps, batch rows or units. The command "
            "`unrolled analyze`, and a server with a higher "
            f"UNROLLED_{'LONG' if query.kind in long.KINDS else 'ANALYSIS'}_SECONDS, do longer ones.",
        )


def timed(query: Query) -> tuple[Any, float]:
    """Returns what the engine says to a query, and the milliseconds that it took."""
    begun = time.perf_counter()
    result = COMPUTE[query.kind](query)
    return result, 1000 * (time.perf_counter() - begun)


def analysis(query: Query) -> Analysis:
    """Returns the engine's analysis of a query; a figure needs the credit matrix, and no certificate."""
    return engine.analyze(
        query.config,
        conventions.given(query),
        query.include - {"figures"},
        query.certificate,
        references.of(query),
        query.loss,
    )


def certificate(query: Query) -> dict[str, Any]:
    """Returns the two certificates, and what they say in a sentence."""
    truncated, full = engine.certify(query.config, conventions.given(query), references.of(query))
    return {
        "certificate": truncated,
        "certificate_full": full,
        "sentence": words.certificate(truncated, full),
    }


def credit(query: Query) -> dict[str, Any]:
    """Returns the credit matrix, its sentence, and its part of the figure `credit`."""
    found, sentence = engine.credit_matrix(query.config, conventions.given(query), references.of(query))
    return {"credit": found, "sentence": sentence, "heatmap": figures.credit.matrix(found.h, found.loss_steps)}


def figure(query: Query) -> dict[str, Any]:
    """Returns one Plotly figure, its colours those of the theme."""
    found = engine.analyze(query.config, None, query.include, False, references.of(query))
    drawn = figures.draw(query.figure, found)
    if drawn is None:
        raise _nothing_to_draw(query)
    resolved: dict[str, Any] = themes.resolve(drawn, query.theme)
    return resolved


def _nothing_to_draw(query: Query) -> InputError:
    """Returns what to choose so that there is something to draw."""
    option = "style" if query.include == {"draws"} else "cell"
    remedy = "Choose random." if option == "style" else "Choose a cell with gates: lstm or gru."
    value = getattr(query.config, option)
    return errors.refuse(option, value, f"has nothing for the figure {query.figure} to show", remedy)


def agree(query: Query) -> Published:
    """Returns a published result, computed anew."""
    return reproduce(query.figure)


def museum_exhibit(query: Query) -> dict[str, Any]:
    """Returns an exhibit of the bug museum, computed, with its programs."""
    return museum.answer(query.figure)


COMPUTE: dict[str, Callable[[Query], Any]] = {
    "analysis": analysis,
    "certificate": certificate,
    "long": long.overview,
    "closeup": long.closeup,
    "credit": credit,
    "figure": figure,
    "agree": agree,
    "museum": museum_exhibit,
}


def encode(query: Query, result: Any, media: str, engine_ms: float) -> bytes:
    """Returns what `timed` found in one of the forms of MEDIA."""
    if isinstance(result, Analysis):
        if media == CSV:
            return encode_csv(result)
        parts = {field.name: getattr(result, field.name) for field in fields(result)}
        parts |= conventions.answered(query, result)
        if media == NPZ:
            return encoding.encode_npz(parts)
        drawn = {"figures": figures.draw_all(result)} if "figures" in query.include else {}
        result = {**parts, "engine_ms": engine_ms, **drawn}
    elif query.kind in ("certificate", "credit", *long.KINDS):
        result = {**result, "engine_ms": engine_ms}
    return encoding.encode_binary(result) if media == BINARY else encoding.encode_json(result)


def warm_up() -> None:
    """Does one small analysis of each form, so that the first visitor does not wait for imports: NumPy's own, too, some
    of which come with the first longer sequence.

    A fault in one of them goes to the log, and does not keep the others from being served."""
    query = Query("analysis", engine.Config(steps=40, hidden=4, batch=2), frozenset({"credit", "figures"}))
    for media in MEDIA["analysis"]:
        answer(Task(query, media))
