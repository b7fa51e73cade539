"""What a pasted program shows of the exhibits: one rule an exhibit, each with the reason in words. Text only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.museum import patterns as p
from engine.museum.carries import (
    BACKWARD,
    RECURRENT,
    SLICE,
    Step,
    assigned,
    cut_names,
    fresh,
    half_cut,
    inner_loops,
    steps,
    taken_elsewhere,
    training_loops,
)
from engine.museum.source import Line, Loop, Source

LIKELY, POSSIBLE = 80, 40


def listed(names: list[str]) -> str:
    """Returns names as a reason lists them."""
    return " and ".join(f"`{name}`" for name in names)


@dataclass(frozen=True)
class Hint:
    """An exhibit that a rule points to."""

    name: str
    weight: int
    reason: str


Rule = Callable[[Source], Iterator[Hint]]


def quoted(line: Line) -> str:
    """Returns a line as a reason quotes it."""
    code = line.code if len(line.code) <= 90 else line.code[:87] + "..."
    return f"`{code}` (line {line.number})"


def first(lines: tuple[Line, ...], pattern: re.Pattern[str]) -> Line | None:
    """Returns the first line in which a pattern stands."""
    return next((line for line in lines if pattern.search(line.code)), None)


def carried(loop: Loop) -> Step | None:
    """Returns the first step in a loop's body that hands a state on."""
    return next(iter(steps(loop.body)), None)


def cuts(source: Source) -> Iterator[Hint]:
    """No cut, half a cut, or a cut at every step."""
    for loop in training_loops(source):
        step = carried(loop)
        if step is None or fresh(loop.body, step.names) or taken_elsewhere(loop.body, step.names):
            continue
        if first(loop.body, p.OWN_TAPE):
            continue  # a tape that is opened in the loop knows nothing of the window before
        cut = cut_names(loop.body, step.names)
        left = [name for name in step.names if name not in cut]
        retained = first(loop.body, p.RETAINED)
        if left and cut:
            yield Hint("h_not_c", LIKELY + 15, f"Your loop detaches {listed(sorted(cut))} but not {listed(left)}; "
                       f"{quoted(step.line)} hands both on.")
        elif left and retained:
            yield Hint("retain_graph", LIKELY + 10, f"{quoted(retained)} keeps every graph, and nothing cuts "
                       f"{listed(left)} between two passes.")
        elif left:
            yield Hint("no_detach", LIKELY, f"{quoted(step.line)} hands {listed(left)} on with its history: nothing "
                       "in your loop detaches it before the next backward pass.")
        elif (halves := half_cut(loop.body, step.names[0])) and "lstm" in source.code.lower():
            yield Hint("h_not_c", LIKELY + 15, f"Your loop detaches `{halves[0]}` but not `{halves[1]}`; "
                       f"{quoted(step.line)} hands both on.")
        else:
            yield from _every_step(source, loop, step)


def _every_step(source: Source, loop: Loop, step: Step) -> Iterator[Hint]:
    for inner in inner_loops(source, loop):
        own = tuple(line for line in inner.body if inner.own(line))
        cut = cut_names(own, step.names)
        if step.line in own and cut and not any(BACKWARD.search(line.code) for line in inner.body):
            yield Hint("detach_every_step", LIKELY + 5, f"{listed(sorted(cut))} is detached "
                       f"inside the loop over steps, {quoted(inner.header)}, beside the call that makes it.")


def modules(source: Source) -> Iterator[Hint]:
    """A module that keeps its state from call to call, and a loop that neither cuts it nor makes it anew."""
    loops = training_loops(source)
    inside = {line.number for loop in loops for line in loop.body}
    for step in steps(source.lines) if loops else []:
        kept = [name.removeprefix("self.") for name in step.names if name.startswith("self.")]
        if step.line.number in inside or not kept:
            continue
        others = tuple(line for line in source.lines if line is not step.line)
        in_loops = tuple(line for loop in loops for line in loop.body)
        again = fresh(in_loops, tuple(kept)) or first(in_loops, p.MADE_ANEW)
        if not again and not cut_names(others, (*step.names, *kept)) and not fresh_before(source, step):
            yield Hint("no_detach", LIKELY - 5, f"{quoted(step.line)} keeps {listed(list(step.names))} in the module "
                       "from call to call, and nothing detaches it or makes it anew between two backward passes.")
            return


