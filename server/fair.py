"""A queue that is fair between clients: start-time fair queueing (Goyal, Vin & Cheng 1996), in seconds of work. (leaf)

Each item gets a finish tag: the later of the queue's virtual time and its client's last finish tag, plus its cost. The
smallest finish tag is served first. So a client who asks for much waits behind its own requests, not the others behind
them; among clients who have nothing waiting, the cheapest request goes first.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(order=True, frozen=True)
class Entry(Generic[Item]):
    """One item that waits."""

    finish: float
    number: int  # breaks ties in the order of arrival
    start: float = field(compare=False)
    client: str = field(compare=False)
    cost: float = field(compare=False)  # seconds
    light: bool = field(compare=False)
    item: Item = field(compare=False)


class Fair(Generic[Item]):
    """Items that wait, the next to be served first."""

    def __init__(self) -> None:
        self._entries: list[Entry[Item]] = []
        self._finish: dict[str, float] = {}  # of each client's last item, as long as it is ahead of the virtual time
        self._virtual = 0.0
        self._number = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: object) -> bool:
        return any(entry.item is item for entry in self._entries)

    def seconds(self, light: bool) -> float:
        """Returns the work that waits in one of the two budgets, in seconds."""
        return sum(entry.cost for entry in self._entries if entry.light is light)

    def add(self, item: Item, client: str, cost: float, light: bool = False) -> None:
        """Puts an item in its place."""
        start = max(self._virtual, self._finish.get(client, 0.0))
        self._finish[client] = start + cost
        self._number += 1
        insort(self._entries, Entry(start + cost, self._number, start, client, cost, light, item))

    def again(self, item: Item, client: str, cost: float, light: bool = False) -> None:
        """Puts an item before all others: it was served once, and its server was lost."""
        self._number += 1
        insort(self._entries, Entry(self._virtual, -self._number, self._virtual, client, cost, light, item))

    def pop(self, only_light: bool = False) -> Item | None:
        """Returns the next item (the next light one), or None; virtual time moves on to its start tag."""
        entry = next((entry for entry in self._entries if entry.light or not only_light), None)
        if entry is None:
            return None
        self._entries.remove(entry)
        self._virtual = max(self._virtual, entry.start)
        if not self._entries:
            self._finish.clear()  # nobody waits, so nobody is ahead of anybody
        elif len(self._finish) > 2 * len(self._entries) + 64:
            self._finish = {name: tag for name, tag in self._finish.items() if tag > self._virtual}
        return entry.item

    def remove(self, item: Item) -> None:
        """Takes out an item that nobody waits for any more."""
        self._entries = [entry for entry in self._entries if entry.item is not item]
