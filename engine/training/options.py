"""What can be chosen of a lab, in one table: its limits, defaults and help; and the lab that is parsed from it.

A field that the config of an analysis has too keeps the kind, the limits and the words that it has there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from engine.config import OPTION, Option, check, read, unknown
from engine.errors import InputError, Problem, refuse, shorten
from engine.training.lab import Lab
from engine.training.strategies import Strategy

MOST_STRATEGIES = 8
FINITE = ("copy", "adding", "lagged_bits")


def _same(name: str, of: type[Any] = Lab, **other: Any) -> Option:
    """Returns the config's option of this name as an option of a lab or a strategy."""
    return replace(OPTION[name], of=of, **other)


STRATEGY_OPTIONS: tuple[Option, ...] = (
    *(_same(name, Strategy) for name in ("style", "k", "k1", "k2", "p", "value")),
    Option("order", "choice", "The order in which the windows are trained on.", choices={
        "stream": "as they stand in the data, so that a carried state is the state that led to the window",
        "shuffled": "shuffled: with the state carried, the classic mistake, for it comes from somewhere else"},
        of=Strategy),
    Option("frozen", "bool", "Keeps the recurrent matrices as they were drawn: the control that shows what learning "
           "through time adds.", of=Strategy),
)

LAB_OPTIONS: tuple[Option, ...] = (
    *(_same(name) for name in ("cell", "hidden", "layers", "reset_after", "forget_bias", "init", "gain", "embedding",
                               "task", "lag", "text", "series")),
    Option("vocabulary", "choice", "What one token of a text is.", choices={
        "char": "a character", "word": "a word or a mark; all but the most frequent become <unk>"},
        when=("task", ("text",)), of=Lab),
    Option("words", "int", "How many words the vocabulary keeps; the rest become <unk>.", 10, 20_000,
           when=("vocabulary", ("word",)), of=Lab),
    Option("steps", "int", "T of one sequence: the state is reset at each one's start, and full BPTT goes through all "
           "of it. 0, for a text or a series: one endless stream in each batch row.", 0, 2_000, of=Lab),
    Option("batch", "int", "B, how many streams or sequences are trained on side by side.", 1, 256, of=Lab),
    Option("held_out", "float", "The share of the data, from its end, that is kept for evaluation.", 0.01, 0.5, of=Lab),
    Option("tokens", "int", "How many tokens each strategy is trained on, for each seed.", 100, 20_000_000, of=Lab),
    Option("optimiser", "choice", "How the gradient becomes an update.", choices={
        "adam": "Adam (Kingma & Ba 2015)", "sgd": "gradient descent, with a rate that may fall",
        "adagrad": "Adagrad (Duchi et al. 2011)"}, of=Lab),
    Option("rate", "float", "The learning rate.", 0, 1_000, of=Lab),
    Option("decay", "float", "Gradient descent only: after n passes over the data the rate is rate / (1 + decay * n).",
           0, 1_000, when=("optimiser", ("sgd",)), of=Lab),
    Option("clip", "float", "The limit that clipping holds the gradient to.", 1e-6, 1e6,
           when=("clip_by", ("norm", "element")), of=Lab),
    Option("clip_by", "choice", "What is clipped.", choices={
        "norm": "the norm of all gradients together", "element": "each number by itself", "off": "nothing"}, of=Lab),
    Option("loss", "choice", "How the losses of a window's steps make one number; over the batch it is the mean.",
           choices={"mean": "their mean", "sum": "their sum: a longer window then takes larger steps"}, of=Lab),
    Option("update", "choice", "When the weights change.", choices={
        "window": "after every window, as the tutorials do",
        "sequence": "after every sequence: the gradients of its windows are summed"}, of=Lab),
    Option("seeds", "int", "How many seeds; the verdict's interval is over them.", 1, 10, of=Lab),
    replace(_same("seed"), help="The first seed; the others follow it."),
    Option("evaluations", "int", "How many times each lane is evaluated on the held-out part.", 1, 200, of=Lab),
    replace(_same("dtype"), help="Precision of the training.", choices={
        "float32": "single precision", "float64": "double precision"}),
)
LAB_OPTION = {option.name: option for option in LAB_OPTIONS}
STRATEGY_OPTION = {option.name: option for option in STRATEGY_OPTIONS}
assert [o.name for o in LAB_OPTIONS] == [f.name for f in fields(Lab) if f.name != "strategies"]
assert [o.name for o in STRATEGY_OPTIONS] == [f.name for f in fields(Strategy)]


