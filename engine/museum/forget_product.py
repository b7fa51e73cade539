"""\"The LSTM gradient is the product of the forget gates\": of one path among five, it is."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, norm
from engine.experiment import Experiment
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, run, subject, sweep
from engine.phrases import number
from engine.published.result import Picture, series
from engine.unroll import Tape

BUG = Bug(
    "forget_product", "\"The gradient is the product of the forget gates\"",
    "dc_t/dc_{t-1} is said to be f_t. That is the highway alone; c also acts through h and all four gates of the next "
    "step.",
    "A diagnosis that is off: a vanishing gradient is predicted where there is none, or an exploding one is not seen; "
    "forget biases are tuned to a number that is not the gradient's.",
    "",
    "Ask autograd for dL/dc_t (retain_grad() on c, or the taps), and compare with the product.",
    "pytorch",
    (Met("LSTM cell-state path mitigates vanishing gradients", "https://whatandwhy.net/why/lstm-mitigates-vanishing.html",
         "Splits dc_t/dc_{t-1} into diag(f_t) and an indirect term through h; the claim is made of the first."),
     Met("h-detach: Modifying the LSTM gradient", "https://vitalab.github.io/article/2019/01/16/hdetach.html",
         "A summary of a paper in which the other paths are so strong that the gradient through h is dropped at random "
         "to let the highway's through."),
     Met("Can vanishin gradient occur because of saturation cell state in LSTM without forget gate?",
         "https://stats.stackexchange.com/questions/449773/can-vanishin-gradient-occur-because-of-saturation-cell-state-in-lstm-without-for",
         "Asked of a cell whose forget gates are all 1, where the rule would have nothing vanish.")))


def compute() -> Exhibit:
    """Returns the rule beside the gradient, for every loss and state."""
    x = subject()
    tape = run(x)
    true = sweep(x, tape, edges(x, [])).c
    assert true is not None
    rule = by_rule(x, tape)
    last = T - 1
    factors = true[last] / rule[last]
    change = [float((one[last, 0] / one[last, last]) ** (1 / last)) for one in (rule, true)]
    amounts = (
        Amount(f"|dL/dc_0| of the loss at step {last}", float(rule[last, 0]), float(true[last, 0]), ""),
        Amount("the same 5 steps back", float(rule[last, last - 5]), float(true[last, last - 5]), ""),
        Amount("factor per step back, on average", change[0], change[1], ""))
    steps = np.arange(T)
    picture = Picture(f"Gradient of the loss at step {last}", "state after step", "|dL/dc|", True, (
        series("product of the forget gates", steps, rule[last], "truncated"), series("all paths", steps, true[last],
                                                                                         "full")))
    maps = credit_maps(
        "|dL_s/dc_t|, norm per sample, mean over the batch", credit_map("product of the forget gates", rule, [0]),
        credit_map("all paths", true, [0]),
        f"At its own step both are {number(float(true[last, last]))}; {last} steps back the product has "
        f"{number(float(rule[last, 0]))} and the gradient {number(float(true[last, 0]))}.")
    return Exhibit(
        BUG, f"An LSTM of {x.network.hidden} units over {T} steps, recurrent weights 1.5 times PyTorch's; |dL/dc| by "
        "the full sweep, and by the product of the forget gates alone.", amounts, maps, picture,
        f"{last} steps back the gradient is {number(float(factors[0]))} times what the product says. The rule would be "
        "exact if h did not feed the gates.")


def by_rule(x: Experiment, tape: Tape) -> Array:
    """Returns (T, T): |dL_s/dc_s times the forget gates of the steps s ... t + 1|."""
    H, factors = x.network.hidden, tape.layers[0].factors
    out = np.zeros((T, T))
    for s in range(T):
        row = (x.params["W_hy"].T @ tape.dy[s]) * factors[s, 4 * H : 5 * H]
        for t in range(s, -1, -1):
            out[s, t] = norm(row, 0).mean()
            row = row * factors[t, 5 * H :]
    return out
