"""The config: everything that determines an analysis, frozen, validated, canonical and hashable.

`OPTIONS` is the one table of what can be chosen. The page's controls, the command's flags, the
API's query and its documentation are all made from it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from engine.errors import InputError, Problem, shorten

Kind = Literal["int", "float", "bool", "choice", "text", "series"]


@dataclass(frozen=True)
class Config:
    """One analysis. Same config, same numbers, on any machine (to rounding)."""

    cell: str = "lstm"
    hidden: int = 32
    layers: int = 1
    reset_after: bool = True
    forget_bias: float = 1.0
    init: str = "uniform"
    gain: float = 1.0
    embedding: int = 0
    task: str = "text"
    steps: int = 60
    batch: int = 8
    lag: int = 40
    text: str = ""
    series: tuple[float, ...] = ()
    loss_at: str = "every"
    style: str = "window"
    k: int = 20
    k1: int = 10
    k2: int = 20
    p: float = 0.05
    value: str = "carry"
    gradient: str = "cut"
    seed: int = 0
    dtype: str = "float64"


@dataclass(frozen=True)
class Option:
    """One field of the config: its kind, bounds or choices, when it applies, and what it means."""

    name: str
    kind: Kind
    help: str
    low: float | None = None
    high: float | None = None
    choices: Mapping[str, str] | None = None
    when: tuple[str, tuple[str, ...]] | None = None  # (another option, the values at which this one applies)
    of: type[Any] = Config  # the dataclass whose field this is; it has the default

    @property
    def default(self) -> Any:
        return getattr(self.of(), self.name)

    def applies(self, config: object) -> bool:
        return self.when is None or getattr(config, self.when[0]) in self.when[1]


LONGEST_TEXT = 5_000_000
LONGEST_SERIES = 100_000

OPTIONS: tuple[Option, ...] = (
    Option("cell", "choice", "The recurrent cell: what one time step computes.", choices={
        "rnn": "plain RNN: h = tanh(W x + U h + b)",
        "lstm": "LSTM: a cell state c beside h, with input, forget and output gates",
        "gru": "GRU: reset and update gates, no separate cell state"}),
    Option("hidden", "int", "Width H of the hidden state of each layer.", 1, 1024),
    Option("layers", "int", "How many recurrent layers are stacked.", 1, 3),
    Option("reset_after", "bool", "GRU only: the reset gate multiplies after the product with W_hh (PyTorch's form) "
           "or before it (the paper's).", when=("cell", ("gru",))),
    Option("forget_bias", "float", "LSTM only: added to the forget gate's bias; a larger one forgets more slowly.",
           -20, 20, when=("cell", ("lstm",))),
    Option("init", "choice", "How the weights are drawn.", choices={
        "uniform": "uniform in +-1/sqrt(H), as PyTorch does",
        "orthogonal": "recurrent matrices orthogonal, the rest uniform in +-1/sqrt(H)"}),
    Option("gain", "float", "The recurrent matrix W_hh is multiplied by this: below 1 gradients tend to vanish, "
           "above 1 to explode.", 0, 100),
    Option("embedding", "int", "Width of a learned embedding of each symbol; 0 feeds symbols one-hot.", 0, 512,
           when=("task", ("copy", "text"))),
    Option("task", "choice", "What the network reads and predicts.", choices={
        "text": "predict the next character of a text",
        "copy": "recall the symbol that was read `lag` steps ago",
        "adding": "sum the two marked numbers of a sequence",
        "lagged_bits": "predict a bit that depends on the inputs 3 and 8 steps ago",
        "series": "predict the next value of a series of numbers"}),
    Option("steps", "int", "T, the number of time steps that are unrolled.", 2, 100_000),
    Option("batch", "int", "B, the number of sequences side by side; norms are averaged over them.", 1, 256),
    Option("lag", "int", "Copy task: how many steps back the symbol to recall stands.", 1, 99_999,
           when=("task", ("copy",))),
    Option("text", "text", "Your own text; empty takes the English of Python's own help topics.", 0, LONGEST_TEXT,
           when=("task", ("text",))),
    Option("series", "series", "Your own numbers, separated by commas; empty takes a noisy sine.", 0, LONGEST_SERIES,
           when=("task", ("series",))),
    Option("loss_at", "choice", "The time steps at which the loss is read.", choices={
        "every": "at every step that the task has a target for",
        "last": "at the last step only"}),
    Option("style", "choice", "How the backward pass is truncated.", choices={
        "full": "full BPTT: nothing is cut",
        "window": "windows of k steps: TensorFlow's num_steps, PyTorch's detach() between chunks",
        "sliding": "every loss goes back exactly k steps",
        "k1k2": "every k1 steps, go back k2 steps",
        "random": "ARTBP: cut each edge with probability p, and weight the others by 1/(1 - p)"}),
    Option("k", "int", "The length of a window, in steps (num_steps). k >= T is full BPTT.", 1, 1_000_000,
           when=("style", ("window", "sliding"))),
    Option("k1", "int", "Steps between two backward passes.", 1, 1_000_000, when=("style", ("k1k2",))),
    Option("k2", "int", "Steps that each backward pass goes back; at least k1.", 1, 1_000_000,
           when=("style", ("k1k2",))),
    Option("p", "float", "The probability of cutting each edge; the mean over draws is the full gradient.", 0, 0.95,
           when=("style", ("random",))),
    Option("value", "choice", "What a window starts from.", choices={
        "carry": "the last window's final state is fed back as the next initial state",
        "reset": "every window starts from the initial state again: only the outputs were used"},
        when=("style", ("window", "sliding", "k1k2", "random"))),
    Option("gradient", "choice", "Whether the backward pass crosses a window's edge.", choices={
        "cut": "it stops there: detach(), stop_gradient, or a state fed back as a number",
        "pass": "it goes on: the edges are drawn, but nothing is cut"},
        when=("style", ("window", "sliding", "k1k2", "random"))),
    Option("seed", "int", "Seeds the weights and the data.", 0, 2**32 - 1),
    Option("dtype", "choice", "Precision of the analysis.", choices={"float64": "double precision"}),
)
OPTION = {option.name: option for option in OPTIONS}
assert [option.name for option in OPTIONS] == [field.name for field in fields(Config)]


def canonical(config: Config) -> Config:
    """Returns the config with every option that does not apply set back to its default.

    Two configs with the same canonical form give the same numbers."""
    default = Config()
    idle = {o.name: getattr(default, o.name) for o in OPTIONS if not o.applies(config)}
    return replace(config, **idle)


def as_query(config: Config) -> dict[str, str]:
    """Returns the canonical query: every option that applies, in the table's order, as strings.

    An empty text or series is the default one and is left out."""
    query = {o.name: format_value(getattr(config, o.name)) for o in OPTIONS if o.applies(config)}
    return {name: value for name, value in query.items() if value != ""}


def format_value(value: Any) -> str:
    """Returns a config value as it stands in a query: shortest form that reads back the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(repr(v) for v in value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def parse(given: Mapping[str, object], base: Config | None = None) -> Config:
    """Returns the validated, canonical config of a mapping of names to values or strings.

    Raises InputError with one Problem for every unknown name and every wrong value."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, raw in given.items():
        if name not in OPTION:
            problems.append(unknown("config", name, list(OPTION)))
            continue
        try:
            values[name] = read(OPTION[name], raw)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return validate(replace(base or Config(), **values))


def validate(config: Config) -> Config:
    """Returns the canonical config, or raises InputError naming every value out of its limits."""
    problems: list[Problem] = []
    for option in OPTIONS:
        try:
            check(option, getattr(config, option.name))
        except InputError as error:
            problems.extend(error.problems)
    problems.extend(_check_together(config) if not problems else [])
    if problems:
        raise InputError(problems)
    return canonical(config)


def _check_together(config: Config) -> list[Problem]:
    problems = []
    if config.task == "copy" and config.lag >= config.steps:
        problems.append(Problem("lag", str(config.lag), f"must be less than steps = {config.steps}",
                                f"Use a lag of at most {config.steps - 1}, or more steps."))
    if config.style == "k1k2" and config.k2 < config.k1:
        problems.append(Problem("k2", str(config.k2), f"must be at least k1 = {config.k1}",
                                "Otherwise some losses would not even reach their own step; raise k2 or lower k1."))
    return problems


def unknown(subject: str, name: str, known: list[str]) -> Problem:
    """Returns the problem of a name that is not known, with the one that was probably meant."""
    near = difflib.get_close_matches(str(name)[:64], known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(known)}."
    return Problem(subject if subject != "config" else shorten(name).strip("'"), shorten(name),
                   "unknown name" if subject == "config" else f"not a {subject}", hint)


def read(option: Option, raw: object) -> Any:
    """Returns the raw value (a string, or a JSON value) as the option's type."""
    if option.kind in ("choice", "text"):
        if not isinstance(raw, str):
            raise _wrong(option, raw, "must be a string")
        return raw
    if option.kind == "bool":
        if isinstance(raw, bool):
            return raw
        if raw in ("true", "false"):
            return raw == "true"
        raise _wrong(option, raw, "must be true or false")
    if option.kind == "series":
        return _read_series(option, raw)
    return _read_number(option, raw)


def _read_number(option: Option, raw: object) -> Any:
    """Returns a finite number; digits only in ASCII, no underscores, no booleans."""
    try:
        if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
            raise ValueError
        if isinstance(raw, str) and (len(raw) > 40 or not raw.isascii() or "_" in raw):
            raise ValueError
        number = float(raw)
    except (ValueError, OverflowError):
        raise _wrong(option, raw, "must be a number") from None
    if not math.isfinite(number):
        raise _wrong(option, raw, "must be a finite number")
    if option.kind == "int":
        if not number.is_integer():
            raise _wrong(option, raw, "must be a whole number")
        return int(number)
    return number


def _read_series(option: Option, raw: object) -> tuple[float, ...]:
    if isinstance(raw, str):
        text = raw.strip()
        parts: list[object] = [part.strip() for part in text.replace("\n", ",").split(",")] if text else []
    elif isinstance(raw, (list, tuple)):
        parts = list(raw)
    else:
        raise _wrong(option, raw, "must be numbers separated by commas")
    if len(parts) > LONGEST_SERIES:
        raise _wrong(option, f"{len(parts)} numbers", f"must have at most {LONGEST_SERIES} numbers")
    number = Option("series", "float", option.help)
    return tuple(_read_number(number, part) for part in parts)


def check(option: Option, value: Any) -> None:
    """Raises InputError unless the value is one of the choices, or within the limits, of the option."""
    if option.kind == "choice":
        choices = option.choices or {}
        if value not in choices:
            problem = unknown(option.name, value, list(choices))
            raise InputError(Problem(option.name, problem.value, f"not a known {option.name}", problem.remedy))
    elif option.kind in ("int", "float"):
        low, high = option.low or 0, option.high or 0
        if not math.isfinite(value) or not low <= value <= high:
            raise _wrong(option, value, f"must be from {low:.12g} to {high:.12g}")
    elif option.kind == "text":
        if len(value) > LONGEST_TEXT:
            raise _wrong(option, f"{len(value)} characters", f"must have at most {LONGEST_TEXT} characters")
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            raise _wrong(option, value, "must be readable text, without NUL or lone surrogates")
    elif option.kind == "series" and not all(math.isfinite(v) for v in value):
        raise _wrong(option, "a value", "must be finite numbers")


def _wrong(option: Option, value: object, limit: str) -> InputError:
    bounds = ""
    if option.kind in ("int", "float") and option.low is not None:
        bounds = f" Give a number from {option.low:.12g} to {option.high:.12g};"
    default = f"the default is {shorten(option.default)}." if option.default not in ("", ()) else ""
    return InputError(Problem(option.name, shorten(value), limit, f"{option.help}{bounds} {default}".strip()))
