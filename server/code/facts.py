"""What a program says of a config: the names and numbers that its template fills in. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from engine import Config, InputError, Problem, as_query
from engine.truncation import title_of

ADDRESS = "http://127.0.0.1:8000"  # where `python -m server` listens; the page puts its own address there
SYMBOLS = ("text", "copy", "lagged_bits")  # tasks that read and predict symbols
VALUES = ("adding", "series")  # tasks that read and predict numbers
STYLES = ("full", "window", "sliding", "k1k2", "random")
CELLS = {"rnn": "plain RNN", "lstm": "LSTM", "gru": "GRU"}


@dataclass(frozen=True)
class Facts:
    """What a template needs to know, and nothing else."""

    title: str  # the plan in a few words
    network: str  # the network in a few words
    address: str  # where the program's weights and data come from
    cell: str  # "rnn", "lstm", "gru" or "gru_before", the reset gate before the product
    layers: int
    hidden: int
    steps: int
    batch: int
    symbols: bool  # inputs are symbols and the loss is cross-entropy; else values and squared error
    embedding: bool
    passes: str  # "whole": one backward pass; "windows": one for each window; "overlapping": see k1, k2
    cuts: bool  # some line of the program makes a cut
    reset: bool  # the state is the initial state again every k (windows) or `chunk` steps, or at drawn steps
    drawn: bool  # the edges are drawn at random
    weighted: bool  # the drawn edges are cut, or their gradient weighted by 1 / (1 - p)
    edge: str  # the program's condition for a step at whose start there is an edge
    p: float
    k: int
    k1: int  # losses in one of the overlapping backward passes
    k2: int  # steps that it goes back
    chunk: int  # steps between two resets


def facts_of(config: Config) -> Facts:
    """Returns the facts of a validated config; raises InputError for a style or task that has no program."""
    _check("style", config.style, STYLES)
    _check("task", config.task, SYMBOLS + VALUES)
    _check("cell", config.cell, tuple(CELLS))
    k1, k2 = (config.k1, config.k2) if config.style == "k1k2" else (1, config.k)
    return Facts(
        title=title_of(config),
        network=_network(config),
        address=address_of(config),
        cell="gru_before" if config.cell == "gru" and not config.reset_after else config.cell,
        layers=config.layers,
        hidden=config.hidden,
        steps=config.steps,
        batch=config.batch,
        symbols=config.task in SYMBOLS,
        embedding=config.embedding > 0,
        passes=_passes(config),
        cuts=config.value == "reset" or (config.gradient == "cut" and config.style != "full"),
        reset=config.value == "reset",
        drawn=config.style == "random",
        weighted=config.style == "random" and config.gradient == "cut",
        edge=_edge(config),
        p=config.p,
        k=config.k,
        k1=k1,
        k2=k2,
        chunk=config.k1 if config.style == "k1k2" else config.k,
    )


def address_of(config: Config) -> str:
    """Returns where the weights and data of a config are: only what is not the default stands in it."""
    plain = as_query(Config())
    given = {name: value for name, value in as_query(config).items() if plain.get(name) != value}
    asked = {**given, "include": "weights,inputs", "certificate": "false"}
    return f"{ADDRESS}/api/v1/analysis?{urlencode(asked, safe=',')}"


def _passes(config: Config) -> str:
    if config.style in ("full", "random") or config.gradient == "pass":
        return "whole"
    return "windows" if config.style == "window" else "overlapping"


def _edge(config: Config) -> str:
    if config.style == "random":
        return "t in starts"
    return "t % k1 == 0" if config.style == "k1k2" and config.gradient == "cut" else "t % k == 0"


def _network(config: Config) -> str:
    layers = f"{config.layers} layers of {config.hidden} units" if config.layers > 1 else f"{config.hidden} units"
    return f"{CELLS[config.cell]}, {layers}, {config.steps} steps, batch of {config.batch}"


def _check(field: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        limit = f"has no program; one is written for {', '.join(known)}"
        raise InputError(Problem(field, value, limit, f"Choose another {field} to see its code."))
