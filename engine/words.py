"""What the numbers say, in sentences. Each is computed from the analysis it stands beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Bools, Floats
from engine.phrases import almost, change, count, degrees, number, percent, steps_list
from engine.questions import answers
from engine.readings import cutting, felt, nothing_cut, recurrent
from engine.traces import Analysis, Certificate, Credit, GradientNorms, Words

EMPTY = Words("", "", "", "", "", "", "", "", {})
REACH = "The loss at step {s} reaches step {r} and no further."
REACH_ALL = "The loss at step {s} reaches all the way back to step 0."


def with_words(found: Analysis) -> Analysis:
    """Returns the analysis with its sentences."""
    return replace(found, words=Words(
        headline=headline(found), reach=REACH, reach_all=REACH_ALL, norms=norms(found),
        credit=credit(found.credit, found.plan.reset) if found.credit else "",
        carry_over=carry_over(found), costs=costs(found),
        certificate=certificate(found.certificate, found.certificate_full), questions=answers(found)))


def headline(found: Analysis) -> str:
    """Returns how far the last loss reaches, and what the cuts leave of the gradient."""
    s = int(found.sequence.loss_steps[-1])
    r = int(found.plan.reach[s])
    first = REACH.format(s=s, r=r) if r else REACH_ALL.format(s=s)
    return f"{first} {_kept(found)}"


def _kept(found: Analysis) -> str:
    subject, c = recurrent(found)
    T, k = found.config["steps"], found.config["k"]
    if nothing_cut(found):
        if found.config["style"] in ("window", "sliding") and int(str(k)) >= int(str(T)):
            return f"k = {k} is not less than T = {T}, so this is full BPTT: nothing is cut."
        return "Nothing is cut: this is full BPTT."
    if np.isnan(c.kept):
        why = "zero" if c.norm_full == 0 else "not finite"
        return f"Of {subject} no share can be given, because in full it is {why}."
    if c.norm_truncated == 0:
        return f"{cutting(found)} leaves nothing of {subject}."
    against = " It points against the full one." if c.kept < 0 else ""
    return f"{cutting(found)} keeps {percent(c.kept)} of {subject} and turns it by {degrees(c.angle)}.{against}"


def norms(found: Analysis) -> str:
    """Returns where truncation costs the per-step gradient most."""
    if found.nonfinite.step >= 0:
        return found.nonfinite.note
    part, whole = _state_gradient(found.truncated), _state_gradient(found.full)
    if nothing_cut(found):
        a, b = whole[-1], whole[0]
        return (f"All losses together send a gradient of norm {number(a)} to the last step and {number(b)} "
                f"to step 0; nothing is cut. {found.nonfinite.note}").strip()
    counts = whole > 0.01 * whole.max()
    ratio = np.where(counts, part / np.where(counts, whole, 1.0), np.inf)
    t = int(ratio.argmin())
    if ratio[t] >= 0.995:
        return (f"No step that matters receives a gradient much smaller than under full BPTT; its direction may still "
                f"differ. {found.nonfinite.note}").strip()
    return (f"{cutting(found)} costs most at step {t}: a gradient of norm {number(part[t])} arrives there, "
            f"where full BPTT brings {number(whole[t])}. {found.nonfinite.note}").strip()


def _state_gradient(norms: GradientNorms) -> Floats:
    """(T,): h and c together."""
    return norms.h if norms.c is None else np.hypot(norms.h, norms.c)


def credit(found: Credit, reset: Bools) -> str:
    """Returns how the last loss' gradient changes on its way back, before any cut. reset (T,)."""
    s = int(found.loss_steps[-1])
    row = found.h[-1]
    first = int(np.flatnonzero(reset[: s + 1])[-1]) if reset[: s + 1].any() else 0
    here, there = row[s], row[first]
    if s == first:
        return f"The loss at step {s} has no earlier step to go back to."
    subject = f"Uncut, the gradient of the loss at step {s}"
    if not np.isfinite(here):
        return f"{subject} is not finite at its own step already."
    if here == 0:
        return f"{subject} is zero at its own step already."
    bad = np.flatnonzero(~np.isfinite(row))
    if len(bad):
        return f"{subject}, {number(here)} at its own step, explodes: at step {bad[-1]} it exceeds double precision."
    start = f"{subject} goes from {number(here)} at its own step to {number(there)} at step {first}"
    if there == 0:
        return start + ": nothing is left of it."
    return f"{start}: it {change(here, there)} over {count(s - first, 'step')}."


def carry_over(found: Analysis) -> str:
    """Returns how far a reset state is from the carried one, and how long that is felt."""
    over = found.carry_over
    if not len(over.start_distance):
        return "There is one window, so the state is handed on at every step and there is nothing to reset."
    starts = steps_list(found.plan.window_starts[1:])
    if not np.isfinite(over.start_distance).all():
        return f"The state is not finite when it is reset at {starts}, so no distance can be given."
    return (f"A state reset at {starts} is {number(over.start_distance.mean())} away from the carried one; "
            f"{felt(over)}.")


def costs(found: Analysis) -> str:
    """Returns the whole gradient's cosine, error and share, and the block that suffers most."""
    whole = found.costs.whole
    if nothing_cut(found) and np.isfinite(whole.norm_full):
        return "The gradient is that of full BPTT: cosine 1, relative error 0."
    if np.isnan(whole.kept):
        return "The full gradient is zero or not finite, so the two cannot be compared."
    if whole.norm_truncated == 0:
        return "Truncation leaves nothing of the gradient."
    text = (f"Beside full BPTT the whole gradient has cosine {almost(whole.cosine)}, relative error "
            f"{percent(whole.relative_error)}, and keeps {percent(whole.kept)}.")
    errors = {name: block.relative_error for name, block in found.costs.blocks.items()}
    worst = max(errors, key=lambda name: errors[name] if errors[name] > 0 else 0.0)  # NaN is not
    return f"{text} Hit hardest is {worst}: relative error {percent(errors[worst])}." if errors[worst] > 0 else text


def certificate(truncated: Certificate | None, full: Certificate | None) -> str:
    """Returns the outcome of the checks."""
    if truncated is None or full is None:
        return "Not checked: the certificate was asked to be left out."
    if truncated.status == "nonfinite" or full.status == "nonfinite":
        return "A gradient is not finite, so it cannot be certified; it is shown as it is."
    worst = max(truncated.worst, full.worst)
    failed = "failed" in (truncated.status, full.status)
    verdict = "NOT certified" if failed else "Certified"
    scope = "" if truncated.checked_losses == truncated.all_losses else " " + truncated.note
    return (f"{verdict}: {count(len(truncated.blocks), 'gradient block')}, truncated and full, against complex-step "
            f"derivatives; largest relative error {worst:.0e}, limit {truncated.tolerance:.0e}.{scope}")
