"""tensor_split(n) makes n sections; split(n) makes sections of n."""

from __future__ import annotations

from engine.backprop import backprop
from engine.compare import compare
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import edges, flat, run, subject, sweep, windows
from engine.phrases import percent
from engine.published.result import Picture, series
from engine.truncation import full_plan

BUG = Bug(
    "tensor_split", "tensor_split(n) makes n sections",
    "torch.tensor_split(x, n) and torch.chunk(x, n) cut into n pieces, torch.split(x, n) into pieces of n; NumPy's "
    "split and array_split cut into n pieces, too.",
    "No error. The windows have another length than num_steps says: too short for a short series, too long (and too "
    "large for the memory) for a long one; a longer series changes the truncation.",
    "",
    "Use torch.split(x, num_steps), or x[start:start + num_steps], and look at the length of the first window.",
    "pytorch",
    (Met("int type of split_size_or_sections parameter in torch.split() is not handled",
         "https://github.com/pytorch/pytorch/issues/19066",
         "Reported as a bug: t.split(2) gave chunks of size 2, where two halves were expected."),
     Met("torch_split() does not work", "https://github.com/mlverse/torch/issues/1159",
         "The same expectation in R: a split by 10 should give ten pieces, and gave one piece of ten."),
     Met("torch.split should match numpy.array_split semantics", "https://github.com/pytorch/pytorch/issues/11029",
         "The discussion from which the two names and their two meanings come.")))
STEPS, N, LAG = 40, 10, 6


def compute() -> Exhibit:
    """Returns windows of STEPS / N steps beside windows of N."""
    x = subject(steps=STEPS)
    tape = run(x)
    lengths = (STEPS // N, N)
    full = flat(backprop(x.network, x.params, tape, full_plan(STEPS)).blocks)
    swept = [sweep(x, tape, edges(x, windows(k, STEPS))) for k in lengths]
    errors = [compare(flat(one.blocks), full).relative_error for one in swept]
    amounts = (
        Amount("windows", float(STEPS / lengths[0]), float(STEPS / lengths[1]), ""),
        Amount("steps in a window", float(lengths[0]), float(lengths[1]), "steps"),
        Amount(f"share of the losses whose gradient gets {LAG} steps back", taper(lengths[0], LAG),
               taper(lengths[1], LAG), ""),
        Amount("relative error of the gradient, beside full BPTT", errors[0], errors[1], ""))
    lags = range(N + 2)
    picture = Picture("Share of the losses whose gradient gets that far back", "lag (steps)", "share", False, (
        series(f"tensor_split(x, {N}): windows of {lengths[0]}", lags, [taper(lengths[0], lag) for lag in lags],
               "truncated"),
        series(f"split(x, {N}): windows of {lengths[1]}", lags, [taper(lengths[1], lag) for lag in lags], "full")))
    maps = credit_maps(
        "|dL_s/dh_t|, norm per sample, mean over the batch",
        credit_map(f"tensor_split(x, {N}): {N} windows", swept[0].h, windows(lengths[0], STEPS)),
        credit_map(f"split(x, {N}): windows of {N}", swept[1].h, windows(lengths[1], STEPS)),
        f"Of {STEPS} steps, {N} sections have {lengths[0]} each: no loss reaches further than {lengths[0] - 1} steps "
        f"back, where {N - 1} were meant.")
    return Exhibit(
        BUG, f"The gradient of an LSTM over {STEPS} steps in windows of {lengths[0]} and of {lengths[1]}, held against "
        "full BPTT.", amounts, maps, picture,
        f"The gradient is {percent(errors[0])} off full BPTT instead of {percent(errors[1])}. With a series of "
        f"{100 * N} steps it would be the other way round: windows of 100, and {100 // N} times the memory.")


def taper(k: int, lag: int) -> float:
    """Returns the share of a window's losses whose gradient gets so far back."""
    return max(0, k - lag) / k