def parse_lab(given: Mapping[str, object], base: Lab | None = None) -> Lab:
    """Returns the validated, canonical lab of a mapping of names to JSON values or strings.

    Raises InputError with one Problem for every unknown name and every wrong value."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, raw in given.items():
        try:
            values[name] = _read_field(name, raw)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return validate_lab(replace(base or Lab(), **values))


def _read_field(name: str, raw: object) -> Any:
    if name == "strategies":
        return _read_strategies(raw)
    if name not in LAB_OPTION:
        raise InputError(unknown("config", name, [*LAB_OPTION, "strategies"]))
    if name == "series" and isinstance(raw, (list, tuple)) and raw and isinstance(raw[0], (list, tuple)):
        return tuple(read(LAB_OPTION[name], column) for column in raw)
    value = read(LAB_OPTION[name], raw)
    return ((value,) if value else ()) if name == "series" else value


def _read_strategies(raw: object) -> tuple[Strategy, ...]:
    if not isinstance(raw, (list, tuple)) or not 1 <= len(raw) <= MOST_STRATEGIES:
        shown = f"{len(raw)} strategies" if isinstance(raw, (list, tuple)) else shorten(raw)
        raise refuse("strategies", shown, f"must be a list of 1 to {MOST_STRATEGIES}", "Give a list of strategies.")
    return tuple(_read_strategy(index, each) for index, each in enumerate(raw))


def _read_strategy(index: int, raw: object) -> Strategy:
    if not isinstance(raw, Mapping):
        raise refuse(f"strategies[{index}]", raw, "must be an object", 'Give for example {"style": "window", "k": 20}.')
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, value in raw.items():
        try:
            if name not in STRATEGY_OPTION:
                raise InputError(unknown("config", name, list(STRATEGY_OPTION)))
            values[name] = read(STRATEGY_OPTION[name], value)
            check(STRATEGY_OPTION[name], values[name])
        except InputError as error:
            problems += [replace(p, field=f"strategies[{index}].{p.field}") for p in error.problems]
    if problems:
        raise InputError(problems)
    return Strategy(**values)


def validate_lab(lab: Lab) -> Lab:
    """Returns the canonical lab, or raises InputError naming every value out of its limits."""
    problems: list[Problem] = []
    for option in LAB_OPTIONS:
        try:
            if option.name == "series":
                for column in lab.series:
                    check(option, column)
            else:
                check(option, getattr(lab, option.name))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return canonical_lab(lab)


def canonical_lab(lab: Lab) -> Lab:
    """Returns the lab with every option that does not apply set back to its default."""
    idle = {o.name: o.default for o in LAB_OPTIONS if not o.applies(lab)}
    return replace(lab, **idle, strategies=tuple(canonical_strategy(s) for s in lab.strategies))


def canonical_strategy(strategy: Strategy) -> Strategy:
    """Returns the strategy with every option that does not apply set back to its default."""
    return replace(strategy, **{o.name: o.default for o in STRATEGY_OPTIONS if not o.applies(strategy)})


def lab_as_dict(lab: Lab) -> dict[str, Any]:
    """Returns the lab as JSON takes it; `parse_lab` of it is the lab again."""
    out = {f.name: getattr(lab, f.name) for f in fields(Lab)}
    out["series"] = [list(column) for column in lab.series]
    out["strategies"] = [{f.name: getattr(s, f.name) for f in fields(Strategy)} for s in lab.strategies]
    return out
