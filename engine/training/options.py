"""What can be chosen of a lab and of a strategy, in two tables: limits, defaults and help.

The page's controls, the command's documentation and the parser are made from them. A field that the
config of an analysis has too keeps the kind, the limits and the words that it has there.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from engine.config import LONGEST_SERIES, OPTION, Option
from engine.training.lab import Lab
from engine.training.strategies import Strategy

MOST_STRATEGIES = 8
DATA = ("text", "series")  # the tasks with data of the caller's; the others make sequences of `steps` steps


def _same(name: str, of: type[Any] = Lab, **other: Any) -> Option:
    """Returns the config's option of this name as an option of a lab or of a strategy."""
    return replace(OPTION[name], of=of, **other)


STRATEGY_OPTIONS: tuple[Option, ...] = (
    *(_same(name, Strategy) for name in ("style", "k", "k1", "k2", "p", "value")),
    Option("order", "choice", "The order in which the windows are trained on.", choices={
        "stream": "as they stand in the data: a carried state is the one that led to the window",
        "shuffled": "shuffled: with the state carried the classic mistake, for it comes from somewhere else"},
        when=("style", ("window",)), of=Strategy),
    Option("frozen", "bool", "Keeps W_hh as it was drawn: the control that shows what learning to remember adds.",
           of=Strategy),
)

LAB_OPTIONS: tuple[Option, ...] = (
    *(_same(name) for name in ("cell", "hidden", "layers", "reset_after", "forget_bias", "init", "gain", "embedding",
                               "task", "lag", "text")),
    _same("series", help="Your own numbers: a row for each time step, of one column or several; or one line of "
          "numbers. Empty takes a noisy sine."),
    Option("vocabulary", "choice", "What one token of a text is.", choices={
        "char": "a character",
        "word": "a word, a mark or a line end; all but the most frequent words become one, the unknown word"},
        when=("task", ("text",)), of=Lab),
    Option("words", "int", "How many words the vocabulary has, the unknown one among them.", 10, 20_000,
           when=("vocabulary", ("word",)), of=Lab),
    Option("steps", "int", "T of one sequence: the state is reset at its start, and full BPTT goes through all of it. "
           "0, for a text or a series: one endless stream in each batch row.", 0, 10_000, of=Lab),
    Option("batch", "int", "B, how many streams or sequences are trained on side by side.", 1, 256, of=Lab),
    Option("held_out", "float", "The share of the data, at its end, that is kept for evaluation.", 0.01, 0.5,
           when=("task", DATA), of=Lab),
    Option("tokens", "int", "How many tokens (steps times batch rows) each lane is trained on.", 100, 50_000_000,
           of=Lab),
    Option("optimiser", "choice", "How a gradient becomes an update.", choices={
        "adam": "Adam (Kingma & Ba 2015)",
        "sgd": "gradient descent, with a rate that may fall",
        "adagrad": "Adagrad (Duchi et al. 2011)"}, of=Lab),
    Option("rate", "float", "The learning rate; it may be changed while the run goes on.", 1e-8, 1_000, of=Lab),
    Option("decay", "float", "Gradient descent only: after n passes over the data the rate is rate / (1 + decay n).",
           0, 1_000, when=("optimiser", ("sgd",)), of=Lab),
    Option("clip", "float", "The limit that clipping holds the gradient to.", 1e-6, 1e6,
           when=("clip_by", ("norm", "element")), of=Lab),
    Option("clip_by", "choice", "What is clipped.", choices={
        "norm": "the norm of all gradients together",
        "element": "each number by itself",
        "off": "nothing"}, of=Lab),
    Option("loss", "choice", "How the losses at a window's steps make one number. Over the batch it is the mean.",
           choices={"mean": "their mean", "sum": "their sum, so that a longer window takes larger steps"}, of=Lab),
    Option("update", "choice", "When the weights change.", choices={
        "window": "after every window, as the tutorials do",
        "sequence": "after every sequence: the gradients of its windows are summed"}, of=Lab),
    Option("seeds", "int", "How many seeds; the verdict's interval is over them.", 1, 10, of=Lab),
    _same("seed", help="The first seed of the weights and the data; the others follow it."),
    Option("evaluations", "int", "How many times each lane is evaluated on the held-out part.", 1, 200, of=Lab),
    _same("dtype", help="Precision of the training.", choices={
        "float32": "single precision", "float64": "double precision"}),
)
LAB_OPTION = {option.name: option for option in LAB_OPTIONS}
STRATEGY_OPTION = {option.name: option for option in STRATEGY_OPTIONS}
MOST_NUMBERS = 5 * LONGEST_SERIES  # of all columns of a series together
assert [o.name for o in LAB_OPTIONS] == [f.name for f in fields(Lab) if f.name != "strategies"]
assert [o.name for o in STRATEGY_OPTIONS] == [f.name for f in fields(Strategy)]


def canonical_lab(lab: Lab) -> Lab:
    """Returns the lab with every option that does not apply set back to its default. Two labs with the same
    canonical form give the same numbers."""
    for option in LAB_OPTIONS:  # in their order: whether `words` applies hangs on whether `vocabulary` does
        if not option.applies(lab):
            lab = replace(lab, **{option.name: option.default})
    return replace(lab, strategies=tuple(map(canonical_strategy, lab.strategies)))


def canonical_strategy(strategy: Strategy) -> Strategy:
    """Returns the strategy with every option that does not apply set back to its default."""
    return replace(strategy, **{o.name: o.default for o in STRATEGY_OPTIONS if not o.applies(strategy)})
