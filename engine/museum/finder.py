"""Paste an error, a stack trace or a loop: which exhibits fit, and why. By rules over the text; nothing is run."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import refuse
from engine.museum.code_rules import RULES, Hint
from engine.museum.message_rules import messages
from engine.museum.source import MOST_CHARACTERS, read

MOST_FOUND = 4
CERTAIN = 75  # from this weight on a finding is called likely
DULL = 30  # below this weight it is not told


@dataclass(frozen=True)
class Suspect:
    """An exhibit that fits what was pasted."""

    name: str
    likely: bool  # or merely possible
    reasons: tuple[str, ...]  # in words, the strongest first


@dataclass(frozen=True)
class Findings:
    """What the rules say of a text."""

    suspects: tuple[Suspect, ...]  # the likeliest first; empty where the rules know none
    sentence: str


def find(text: str) -> Findings:
    """Returns the exhibits that fit a text; raises InputError for one that is empty or too long."""
    if not text.strip():
        raise refuse("text", text, "is empty", "Paste an error message, a stack trace or a loop.")
    if len(text) > MOST_CHARACTERS:
        raise refuse("text", f"{len(text)} characters", f"must have at most {MOST_CHARACTERS}",
                     "Paste the loop, or the end of the trace.")
    source = read(text)
    hints = [*messages(source), *(hint for rule in RULES for hint in rule(source))]
    suspects = ranked(hints)
    return Findings(suspects, _sentence(suspects))


def ranked(hints: list[Hint]) -> tuple[Suspect, ...]:
    """Returns the hints by exhibit, the heaviest first; more than one reason makes an exhibit a little likelier."""
    by_name: dict[str, dict[str, int]] = {}
    for hint in hints:
        reasons = by_name.setdefault(hint.name, {})
        reasons[hint.reason] = max(hint.weight, reasons.get(hint.reason, 0))
    weights = {name: max(reasons.values()) + 5 * (len(reasons) - 1) for name, reasons in by_name.items()}
    names = sorted((name for name in weights if weights[name] >= DULL), key=lambda name: -weights[name])[:MOST_FOUND]
    return tuple(Suspect(name, weights[name] >= CERTAIN,
                         tuple(sorted(by_name[name], key=lambda reason: -by_name[name][reason])[:3])) for name in names)


def _sentence(suspects: tuple[Suspect, ...]) -> str:
    if not suspects:
        return "No exhibit here fits this text. The rules know what is in the museum and nothing else."
    one = len(suspects) == 1
    return (f"{len(suspects)} {'exhibit fits' if one else 'exhibits fit'}"
            + ("." if suspects[0].likely else f"; {'it is' if one else 'they are'} possible, not certain."))
