"""The one absolute colour scale of gradients, shared by every picture.

`static/js/lib/scales.js` has the same bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Floats
from server.figures.base import power

LOW, HIGH = 1e-9, 10.0
LOG_LOW, LOG_HIGH = -9, 1
ZERO, BELOW, OVER = LOG_LOW - 1.5, LOG_LOW - 0.5, LOG_HIGH + 0.5  # the flat bands beside the scale
Z_MIN, Z_MAX = LOG_LOW - 2, LOG_HIGH + 1
SHADES = 6


def to_z(norms: Floats) -> NDArray[np.float32]:
    """Returns log10 of norms for a heatmap.

    Exact zeros, norms under the scale, and those over it (infinity and NaN too) get bands of their own."""
    z = np.full(norms.shape, OVER, dtype=np.float32)
    inside = (norms >= LOW) & (norms <= HIGH)
    z[inside] = np.log10(norms[inside])
    z[(norms > 0) & (norms < LOW)] = BELOW
    z[norms == 0] = ZERO
    return z


def place(z: float) -> float:
    """Returns where a z stands between Z_MIN (0) and Z_MAX (1)."""
    return (z - Z_MIN) / (Z_MAX - Z_MIN)


def colorscale() -> list[list[object]]:
    """Returns the scale with its three flat bands: zero, below, and over."""
    bands: list[list[object]] = [
        [0.0, "var(--sunken)"],
        [place(LOG_LOW - 1), "var(--sunken)"],
        [place(LOG_LOW - 1), "var(--below)"],
        [place(LOG_LOW), "var(--below)"],
    ]
    for shade in range(SHADES):
        z = LOG_LOW + (LOG_HIGH - LOG_LOW) * shade / (SHADES - 1)
        bands.append([place(z), f"var(--credit-{shade})"])
    return [*bands, [place(LOG_HIGH), "var(--over)"], [1.0, "var(--over)"]]


def heatmap(z: NDArray[np.float32], **more: Any) -> dict[str, Any]:
    """Returns a heatmap of to_z's values on the shared scale."""
    return {
        "type": "heatmap",
        "z": z,
        "zmin": Z_MIN,
        "zmax": Z_MAX,
        "zauto": False,
        "colorscale": colorscale(),
        **more,
    }


def colorbar(title: str, **more: Any) -> dict[str, Any]:
    """Returns the legend of the scale."""
    exponents = [-9, -6, -3, 0]
    return {
        "title": {"text": title, "side": "right"},
        "thickness": 11,
        "outlinewidth": 0,
        "xpad": 6,
        "tickmode": "array",
        "tickvals": [ZERO, *exponents, OVER],
        "ticktext": ["0", *map(power, exponents), "over"],
        **more,
    }
