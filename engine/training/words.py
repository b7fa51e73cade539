"""A verdict in sentences. Each is made from the numbers it stands beside."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.phrases import count
from engine.training.findings import Comparison, Outcome, Verdict
from engine.training.interval import RESAMPLES, WIDENING
from engine.training.lab import Lab
from engine.training.strategies import Strategy

MOST_DIGITS = 8
UNITS = {"copy": "nats per symbol", "lagged_bits": "nats per bit", "adding": "in half the squared error",
         "series": "in half the squared error"}


def unit_of(lab: Lab) -> str:
    """Returns the unit of a lab's losses, as it stands after a number."""
    if lab.task == "text":
        return "nats per word" if lab.vocabulary == "word" else "nats per character"
    return UNITS[lab.task]


def _place(lab: Lab) -> str:
    places = {"text": "this text", "series": "this series", "copy": f"the copy task with a lag of {lab.lag}",
              "adding": "the adding task", "lagged_bits": "the lagged bits"}
    return f"On {places[lab.task]}"


def comparison_text(lab: Lab, found: Comparison, outcomes: Sequence[Outcome]) -> str:
    """Returns what a comparison found, or why nothing."""
    if found.finding == "none":
        return _no_pair(found, outcomes)
    doing, changed = _subject(lab.strategies[found.first], lab.strategies[found.second], found.kind)
    start = f"{_place(lab)}, {doing}{changed}"
    digits = _digits(found)
    amount = f"{_number(abs(found.mean), digits)} {unit_of(lab)}"
    if found.finding == "single":
        verb = "lowered" if found.mean > 0 else "raised"
        return f"{start} {verb} the loss by {amount} with the one seed there is; another seed may say otherwise."
    if found.finding == "undecided":
        return (f"{start} makes no difference that can be told from {count(len(found.seeds), 'seed')}: the change of "
                f"the loss is {_number(-found.mean, digits, '+')} {unit_of(lab)} "
                f"(95 %: {_number(-found.high, digits, '+')} to {_number(-found.low, digits, '+')}).")
    verb = "lowers" if found.finding == "better" else "raises"
    low, high = sorted((abs(found.low), abs(found.high)))
    return f"{start} {verb} the loss by {amount} (95 %: {_number(low, digits)} to {_number(high, digits)})."


def _subject(first: Strategy, second: Strategy, kind: str) -> tuple[str, str]:
    """Returns under which conditions, and what is changed: the sentence's circumstance and its subject."""
    where = f"with {_plain(second)}"
    if kind == "value":
        return _joined(where, _rest(second, value=False)), "carrying the state"
    if kind == "order":
        return _joined(where, _rest(first)), "shuffling the windows"
    if kind == "frozen":
        return _joined(where, _rest(second)), "learning W_hh instead of keeping it as it was drawn"
    if kind == "window":
        return _windows(first, second)
    return "", f"{second.name}, instead of {first.name},"


def _windows(first: Strategy, second: Strategy) -> tuple[str, str]:
    if second.style == "full":
        return "", f"full BPTT instead of {first.name}"
    return f"with {_rest(first)}, ", f"{_plain(second)} instead of {first.k}"


def _joined(where: str, rest: str) -> str:
    return f"{where} and {rest}, " if rest else f"{where}, "


def _rest(strategy: Strategy, value: bool = True) -> str:
    """Returns what else holds of both strategies of a pair."""
    parts = []
    if value and strategy.style != "full":
        parts.append("the state carried" if strategy.value == "carry" else "the state reset")
    parts += ["the windows shuffled"] * (strategy.order == "shuffled") + ["W_hh frozen"] * strategy.frozen
    return " and ".join(parts)


def _plain(strategy: Strategy) -> str:
    return f"num_steps {strategy.k}" if strategy.style == "window" else strategy.title


def _digits(found: Comparison) -> int:
    """Returns the decimals, two at least, that show the interval's width in one digit, tell its ends from the mean, and
    tell each end from 0, on whose side it stands; of a mean alone, those that show it in two."""
    if not found.low < found.high:
        return _first_digit(found.mean / 10)
    fewest = max(map(_first_digit, (found.high - found.low, found.low, found.high)))
    ends = (found.low, found.mean, found.high)
    return next((n for n in range(fewest, MOST_DIGITS) if len({f"{x:.{n}f}" for x in ends}) == 3), MOST_DIGITS)


