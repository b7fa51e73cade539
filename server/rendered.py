"""Pages as bytes, plain and compressed, made once a second at most: a class that opens one at the same moment would
hold the event loop up for each of its pupils anew."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass

KEPT_SECONDS = 1.0  # after which a template that was changed is seen


@dataclass(frozen=True)
class Rendered:
    """A page's bytes, and when they were made."""

    plain: bytes
    compressed: bytes
    made: float


class Pages:
    """The pages of one server, each by its name; there are only so many. What is kept is the same for everybody."""

    def __init__(self) -> None:
        self._kept: dict[str, Rendered] = {}

    def get(self, name: str, render: Callable[[], str]) -> Rendered:
        """Returns a page, rendered just now or within the last second."""
        now = time.monotonic()
        found = self._kept.get(name)
        if found is None or now >= found.made + KEPT_SECONDS:
            plain = render().encode()
            found = self._kept[name] = Rendered(plain, gzip.compress(plain, 4, mtime=0), now)
        return found
