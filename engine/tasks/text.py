"""Next-character prediction on a text."""

from __future__ import annotations

from functools import cache, lru_cache
from pydoc_data import topics

import numpy as np

from engine.config import Config
from engine.errors import refuse
from engine.tasks.base import Batch, digest, row_starts

TOPICS = ("for", "while", "try", "with", "function", "class", "import", "lambda", "assignment", "comparisons")


@cache
def default_text() -> str:
    """Returns English that every Python carries: the prose of some of its own help topics, as running text."""
    paragraphs = (" ".join(p.split()) for name in TOPICS for p in topics.topics[name].split("\n\n"))
    return " ".join(p for p in paragraphs if p[:1].isupper() and p[-1] in ".:" and "::=" not in p and p.count(" ") > 8)


@lru_cache(maxsize=4)
def symbols_of(stream: str) -> tuple[str, ...]:
    """Returns the symbols of a text in their order: looked for once, while somebody moves a slider."""
    return tuple(sorted(set(stream)))


def text(rng: np.random.Generator, config: Config, vocabulary: tuple[str, ...] = ()) -> Batch:
    """Predict the next character. Row b of the batch is a contiguous piece of the text.

    Raises InputError for a text that is too short, or has a character that is not in a given vocabulary."""
    stream, T, B = config.text or default_text(), config.steps, config.batch
    if len(stream) < T + 1:
        raise refuse("text", f"{len(stream)} characters", f"needs at least steps + 1 = {T + 1}",
                     f"Give a longer text, or set steps to at most {max(len(stream) - 1, 0)}.")
    there = symbols_of(stream)
    symbols = vocabulary or there
    strange = sorted(set(there) - set(symbols))
    if strange:
        raise refuse("text", f"character {strange[0]!r}", f"is not among the vocabulary's {len(symbols)} symbols",
                     "Remove it, or give weights and a vocabulary that know it.")
    index = {symbol: i for i, symbol in enumerate(symbols)}
    starts = row_starts(len(stream), T, B)
    pieces = np.array([[index[c] for c in stream[start : start + T + 1]] for start in starts]).T
    source = "your text" if config.text else "English from Python's own help topics"
    return Batch(pieces[:-1], pieces[1:], np.ones(T, bool), symbols, symbols,
                 f"{source}, {len(stream):,} characters, {len(symbols)} of them distinct", digest(stream))
