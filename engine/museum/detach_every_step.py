"""detach() stands in the loop over time steps instead of the loop over windows."""

from __future__ import annotations

from engine.backprop import backprop
from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, edges, flat, run, subject, sweep, windows
from engine.phrases import degrees, number, percent
from engine.truncation import full_plan

BUG = Bug(
    "detach_every_step", "Detached at every step",
    "The line that should cut between windows stands inside the loop over steps, so that every window has one step.",
    "No error, little memory, fast; and what happened more than a step ago is learned poorly or not at all.",
    "",
    "Move the line out of the inner loop: detach once a window, before its first step.",
    "pytorch",
    (Met("Mastering detach in hidden state loss backward with PyTorch",
         "https://www.codegenes.net/blog/how-to-use-detach-in-hidden-state-loss-backward-pytorch",
         "An article that explains truncated BPTT shows hidden = hidden.detach() inside the loop over the sequence, "
         "right after the cell's call."),
     Met("Query regarding detach behavior in truncated bptt", "https://github.com/OpenNMT/OpenNMT-py/issues/1148",
         "Somebody who read OpenNMT's truncated BPTT asked whether its detach takes the gradient away within a window; "
         "it stands once a window, so it does not.")), curve=False)
K = 8


def compute() -> Exhibit:
    """Returns the gradient with an edge before every step, beside windows of K."""
    x = subject()
    tape = run(x)
    each, meant = (sweep(x, tape, edges(x, windows(k))) for k in (1, K))
    full = flat(backprop(x.network, x.params, tape, full_plan(T)).blocks)
    broken, mended = compare(flat(each.blocks), full), compare(flat(meant.blocks), full)
    far = sweep(x, tape, edges(x, windows(K), 1, 1)).h
    amounts = (
        Amount("furthest lag that any loss reaches", 0.0, float(K - 1), "steps"),
        Amount("relative error of the gradient, beside full BPTT", broken.relative_error, mended.relative_error, ""),
        Amount("angle to full BPTT", broken.angle, mended.angle, "degrees"))
    maps = credit_maps(
        "|dL_s/dh_t|, norm per sample, mean over the batch",
        credit_map("detached at every step", each.h, windows(1)), credit_map(f"detached every {K} steps", meant.h,
                                                                             windows(K)),
        f"Only the diagonal is left: each loss reaches the state of its own step. One step further back, where "
        f"{number(float(far[K - 1, K - 2]))} of the loss at step {K - 1} should arrive, nothing does.")
    return Exhibit(
        BUG, f"The same run of {T} steps, swept with an edge before every step and with one every {K} steps.", amounts,
        maps, None,
        f"Detached at every step the gradient is {percent(broken.relative_error)} off full BPTT and turned by "
        f"{degrees(broken.angle)}; with windows of {K} it is {percent(mended.relative_error)} off, turned by "
        f"{degrees(mended.angle)}.")
