"""What several sentences read off an analysis alike. (leaf of the words)"""

from __future__ import annotations

from statistics import median

import numpy as np

from engine.phrases import count
from engine.traces import Analysis, CarryOver, Comparison


def nothing_cut(found: Analysis) -> bool:
    """Returns whether the plan's gradient is that of full BPTT itself."""
    return not found.plan.reach.any() and found.truncated is found.full


def recurrent(found: Analysis) -> tuple[str, Comparison]:
    """Returns the block that the headline speaks of: W_hh of a single layer, or everything."""
    if found.config["layers"] == 1:
        return "the gradient of W_hh", found.costs.blocks["l0.W_hh"]
    return "the whole gradient", found.costs.whole


def cutting(found: Analysis) -> str:
    """Returns what makes the difference to full BPTT, as the subject of a sentence."""
    return "Truncation together with the reset" if found.plan.reset.any() else "Truncation"


def felt(over: CarryOver) -> str:
    """Returns how long a reset is felt: the median over all windows, those that never halve included."""
    steps = np.where(over.half_life > 0, over.half_life, np.inf)
    middle, never = median(steps.tolist()), int(np.isinf(steps).sum())
    if np.isinf(middle):
        where = "" if never == len(steps) else f"in {never} of {len(steps)} windows "
        return f"{where}the difference has not halved when the window ends"
    late = f" (in {never} of {len(steps)} windows not before the end)" if never else ""
    return f"it takes {count(int(np.ceil(middle)), 'step')} until half of the difference has faded{late}"