def _first_digit(x: float) -> int:
    """Returns the decimals at which a number has its first digit that is not 0; two at least."""
    return min(max(2, -math.floor(math.log10(abs(x)))), MOST_DIGITS) if x else 2


def _number(x: float, digits: int, sign: str = "") -> str:
    """Returns a number with so many decimals; one that would be written as 0 and is not, in powers of ten."""
    text = f"{x:{sign}.{digits}f}"
    if float(text) != 0:
        return text
    return f"{x:{sign}.0e}" if x else text.lstrip("+-")


def _no_pair(found: Comparison, outcomes: Sequence[Outcome]) -> str:
    first, second = outcomes[found.first], outcomes[found.second]
    names = f"{first.name} and {second.name} cannot be compared"
    blown = [outcome for outcome in (first, second) if outcome.diverged]
    if blown:
        return f"{names}: {' and '.join(f'{o.name} diverged for {_seeds(o.diverged)}' for o in blown)}."
    return f"{names} yet: there is no seed for which both have been evaluated after training."


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"


def headline(lab: Lab, found: Verdict) -> str:
    """Returns the first comparison that found something, or what there is instead."""
    texts = [c.text for c in found.comparisons if c.finding != "none"] or [c.text for c in found.comparisons]
    if texts:
        return texts[0]
    only = found.outcomes[0]
    if not only.seeds:
        return (f"{only.name} diverged for {_seeds(only.diverged)}." if only.diverged
                else "Nothing has been measured yet.")
    return f"{_place(lab)}, {only.name} comes to a loss of {only.loss:.3f} {unit_of(lab)}; there is nothing beside it."


def notes(lab: Lab, found: Verdict, rates: Sequence[tuple[int, float]], tokens: int | None) -> tuple[str, ...]:
    """Returns what must be known to read the verdict rightly. `tokens`: where it was read, None for the end."""
    out = []
    if tokens is not None:
        out.append(f"No lane has reached the end. The verdict is read after {tokens:,} of {lab.tokens:,} tokens."
                   if tokens else "There has been no evaluation after training yet.")
    out += [f"{o.name} diverged for {_seeds(o.diverged)}: the loss became too large to be a number. "
            "Those seeds do not count; a smaller learning rate or clipping may help."
            for o in found.outcomes if o.diverged]
    if tokens is None:
        out += [f"{o.name} has not reached the end for {_seeds(o.unfinished)}; those seeds do not count."
                for o in found.outcomes if o.unfinished]
    if rates:
        changes = ", ".join(f"{rate:g} from {at:,} tokens on" for at, rate in rates)
        out.append(f"The learning rate was changed while the run went on, in every lane alike: {changes}.")
    out += _about_seeds(found)
    out.append("Each strategy is evaluated on the held-out part as it was trained: with the state carried, or reset.")
    if lab.update == "window" and any(c.kind == "window" for c in found.comparisons):
        out.append("All strategies are trained on equally many tokens, so a shorter window makes more updates; part of "
                   "the difference between windows may come from that. One update per sequence takes it away.")
    return tuple(out)


def _about_seeds(found: Verdict) -> list[str]:
    """Returns how the intervals were made, and what so many seeds can say."""
    most = max((len(c.seeds) for c in found.comparisons), default=0)
    if most == 0:
        return []
    if most == 1:
        return ["There is one seed to compare: no interval can be given, and chance cannot be told from a difference."]
    out = [f"Intervals: bootstrap over {most} seeds' paired differences, {RESAMPLES:,} resamples, percentiles, made "
           f"{WIDENING[most]:g} times as long so that they are right for so few normally distributed differences."]
    if most == 2:
        out.append("Two seeds can tell a difference only where it is many times larger than the seeds' own spread.")
    told = sum(c.finding in ("better", "worse", "undecided") for c in found.comparisons)
    if told >= 5:
        out.append(f"There are {told} intervals; of 20 such intervals one misses by chance.")
    return out
