"""What the reach test says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.phrases import count, number, steps_list
from engine.recorded.expected import by_row, in_sections, sections, title
from engine.recorded.reach import VANISHED, Reach
from engine.recorded.recording import NO, NOWHERE, Declared, Recorded

NOTHING_ASKED = ("This trace does not say which losses lead to which states: it has neither connected nor credit, "
                 "so its reach cannot be tested.")
GROWS = "every loss reaches all earlier windows, and memory and time grow with each one."


def sentences(recorded: Recorded, reach: Reach | None) -> tuple[str, ...]:
    """Returns the sentences, the one that matters most first."""
    if reach is None:
        return (NOTHING_ASKED,)
    parts = [headline(reach), _beside(reach), *_why(recorded, reach), _apart(recorded, reach), _value(recorded, reach),
             _vanished(reach), _unseen(reach)]
    return tuple(part for part in parts if part)


def headline(reach: Reach) -> str:
    """Returns how far the loss leads that says most."""
    s, r = int(reach.losses[reach.shown]), int(reach.found[reach.shown])
    if r == NOWHERE:
        return f"The loss at step {s} reaches no state at all: it was computed from outputs that lead nowhere."
    return f"The loss at step {s} {_reaches(s, r)}."


def _reaches(s: int, r: int, verb: str = "reaches") -> str:
    if r == s:
        return f"{verb} its own step and no further"
    return f"{verb} step {r} and no further" if r else f"{verb} all the way back to step 0"


def _beside(reach: Reach) -> str:
    """Returns what was expected, and whether that is what was found."""
    R = len(reach.losses)
    if reach.expected is None:
        return "Nothing was declared." + (f" What was found is {reach.fits_title}." if reach.fits else "")
    if not reach.differs.any():
        each = "the loss that was asked about reaches" if R == 1 else f"each of the {R} losses reaches"
        return f"{reach.title} was declared, and it is what was found: {each} exactly as far as it should."
    should = _reaches(int(reach.losses[reach.shown]), int(reach.expected[reach.shown]), "should reach")
    differ = int(reach.differs.sum())
    some = f"{differ} of {R} losses {'differs' if differ == 1 else 'differ'}."
    every = "The one loss that was asked about differs." if R == 1 else f"All {R} losses differ."
    return f"{reach.title} was declared: it {should}. {some if differ < R else every}"


def _why(recorded: Recorded, reach: Reach) -> list[str]:
    """Returns what explains the difference; without a declaration, what the cuts are."""
    if reach.expected is not None and not reach.differs.any():
        return []
    if (reach.found == NOWHERE).any() or (recorded.there is not None and _never(reach)):
        return []
    found = _every_step(recorded, reach) or _leak(recorded, reach) or _sections(recorded, reach)
    return [found or _rows_apart(recorded, reach) or _fitting(recorded, reach)]


def _apart(recorded: Recorded, reach: Reach) -> str:
    """Returns which states no loss leads to, where others are reached."""
    never, names = _never(reach), short(tuple(reach.by_row))
    if not never:
        return ""
    others = _listed([names[row] for row in names if row not in never])
    between = f": the gradient does not go on from {others} into {'it' if len(never) == 1 else 'them'}"
    return (f"No loss leads to {_listed([names[row] for row in never], 'or')} at all"
            f"{between if recorded.there is not None else ''}.")


def _never(reach: Reach) -> list[str]:
    """Returns the rows that no loss leads to, where others are reached."""
    never = [row for row, first in reach.by_row.items() if (first == NOWHERE).all()]
    return never if len(never) < len(reach.by_row) else []


def _every_step(recorded: Recorded, reach: Reach) -> str:
    if len(reach.losses) < 2 or not (reach.found == reach.losses).all() or not reach.losses.any():
        return ""
    return ("The gradient is cut at every step: no loss leads back to an earlier step, so nothing is learned through "
            "time.")


def _leak(recorded: Recorded, reach: Reach) -> str:
    crossing = reach.crossing
    if crossing is None or not crossing.leaking:
        return ""
    names = short(recorded.about.rows)
    leaking, cut = (_listed([names[row] for row in rows]) for rows in (crossing.leaking, crossing.cut))
    if not crossing.cut:
        why = f"{leaking} {_is(crossing.leaking)} not detached" if crossing.certain else (
            f"{_listed(list(names.values()), 'or')}, or more than one of them, is not detached")
        return f"Nothing is cut: {why} between windows, so {GROWS}" if _through(reach) else ""
    return (f"You cut {_spacing(recorded)}. {cut} {_is(crossing.cut)} cut, {leaking} {_is(crossing.leaking)} not: the "
            f"gradient leaks through {leaking} across windows.")


def _through(reach: Reach) -> bool:
    return reach.fits is not None and reach.fits.style == "full"


def _spacing(recorded: Recorded) -> str:
    lengths = np.diff(recorded.about.windows)
    if len(lengths) and (lengths == lengths[0]).all():
        return f"every {count(int(lengths[0]), 'step')}" if lengths[0] > 1 else "at every step"
    return f"at {steps_list(recorded.about.windows[1:])}" if len(lengths) else "within the window"


def _sections(recorded: Recorded, reach: Reach) -> str:
    declared, windows = reach.declared, recorded.about.windows
    lengths = sections(windows, recorded.steps)
    if declared is None or declared.style != "window" or len(windows) != declared.k or len(windows) < 2:
        return ""
    if int(lengths.max()) - int(lengths.min()) > 1 or not _at_starts(recorded, reach):
        return ""
    return (f"{declared.k} made {in_sections(lengths)}, not sections of {count(declared.k, 'step')}: tensor_split(n) "
            "and array_split(n) make n sections, PyTorch's split(n) makes sections of n.")


def _at_starts(recorded: Recorded, reach: Reach) -> bool:
    """Returns whether each loss stops at the start of its own forward pass."""
    windows = recorded.about.windows
    return bool((windows[np.searchsorted(windows, reach.losses, side="right") - 1] == reach.found).all())


def _rows_apart(recorded: Recorded, reach: Reach) -> str:
    """Returns which rows stop earlier than others, where they do, and not because they have no earlier state."""
    s, found = int(reach.losses[reach.shown]), int(reach.found[reach.shown])
    alike = by_row(recorded, reach.found, reach.losses)[:, reach.shown]
    at = {name: int(first[reach.shown]) for name, first in reach.by_row.items()}
    related = {name: found if step == same else step
               for (name, step), same in zip(at.items(), alike, strict=True) if step != NOWHERE}
    if len(set(related.values())) < 2:
        return ""
    names = short(tuple(reach.by_row))
    ends = sorted(set(related.values()), reverse=True)
    told = []
    for step in ends:
        rows = [names[name] for name, where in related.items() if where == step]
        verb = "stop" if len(rows) > 1 else "stops"
        told.append(f"{_listed(rows)} {verb} at step {step}" if step < s or len(ends) == 1
                    else f"{_listed(rows)} {'are' if len(rows) > 1 else 'is'} cut at every step")
    return f"Not all states are cut alike: {_listed(told, sign=', ')}."


def _fitting(recorded: Recorded, reach: Reach) -> str:
    fits, declared = reach.fits, reach.declared
    if fits is None:
        if len(recorded.about.windows) > 1 and _at_starts(recorded, reach):
            lengths = sections(recorded.about.windows, recorded.steps)
            return f"Each loss stops at the start of its own forward pass: {in_sections(lengths)}."
        return f"No style that is known here explains where the losses stop: {_cut_where(recorded)}."
    if declared is None:
        return _uncut(reach) if fits.style == "full" else _cuts(fits, "")
    if fits.style == "full":
        return _uncut(reach)
    said = f"What was found is {title(fits)}: "
    if fits.style == declared.style == "window" and abs(fits.k - declared.k) == 1:
        more = "one step more" if fits.k > declared.k else "one step less"
        return (f"{said}the gradient is cut every {count(fits.k, 'step')}, {more} than was declared. Look for a count "
                "that starts or ends one step off.")
    instead = f", not every {declared.k}" if fits.style == declared.style == "window" else ""
    return said + _cuts(fits, instead, small=True)


def _cut_where(recorded: Recorded) -> str:
    """Returns where every state is cut, as far as the trace says."""
    cut = None if recorded.edge is None else np.flatnonzero(recorded.everywhere(recorded.edge, NO)[1:]) + 1
    return "see the staircase" if cut is None or not cut.size else f"every state is cut before {steps_list(cut)}"


def _uncut(reach: Reach) -> str:
    if len(reach.values.reset):
        return "Every loss reaches back to where the state starts anew."
    return "Nothing is cut: every loss reaches all earlier steps."


def _cuts(fits: Declared, instead: str, small: bool = False) -> str:
    """Returns what a style does, as a sentence."""
    text = {
        "window": f"The gradient is cut every {count(fits.k, 'step')}{instead}.",
        "sliding": f"Every loss goes back {count(fits.k, 'step')}, its own included{instead}.",
        "k1k2": f"Every {count(fits.k1, 'step')} a backward pass goes back {fits.k2} steps{instead}.",
    }[fits.style]
    return text[0].lower() + text[1:] if small else text


def _value(recorded: Recorded, reach: Reach) -> str:
    """Returns what happens to the state's value at the windows' starts."""
    values, meant = reach.values, "" if reach.declared is None else reach.declared.value
    if len(values.mixed):
        t = int(values.mixed[0])
        names = short(recorded.about.rows)
        assert recorded.value is not None
        there = [True] * len(names) if recorded.there is None else recorded.there[:, t]
        flags = [(names[row], flag) for row, flag, has in zip(recorded.about.rows, recorded.value[:, t], there,
                                                              strict=True) if has]
        reset, others = ([name for name, flag in flags if (flag == NO) == anew] for anew in (True, False))
        starts, do = "starts" if len(reset) == 1 else "start", "does" if len(others) == 1 else "do"
        return f"At step {t} {_listed(reset)} {starts} anew, {_listed(others)} {do} not."
    if meant == "carry" and len(values.reset):
        return f"The value was to be carried, but the state starts anew at {steps_list(values.reset)}."
    if meant == "reset" and len(values.carried):
        where = steps_list(values.carried)
        return f"The state was to start anew at each window, but its value is carried into {where}."
    if len(values.reset) and len(values.carried):
        return (f"The state's value is carried into {steps_list(values.carried)}; it starts anew at "
                f"{steps_list(values.reset)}.")
    if len(values.reset):
        return f"The state starts anew at {steps_list(values.reset)}: its value is not carried there."
    return "The state's value is carried from window to window." if len(values.carried) else ""


def _vanished(reach: Reach) -> str:
    """Returns how little arrives, where the graph leads further than the numbers do."""
    share = float(reach.arriving[reach.shown])
    s, r = int(reach.losses[reach.shown]), int(reach.found[reach.shown])
    if not share < VANISHED or r in (NOWHERE, s):
        return ""
    left = "exactly 0" if share == 0 else f"{number(share)} of what there is at step {s}"
    return f"Connected is not felt: what arrives at step {r} is {left}. The gradient has vanished there; it is not cut."


def _unseen(reach: Reach) -> str:
    return "" if reach.by_graph else ("The trace has no record of the graph, only of gradients: one that is exactly 0 "
                                      "cannot be told from one that is cut.")


def short(rows: Sequence[str]) -> dict[str, str]:
    """Returns row -> its name without what all of them begin with: "lstm.l0.h", "lstm.l0.c" -> "h", "c"."""
    parts = [row.split(".") for row in rows]
    same = 0
    while all(len(part) > same + 1 for part in parts) and len({part[same] for part in parts}) == 1:
        same += 1
    return {row: ".".join(part[same:]) for row, part in zip(rows, parts, strict=True)}


def _listed(names: Sequence[str], word: str = "and", sign: str = "") -> str:
    if sign:
        return sign.join(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}" if names else ""


def _is(rows: Sequence[str]) -> str:
    return "is" if len(rows) == 1 else "are"