def fresh_before(source: Source, step: Step) -> Line | None:
    """Returns the line of the step's own function that makes its state anew before it, if there is one."""
    place = source.lines.index(step.line)
    start = max((n for n in range(place) if source.lines[n].code.startswith("def ")), default=0)
    return fresh(source.lines[start:place], step.names)


def resets(source: Source) -> Iterator[Hint]:
    """The state is made anew, or left out, while the loop walks along one series."""
    for loop in training_loops(source):
        if not SLICE.search(" ".join([loop.header.code, *(line.code for line in loop.body)])):
            continue
        step = carried(loop)
        if step is not None:
            own = tuple(line for line in loop.body if loop.own(line))
            made = fresh(own, step.names) if step.line in own else None
            if made:
                yield Hint("reset_every_batch", LIKELY, f"{quoted(made)} stands inside the loop over windows, so "
                           "each one starts from it again.")
        elif not cut_names(loop.body, ("state", "hidden", "h")):
            yield from _left_out(loop)


def _left_out(loop: Loop) -> Iterator[Hint]:
    for line in loop.body:
        left, right = assigned(line)
        called = p.STATELESS_CALL.match(right)
        if called and "," not in _arguments(right[called.end() :]) and len(left) in (1, 2, 3):
            yield Hint("reset_every_batch", LIKELY - 10, f"{quoted(line)} hands no state in, though the loop walks "
                       "along one series: every window starts from zeros.")


def _arguments(rest: str) -> str:
    """Returns a call's arguments, without what stands in brackets inside them."""
    depth, out = 0, []
    for here in rest:
        depth += (here in "([{") - (here in ")]}")
        if depth < 0:
            break
        if depth == 0:
            out.append(here)
    return "".join(out)


def order(source: Source) -> Iterator[Hint]:
    """A state that is carried from batch to batch, over batches in another order."""
    shuffled, stateful = first(source.lines, p.SHUFFLED), first(source.lines, p.STATEFUL)
    loops = [loop for loop in training_loops(source) if (step := carried(loop)) and not fresh(loop.body, step.names)
             and not taken_elsewhere(loop.body, step.names)]
    if loops and shuffled:
        yield Hint("shuffled_windows", LIKELY + 5, f"{quoted(shuffled)} mixes the windows whose state your loop "
                   "hands on.")
    elif loops and "DataLoader(" in source.code:
        yield Hint("last_batch", POSSIBLE + 5, "The state is handed from batch to batch of a DataLoader: row i of a "
                   "batch does not go on where row i of the last one stopped, and the last batch may have fewer rows.")
    if stateful:
        yield from _stateful(source, stateful)


def _stateful(source: Source, stateful: Line) -> Iterator[Hint]:
    fit = next((line for line in source.lines if ".fit(" in line.code), None)
    if fit and not p.ORDERED.search(fit.code):
        yield Hint("shuffled_windows", LIKELY - 5, f"{quoted(stateful)} carries the state, and {quoted(fit)} "
                   "shuffles unless told not to.")
    one = p.ONE_STEP.search(source.code)
    if one:
        yield Hint("keras_stateful", LIKELY + 5, f"{quoted(stateful)} hands the value of the state on, not the "
                   f"gradient back, and `{one[0]}` makes your batches one step long.")


def validation(source: Source) -> Iterator[Hint]:
    """A loop over validation data that takes the state of the training loop."""
    for loop in training_loops(source):
        step = carried(loop)
        later = [other for other in source.loops if other.start > loop.start + len(loop.body)
                 and p.JUDGED.search(other.header.code)]
        for other in later if step else []:
            assert step is not None
            reading = next((found for found in steps(other.body) if {*found.names} & {*step.names}), None)
            between = source.lines[loop.start + len(loop.body) + 1 : other.start] + other.body
            if reading and not fresh(between, step.names):
                yield Hint("validation_state", LIKELY + 5, f"{quoted(reading.line)} goes on with the state that the "
                           "training loop has left.")


