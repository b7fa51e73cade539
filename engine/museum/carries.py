"""What a pasted loop does with a recurrent state: where it is handed on, cut, and made anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.museum.source import Line, Loop, Source

STATE = re.compile(
    r"^(self\.)?(h|c|s|hx|cx|hn|cn|ht|ct|h[0-9_]\w{0,20}|c[0-9_]\w{0,20}|hc|mem|memory|carry|\w{0,20}hidden\w{0,20}"
    r"|\w{0,20}state\w{0,20}|prev_\w{1,20}|decoder_h\w{0,20})$")
NAME = re.compile(r"(?:self\.)?[A-Za-z_]\w{0,60}")
CALLED = re.compile(r"^((?:self\.)?[A-Za-z_][\w.]{0,80}(?:\[[^\[\]]{0,20}\])?)\s*\(")
NO_STEP = re.compile(r"^(tuple|list|dict|map|len|str|Variable|(torch|jnp|np|tf|ops|keras)\..*|\w*(repackage|detach"
                     r"|truncate|zero|init"
                     r"|criterion|loss)\w*)$", re.IGNORECASE)
CUT = re.compile(r"\.detach_?\(|\.data\b|\bdetach\w{0,20}\(|repackage\w{0,20}\(|stop_gradient\(|truncate\w{0,20}\(")
FRESH = re.compile(r"zeros|init_?hidden|initial_?state|init_?state|zero_state|randn|None$|get_initial")
BACKWARD = re.compile(r"\.backward\(|\.gradient\(|autograd\.grad\(")
SLICE = re.compile(r"\[[^\[\]]{0,40}\w\s*:\s*[^\[\]]{0,60}\+[^\[\]]{0,60}\]|get_batch\(|\.(?:split|narrow)\(")
RECURRENT = re.compile(r"\b(?:self\.)?\w{0,20}(?:lstm|gru|rnn|cell|model|net)\w{0,20}\(", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """A call that takes a state and gives the next one."""

    line: Line
    names: tuple[str, ...]


def assigned(line: Line) -> tuple[list[str], str]:
    """Returns the names that a line assigns, and what it assigns to them; ([], "") for other lines."""
    depth, code = 0, line.code
    for n, here in enumerate(code):
        depth += (here in "([{") - (here in ")]}")
        if here == "=" and depth == 0:
            compared = code[n + 1 : n + 2] == "=" or (n > 0 and code[n - 1] in "=!<>+-*/%&|^:@")
            return ([], "") if compared else (NAME.findall(code[:n]), code[n + 1 :].strip())
    return [], ""


def step_of(line: Line) -> Step | None:
    """Returns the step that a line takes, if it hands states in and gets states of the same names back."""
    left, right = assigned(line)
    called = CALLED.match(right)
    if not called or NO_STEP.match(called[1]) or called[1].split(".")[0] in left:
        return None
    given = set(NAME.findall(right[called.end() :]))
    names = tuple(name for name in dict.fromkeys(left) if name in given and STATE.match(name))
    return Step(line, names) if names else None


def steps(lines: tuple[Line, ...]) -> list[Step]:
    """Returns the steps in some lines."""
    return [found for line in lines if (found := step_of(line))]


def cut_names(lines: tuple[Line, ...], wanted: tuple[str, ...]) -> set[str]:
    """Returns which of the wanted names are cut from their history in some lines."""
    out: set[str] = set()
    for line in lines:
        if CUT.search(line.code):
            left, _ = assigned(line)
            out |= ({*left} & {*wanted}) or {name for name in wanted if _cut_in(line.code, name)}
    return out


def _cut_in(code: str, name: str) -> bool:
    """Whether a name is cut somewhere in a statement, in a call's arguments say."""
    own = re.search(rf"(?<!\w){re.escape(name)}(?:\[[^\[\]]{{0,20}}\])?\.(?:detach|data\b)", code)
    each = re.search(rf"\.detach_?\(\) for \w{{1,40}} in {re.escape(name)}\b"
                     rf"|for \w{{1,40}} in {re.escape(name)}:", code)
    handed = re.search(rf"(?:detach|repackage|truncate"
                       rf"|stop_gradient)\w{{0,20}}\([^()]{{0,80}}\b{re.escape(name)}\b", code)
    return bool(own or each or handed)


def half_cut(lines: tuple[Line, ...], name: str) -> tuple[str, str] | None:
    """Returns which half of a state kept as a pair is cut and which is not, where it is cut by its index alone."""
    cutting = [line.code for line in lines if CUT.search(line.code) and _cut_in(line.code, name)]
    found = [re.search(rf"(?<!\w){re.escape(name)}\[([01])\]\.(?:detach|data\b)", code) for code in cutting]
    halves = {each[1] for each in found if each}
    both = any(f"{name}[0]" in code and f"{name}[1]" in code for code in cutting)
    if len(halves) != 1 or both or not all(found):
        return None
    [cut] = halves
    return f"{name}[{cut}]", f"{name}[{1 - int(cut)}]"


def fresh(lines: tuple[Line, ...], wanted: tuple[str, ...]) -> Line | None:
    """Returns the first line that makes one of the wanted names anew."""
    for line in lines:
        left, right = assigned(line)
        if {*left} & {*wanted} and FRESH.search(right) and not step_of(line):
            return line
    return None


def taken_elsewhere(lines: tuple[Line, ...], wanted: tuple[str, ...]) -> Line | None:
    """Returns the first line that takes one of the wanted names from something other than itself: an encoder, say."""
    for line in lines:
        left, right = assigned(line)
        if {*left} & {*wanted} and not {*NAME.findall(right)} & {*wanted}:
            return line
    return None


def training_loops(source: Source) -> list[Loop]:
    """Returns the innermost loops with a backward pass directly or under a condition in them."""
    with_pass = [loop for loop in source.loops if any(BACKWARD.search(line.code) for line in loop.body)]
    return [loop for loop in with_pass
            if not any(other is not loop and loop.start < other.start <= loop.start + len(loop.body)
                       for other in with_pass)]


def inner_loops(source: Source, loop: Loop) -> list[Loop]:
    """Returns the loops inside a loop."""
    return [other for other in source.loops if loop.start < other.start <= loop.start + len(loop.body)]
