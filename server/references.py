"""What a compute process keeps of the last analysis: while somebody moves k, only the truncated half is computed."""

from __future__ import annotations

import engine
from engine import Reference
from server.queries import Query

KINDS = ("analysis", "certificate", "credit", "figure")
MOST_KEPT = 2**26  # bytes that a kept reference may be estimated to hold


def keeps(query: Query) -> bool:
    """Returns whether a reference of a query is kept: of none with arrays of its own, and of none that is too large."""
    return query.kind in KINDS and not query.given and engine.estimate(query.config).bytes <= MOST_KEPT


class References:
    """The last reference of this process."""

    def __init__(self) -> None:
        self._last: Reference | None = None

    def of(self, query: Query) -> Reference | None:
        """Returns the reference of a query, or None where none is kept."""
        if not keeps(query):
            return None
        if self._last is None or self._last.config != engine.shared_part(query.config):
            self._last = None  # lets go of the old one first
            self._last = engine.reference(query.config)
        return self._last


references = References()
