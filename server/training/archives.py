"""Arrays as bytes and back: checkpoints, and the weights of moments. Only what we wrote ourselves is read. (leaf)"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray


def dump(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Returns NumPy's archive of some arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def load(content: bytes) -> dict[str, NDArray[Any]]:
    """Returns the arrays of an archive that `dump` made."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
