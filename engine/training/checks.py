"""What the options of a lab must be together, and what its data must be for them."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from engine.errors import Problem
from engine.tasks.text import default_text
from engine.tasks.wordlist import split_words
from engine.training.lab import Lab
from engine.training.options import DATA
from engine.training.strategies import Strategy


def check_together(lab: Lab) -> list[Problem]:
    """Returns what does not go together, each as a Problem with its remedy."""
    problems = [*_check_sequences(lab), *_check_names(lab)]
    for index, strategy in enumerate(lab.strategies):
        problems += [Problem(f"strategies[{index}].{field}", value, limit, remedy)
                     for field, value, limit, remedy in _check_strategy(lab, strategy)]
    least = lab.batch * max(longest_window(lab), 1)
    if not problems and lab.tokens < least:
        problems.append(Problem("tokens", f"{lab.tokens}", f"must be at least batch times the longest window, {least}: "
                                "one update", f"Train on at least {least} tokens, or use a smaller batch or window."))
    return problems


def longest_window(lab: Lab) -> int:
    """Returns the most steps that a strategy needs in one piece: its window, or the sequence."""
    return lab.steps or max(max(s.window, s.k1 if s.style == "k1k2" else 1) for s in lab.strategies)


def _check_sequences(lab: Lab) -> list[Problem]:
    problems = []
    if lab.steps == 1:
        problems.append(Problem("steps", "1", "must be 0 or at least 2", "A sequence of one step has no time in it."))
    if lab.steps == 0 and lab.task not in DATA:
        problems.append(Problem("steps", "0", f"the task {lab.task} has finite sequences and needs steps > 0",
                                "Give the length of a sequence, for example steps = 60."))
    if lab.task == "copy" and 0 < lab.steps <= lab.lag:
        problems.append(Problem("lag", f"{lab.lag}", f"must be less than steps = {lab.steps}",
                                f"Use a lag of at most {lab.steps - 1}, or more steps."))
    if lab.update == "sequence" and lab.steps == 0:
        problems.append(Problem("update", "sequence", "an endless stream (steps = 0) has no sequence that ends",
                                "Set steps > 0, for example 100, or update after every window."))
    return problems


def _check_strategy(lab: Lab, strategy: Strategy) -> list[tuple[str, str, str, str]]:
    problems = []
    if strategy.style == "full" and lab.steps == 0:
        problems.append(("style", "full", "full BPTT needs a finite sequence, and steps = 0 is an endless stream",
                         "Set steps > 0, for example 100, and the data are cut into sequences of so many steps; or use "
                         "a window as long as you can afford."))
    if strategy.style == "random" and strategy.p == 0 and lab.steps == 0:
        problems.append(("p", "0", "never cuts, and steps = 0 is an endless stream", "Set p > 0, or steps > 0."))
    if strategy.style == "k1k2" and strategy.k2 < strategy.k1:
        problems.append(("k2", f"{strategy.k2}", f"must be at least k1 = {strategy.k1}",
                         "Otherwise some losses would not even reach their own step; raise k2 or lower k1."))
    if strategy.order == "shuffled" and lab.update == "sequence":
        problems.append(("order", "shuffled", "shuffled windows belong to no sequence that could be updated after",
                         "Update after every window, or keep the stream's order."))
    return problems


def _check_names(lab: Lab) -> list[Problem]:
    twice = [name for name, times in Counter(s.name for s in lab.strategies).items() if times > 1]
    return [Problem("strategies", name, "stands in the list more than once", "Leave one of them out, or change it.")
            for name in twice]


def check_data(lab: Lab) -> list[Problem]:
    """Returns what is wrong with the lab's own text or series: one distinct symbol, or too few of them.

    A task that makes its own sequences has nothing to check."""
    if lab.task == "text":
        return _check_text(lab)
    return _check_series(lab) if lab.task == "series" and lab.series else []


def _check_text(lab: Lab) -> list[Problem]:
    unit = "words" if lab.vocabulary == "word" else "characters"
    length, distinct = text_sizes(lab.text, lab.vocabulary)
    if distinct < 2:
        return [Problem("text", f"{length:,} {unit}, {distinct} of them distinct",
                        f"needs two distinct {unit} at least", "With one there is nothing to predict; give a text.")]
    return _check_length(lab, "text", length, unit)


@lru_cache(maxsize=4)
def text_sizes(text: str, vocabulary: str) -> tuple[int, int]:
    """Returns how many tokens a text has (the built-in one, if it is empty), and how many distinct ones."""
    tokens = split_words(text or default_text()) if vocabulary == "word" else text or default_text()
    return len(tokens), len(set(tokens))


def _check_series(lab: Lab) -> list[Problem]:
    length = len(lab.series[0])
    if all(len(set(column)) < 2 for column in lab.series):
        return [Problem("series", f"{length:,} rows, all the same", "needs two distinct values at least",
                        "With one there is nothing to predict; give a series that changes.")]
    return _check_length(lab, "series", length, "rows")


def _check_length(lab: Lab, field: str, length: int, unit: str) -> list[Problem]:
    """The part that is trained on must hold a window for every batch row, the held-out part one window."""
    window = longest_window(lab)
    train, rest = split_lengths(length, lab.held_out)
    least, kept = lab.batch * window + 1, window + 1
    if train >= least and rest >= kept:
        return []
    needed = max(least / (1 - lab.held_out), kept / lab.held_out)
    what = "sequence" if lab.steps else "longest window"
    return [Problem(field, f"{length:,} {unit}, {train:,} to train on and {rest:,} held out",
                    f"must be at least {least:,} to train on (batch = {lab.batch} times the {what} of {window} steps, "
                    f"and 1) and {kept:,} held out",
                    f"Give at least {int(needed) + 1:,} {unit}, or use a smaller batch or a shorter "
                    f"{what.split()[-1]}.")]


def split_lengths(length: int, held_out: float) -> tuple[int, int]:
    """Returns how many of `length` tokens are trained on, and how many are held out at the end."""
    rest = int(length * held_out)
    return length - rest, rest
