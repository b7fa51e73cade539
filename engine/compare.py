"""A truncated gradient beside the full one, as a whole and per parameter block."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params, norm, unit_scale
from engine.traces import Comparison, Costs

SAFE = 1e-100  # entries between this and its inverse may be squared


def costs(truncated: Params, full: Params) -> Costs:
    """Returns the comparison of the whole gradient, and of each block."""
    blocks = {name: compare(truncated[name], full[name]) for name in full}
    return Costs(compare(_join(truncated), _join(full)), blocks)


def _join(gradient: Params) -> Array:
    return np.concatenate([block.ravel() for block in gradient.values()])


def compare(truncated: Array, full: Array) -> Comparison:
    """Returns cosine, angle, relative error and the signed share kept, <truncated, full> / |full|^2.

    Both are divided by their largest entry before products are taken where these could leave the range."""
    scale, part, whole = unit_scale(truncated, full), truncated.ravel(), full.ravel()
    if SAFE < scale < 1 / SAFE:
        scale = 1.0
    else:
        part, whole = part / scale, whole / scale
    size, length = float(norm(whole, 0)), float(norm(part, 0))
    nan = float("nan")
    if not (size > 0 and np.isfinite(size) and np.isfinite(length)):
        return Comparison(nan, nan, nan, nan, length * scale, size * scale)
    if truncated is full:
        return Comparison(1.0, 0.0, 0.0, 1.0, length * scale, size * scale)
    p, w = (part / length if length else part), whole / size
    cosine = float(p @ w) if length else nan
    # 2 atan2(|p - w|, |p + w|) keeps its digits where acos(cosine) has none (Kahan)
    angle = float(np.degrees(2 * np.arctan2(norm(p - w, 0), norm(p + w, 0)))) if length else nan
    kept = cosine * length / size if length else 0.0
    return Comparison(cosine, angle, float(norm(part - whole, 0)) / size, kept, length * scale, size * scale)
