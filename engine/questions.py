"""The three questions that bring people here, answered from an analysis."""

from __future__ import annotations

import numpy as np

from engine.phrases import count, number, percent, steps_list
from engine.traces import Analysis


def answers(found: Analysis) -> dict[str, str]:
    """Returns the answer to each question, by its name, for the analysis as it stands."""
    return {"autodiff": autodiff(found), "carry": carry(found), "outputs": outputs(found)}


def autodiff(found: Analysis) -> str:
    """Does the framework do BPTT by itself?"""
    s = int(found.sequence.loss_steps[-1])
    r = int(found.plan.reach[s])
    if r == 0:
        return (f"Yes: automatic differentiation of an unrolled network is BPTT. Here nothing is cut, and the loss at "
                f"step {s} reaches step 0 through all {count(s, 'step')}.")
    kept = found.costs.whole.kept
    share = "" if np.isnan(kept) else f" What is left is {percent(kept)} of the full gradient."
    return (f"Yes, but only inside a window. The loss at step {s} goes back {count(s - r, 'step')}, to step {r}, by "
            f"automatic differentiation alone; there the state came in as a number, and no framework can "
            f"differentiate through it.{share}")


def carry(found: Analysis) -> str:
    """Must I carry the state from window to window?"""
    over = found.carry_over
    if not len(over.start_distance):
        return "With one window there is nothing to carry: the state is handed on at every step."
    loss = _loss_difference(found)
    if not np.isfinite(over.start_distance).all():
        return loss
    return (f"Yes, if a window is to know what came before it: fed back, the state hands on its value, though not its "
            f"gradient. Left out, every window starts from the initial state, {number(over.start_distance.mean())} "
            f"away from the carried one{_felt(found)}. {loss}")


def outputs(found: Analysis) -> str:
    """What if I only use the outputs and never touch the state?"""
    starts = found.plan.window_starts[1:]
    if not len(starts):
        return "With one window nothing is lost: the outputs of all steps come from one unbroken run."
    same = ("Then the network forgets everything" if found.config["value"] == "reset"
            else "Then (unlike in the picture, where the state is carried) the network would forget everything")
    k = int(starts[0])
    return (f"{same} at {steps_list(starts)}: no window knows more than its own {count(k, 'step')}, and no output, "
            f"however late, depends on an earlier window. The gradient stops at the same edges as with a carried "
            f"state. {_loss_difference(found)}")


def _felt(found: Analysis) -> str:
    felt = found.carry_over.half_life[found.carry_over.half_life > 0]
    if not len(felt):
        return ", and the difference lasts to the window's end"
    return f", and it takes {count(int(np.median(felt)), 'step')} until half of that has faded"


def _loss_difference(found: Analysis) -> str:
    over, losses = found.carry_over, len(found.sequence.loss_steps)
    if not np.isfinite([over.total_carried, over.total_reset]).all():
        return "With these weights and data the loss itself is not finite."
    a, b = over.total_carried / losses, over.total_reset / losses
    return (f"With these weights, drawn and not trained, the mean loss is {a:.4g} {found.loss.unit} carried and "
            f"{b:.4g} reset; what training makes of it has to be tried.")