def sizes(source: Source) -> Iterator[Hint]:
    """Steps taken for layers or units, sections for lengths, and windows that may not be there at all."""
    if depth := p.DEPTH.search(source.code):
        yield Hint("num_steps_depth", LIKELY + 10, f"`{depth[0]}`: the number of steps stands where the number of "
                   "layers or units does.")
    if split := p.SECTIONS.search(source.code):
        yield Hint("tensor_split", LIKELY + 10, f"`{split[0]}` makes so many pieces, not pieces of that length.")
    if whole := p.WHOLE_WINDOWS.search(source.code):
        yield Hint("short_series", POSSIBLE, f"`{whole[0]}` is empty where the series is shorter than a window, and "
                   "drops what is left over otherwise.")


def updates(source: Source) -> Iterator[Hint]:
    """zero_grad() and step() in different loops."""
    for loop in training_loops(source):
        zero = next((line for line in loop.body if ".zero_grad(" in line.code), None)
        after = first(source.lines[loop.start + len(loop.body) + 1 :], p.UPDATE)
        if zero and after and not first(loop.body, p.UPDATE) and steps(loop.body):
            yield Hint("zero_in_window", LIKELY + 10, f"{quoted(zero)} stands in the loop, {quoted(after)} after it: "
                       "what the windows before the last have left is cleared.")


def stored(source: Source) -> Iterator[Hint]:
    """Gradients of stored states that are handed on and never cleared; those of the weights do not count."""
    handed = p.HANDED_GRAD.search(source.code)
    others = (line for line in source.lines if not p.WEIGHT_GRAD.match(line.code))
    if handed and p.STORED.search(source.code) and not any(p.CLEARED.search(line.code) for line in others):
        yield Hint("state_grad", LIKELY + 20, f"`{handed[0]}`: stored states hand their .grad on, and nothing clears "
                   "it.")


def clipping(source: Source) -> Iterator[Hint]:
    """A loss that is summed over the steps, and a clip norm."""
    clip = first(source.lines, p.CLIPPED)
    inner = [loop for loop in source.loops if not any(BACKWARD.search(line.code) for line in loop.body)]
    added = (line for loop in inner for line in loop.body if p.ADDED.match(line.code) and ".item()" not in line.code)
    summed = first(source.lines, p.SUMMED) or next(added, None)
    if clip and summed and not p.DIVIDED.search(source.code):
        yield Hint("sum_loss_clip", LIKELY - 5, f"{quoted(summed)} sums over the steps, and {quoted(clip)} clips "
                   "what comes of it.")


def masks(source: Source) -> Iterator[Hint]:
    """Padding that a recurrent layer reads as if it were data."""
    padded = first(source.lines, p.PADDED)
    read = RECURRENT.search(source.code) and p.FINAL.search(source.code)
    if padded and read and not p.MASKED.search(source.code):
        yield Hint("padding", LIKELY, f"{quoted(padded)} fills up, and the recurrent layer reads what was filled in: "
                   "nothing packs or masks it.")


def by_hand(source: Source) -> Iterator[Hint]:
    """A backward pass written out, without the gates' own derivatives; the product of the forget gates."""
    gates = [line for line in source.lines if p.GATE_GRADIENT.match(line.code) and "*" in line.code]
    bare = [line for line in gates if not p.DERIVATIVE.search(line.code)]
    if len(bare) >= 2 and not p.DERIVATIVE_LATER.search(source.code):
        yield Hint("gate_gradient", LIKELY + 5, f"{quoted(bare[0])}: the gate's sigmoid has a derivative, "
                   "g * (1 - g), and no line multiplies by it.")
    if product := p.FORGET_PRODUCT.search(source.code):
        yield Hint("forget_product", LIKELY, f"`{product[0]}`: a product of forget gates is one path of the "
                   "gradient, not the gradient.")


RULES: tuple[Rule, ...] = (cuts, modules, resets, order, validation, sizes, updates, stored, clipping, masks, by_hand)
