"""The data of a lab, encoded once and shared by all its lanes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.cells import CELLS
from engine.network import Network
from engine.tasks.base import digest
from engine.tasks.memory import SYMBOLS
from engine.tasks.series import noisy_sine
from engine.tasks.text import default_text
from engine.tasks.wordlist import UNKNOWN, join_words, most_frequent, split_words
from engine.training.checks import split_lengths
from engine.training.lab import Lab

SINE = 20_000  # values of the built-in series


@dataclass(frozen=True)
class Corpus:
    """A stream in two parts, trained on and held out; both empty for a task that makes its own sequences."""

    train: Array  # (L,) symbols, or (L, D) values
    held: Array
    vocabulary: tuple[str, ...]  # of the inputs; empty for values
    classes: tuple[str, ...]  # of the targets; empty for values
    words: bool  # the symbols are words
    inputs: int  # width of an input: symbols, or values
    outputs: int
    source: str
    sha256: str = ""

    def text(self, symbols: Array) -> str:
        """Returns symbols as running text."""
        pieces = [self.vocabulary[s] for s in symbols]
        return join_words(pieces) if self.words else "".join(pieces)


def corpus_of(lab: Lab) -> Corpus:
    """Returns the data of a validated lab."""
    if lab.task == "text":
        return _words(lab) if lab.vocabulary == "word" else _characters(lab)
    if lab.task == "series":
        return _series(lab)
    none = np.zeros(0, np.int64)
    symbols = {"copy": SYMBOLS, "lagged_bits": ("0", "1")}.get(lab.task, ())
    widths = (len(symbols), len(symbols)) if symbols else (2, 1)
    return Corpus(none, none, symbols, symbols, False, *widths, f"sequences of {lab.steps} steps, made from the seed")


def network_of(lab: Lab, corpus: Corpus) -> Network:
    """Returns the architecture that a lab and its data ask for."""
    return Network(
        cell=CELLS[lab.cell, lab.reset_after], layers=lab.layers, inputs=corpus.inputs, hidden=lab.hidden,
        outputs=corpus.outputs, embedding=lab.embedding if corpus.vocabulary else 0, classify=bool(corpus.classes))


def _characters(lab: Lab) -> Corpus:
    text = lab.text or default_text()
    points = np.frombuffer(text.encode("utf-32-le"), "<u4")
    found, codes = np.unique(points, return_inverse=True)
    return _symbols(lab, text, codes, tuple(map(chr, found.tolist())), "characters")


def _words(lab: Lab) -> Corpus:
    """Which words are kept is decided by the part that is trained on alone."""
    text = lab.text or default_text()
    words = split_words(text)
    vocabulary = most_frequent(words[: split_lengths(len(words), lab.held_out)[0]], lab.words)
    number = {word: i for i, word in enumerate(vocabulary)}
    unknown = number[UNKNOWN]
    codes = np.array([number.get(word, unknown) for word in words])
    return _symbols(lab, text, codes, vocabulary, "words")


def _symbols(lab: Lab, text: str, codes: Array, vocabulary: tuple[str, ...], unit: str) -> Corpus:
    length = split_lengths(len(codes), lab.held_out)[0]
    codes, V = codes.astype(np.int64), len(vocabulary)
    source = f"{'your text' if lab.text else 'English from Python help topics'}, {len(codes):,} {unit}, {V:,} distinct"
    return Corpus(codes[:length], codes[length:], vocabulary, vocabulary, unit == "words", V, V, source, digest(text))


def _series(lab: Lab) -> Corpus:
    """Each column is standardised by the mean and spread of the part that is trained on."""
    values = np.array(lab.series).T if lab.series else noisy_sine(np.random.default_rng(0), SINE)[:, None]
    length = split_lengths(len(values), lab.held_out)[0]
    mean, spread = values[:length].mean(axis=0), values[:length].std(axis=0)
    standard = (values - mean) / np.where(spread > 0, spread, 1.0)
    D, name = values.shape[1], "your series" if lab.series else "a sine of period 25 with noise"
    source = f"{name}, {len(values):,} steps of {D} {'value' if D == 1 else 'values'}, standardised"
    return Corpus(standard[:length], standard[length:], (), (), False, D, D, source,
                  digest(repr(lab.series)) if lab.series else "")
