"""The three questions that bring people here, answered from an analysis."""

from __future__ import annotations

import numpy as np

from engine.phrases import count, number, percent, steps_list
from engine.readings import felt, recurrent
from engine.traces import Analysis


def answers(found: Analysis) -> dict[str, str]:
    """Returns the answer to each question, by its name, for the analysis as it stands."""
    return {"autodiff": autodiff(found), "carry": carry(found), "outputs": outputs(found)}


def autodiff(found: Analysis) -> str:
    """Does the framework do BPTT by itself?"""
    s = int(found.sequence.loss_steps[-1])
    r = int(found.plan.reach[s])
    if r == 0:
        return (f"Yes: automatic differentiation of an unrolled network is BPTT. Here nothing stops the loss at "
                f"step {s}: it reaches step 0, {count(s, 'step')} back.")
    losses = found.sequence.loss_steps
    mean = float((losses - found.plan.reach[losses]).mean())
    average = f"{number(mean)} {'step' if number(mean) == '1' else 'steps'}"
    return (f"Yes, but not past a cut. The loss at step {s} goes back {count(s - r, 'step')}, to step {r}, by "
            f"automatic differentiation alone; {_stop(found)}. The losses go back {average} on average.{_share(found)}")


def _stop(found: Analysis) -> str:
    """Returns why the gradient stops where it does."""
    if found.config["value"] == "reset":
        return "there the state was set to its initial value, which owes nothing to the steps before"
    if found.config["style"] == "window":
        return "there the state came in as a number, and no framework can differentiate through a number"
    return "there this truncation stops it, as the program that does it must arrange by itself"


def _share(found: Analysis) -> str:
    subject, cost = recurrent(found)
    if np.isnan(cost.kept):
        return ""
    return f" With these weights, drawn or given and not trained here, {percent(cost.kept)} of {subject} is left."


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
            f"away from the carried one, and {felt(over)}. {loss}")


def outputs(found: Analysis) -> str:
    """What if I only use the outputs and never touch the state?"""
    starts = found.plan.window_starts[1:]
    if not len(starts):
        return "With one window nothing is lost: the outputs of all steps come from one unbroken run."
    same = ("Then the network forgets everything" if found.config["value"] == "reset"
            else "Then (unlike in the picture, where the state is carried) the network would forget everything")
    lengths = np.diff(np.append(found.plan.window_starts, len(found.plan.reach)))
    own = f"its own {count(int(starts[0]), 'step')}" if (lengths[:-1] == starts[0]).all() else "its own steps"
    gradient = " The gradient stops at these edges with a carried state too." if _cuts_windows(found) else ""
    return (f"{same} at {steps_list(starts)}: no window knows more than {own}, and no output, however late, depends on "
            f"an earlier window.{gradient} {_loss_difference(found)}")


def _cuts_windows(found: Analysis) -> bool:
    return found.config["style"] == "window" and found.config["gradient"] == "cut"


def _loss_difference(found: Analysis) -> str:
    over, losses = found.carry_over, len(found.sequence.loss_steps)
    if not np.isfinite([over.total_carried, over.total_reset]).all():
        return "With these weights and data the loss itself is not finite."
    a, b = over.total_carried / losses, over.total_reset / losses
    return (f"With these weights, drawn or given and not trained here, the mean loss is {a:.4g} {found.loss.unit} "
            f"carried and {b:.4g} reset; what training makes of it has to be tried.")
