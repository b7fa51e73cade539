"""How far back a gradient comes from: its mean norm by lag, and each lag's signed share of the whole gradient."""

from __future__ import annotations

import numpy as np

from engine.traces import Analysis
from server.figures.base import Figure, axis, decades, log_axis
from server.figures.base import figure as framed
from server.figures.curves import curve, level, nothing, share_axis, straight, upright


def figure(analysis: Analysis) -> Figure:
    """Returns two rows over one axis of lags; a line marks the half-life."""
    found = analysis.bias_curve
    assert found is not None
    lags, norms = np.arange(len(found.norm_by_lag)), found.norm_by_lag
    low, high = decades([norms])
    half = found.half_life if found.half_life >= 0 else np.nan
    name = f"half-life: {found.half_life}" if found.half_life >= 0 else "no half-life"
    running = np.append(found.readout_share, found.readout_share + np.cumsum(found.share_by_lag))
    data = [
        upright(name, half, 10.0 ** (low - 1), 10.0 ** (high + 1),
                line={"color": "var(--ink-soft)", "dash": "2px,3px"}),
        curve("mean norm", lags, norms, "var(--full)", width=2.5),
        level("the whole", [-1.0, float(len(lags))], 1.0, yaxis="y2"),
        straight("share of lags up to here", np.append(-1, lags), running, "var(--value)", width=2.5, yaxis="y2"),
        straight("share of the lag", lags, found.share_by_lag, "var(--ink)", width=1.5, dash="4px,3px", yaxis="y2"),
    ]
    return framed(
        data,
        xaxis=axis("lag s − t, steps", range=[-0.5, max(1, len(lags)) - 0.5], showgrid=False, nticks=8, anchor="y2"),
        yaxis=log_axis("‖dL<sub>s</sub>/dh<sub>s−lag</sub>‖", low, high, zeros=False, infinities=False)
        | {"domain": [0.56, 1]},
        yaxis2=share_axis("share", [running, found.share_by_lag], domain=[0, 0.4], anchor="x", nticks=4),
        margin={"l": 66, "r": 14, "t": 62, "b": 44},
        annotations=nothing([norms]),
    )
