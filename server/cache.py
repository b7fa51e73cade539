"""Encoded answers, the last used first, bounded by their bytes. (leaf)"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What can be kept: it has a body."""

    @property
    def body(self) -> bytes: ...


Item = TypeVar("Item", bound=Sized)


class Cache(Generic[Item]):
    """Keeps the answers used last, at most `most` bytes of bodies together."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self.hits = self.misses = 0
        self._items: OrderedDict[str, Item] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def get(self, key: str) -> Item | None:
        """Returns the answer and counts it as used, or None."""
        if key in self._items:
            self._items.move_to_end(key)
            self.hits += 1
        else:
            self.misses += 1
        return self._items.get(key)

    def put(self, key: str, item: Item) -> None:
        """Keeps an answer; one that would fill more than a quarter alone is not kept."""
        if len(item.body) > self.most // 4 or key in self._items:
            return
        self._items[key] = item
        self.size += len(item.body)
        while self.size > self.most:
            _, dropped = self._items.popitem(last=False)
            self.size -= len(dropped.body)
