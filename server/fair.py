"""A queue that is fair between networks, and within each between its clients: self-clocked fair queueing (Golestani
1994) on two levels, in seconds of work. (leaf)

Each item gets a finish tag: the later of the queue's virtual time and its client's last finish tag, plus its cost. The
smallest finish tag is served first, and virtual time moves on to it. So a client who asks for much waits behind its own
requests, not the others behind them; among clients who have nothing waiting, the cheapest request goes first, but who
has waited while others were served goes before the cheaper ones that come then. Networks take their turns by the same
rule, so that many names made up in one network get no more than that network's share.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(order=True, frozen=True)
class Entry(Generic[Item]):
    """One item that waits."""

    finish: float
    number: int  # breaks ties in the order of arrival
    cost: float = field(compare=False)  # seconds
    light: bool = field(compare=False)
    item: Item = field(compare=False)


class Tags:
    """The virtual time of those who share, and the last finish tag of each that is ahead of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._finish: dict[str, float] = {}

    def start(self, name: str) -> float:
        """Returns where the next item of somebody starts."""
        return max(self.now, self._finish.get(name, 0.0))

    def took(self, name: str, finish: float) -> None:
        """Notes the finish tag of somebody's last item; those that time has overtaken are forgotten now and then."""
        self._finish[name] = finish
        if len(self._finish) > 512:
            self._finish = {each: tag for each, tag in self._finish.items() if tag > self.now}


class Network(Generic[Item]):
    """What waits from one network, the next to be served first."""

    def __init__(self, start: float) -> None:
        self.start = start  # tag of its next turn
        self.entries: dict[bool, list[Entry[Item]]] = {True: [], False: []}  # the light ones, and the others
        self.tags = Tags()

    def __bool__(self) -> bool:
        return any(self.entries.values())

    def head(self, light: bool | None) -> Entry[Item] | None:
        """Returns the next entry of those that are wanted (None: of all), or None."""
        wanted = self.entries.values() if light is None else (self.entries[light],)
        return min((entries[0] for entries in wanted if entries), default=None)


class Fair(Generic[Item]):
    """Items that wait, the next to be served first."""

    def __init__(self) -> None:
        self._networks: dict[str, Network[Item]] = {}
        self._now = 0.0  # the networks' virtual time
        self._first: list[Entry[Item]] = []  # go before all others
        self._numbers = count()
        self._count = {True: 0, False: 0}  # of light items, and of the others
        self._seconds = {True: 0.0, False: 0.0}

    def __len__(self) -> int:
        return sum(self._count.values())

    def __contains__(self, item: object) -> bool:
        return any(entry.item is item for entries in self._all() for entry in entries)

    def seconds(self, light: bool) -> float:
        """Returns the work that waits in one of the two budgets, in seconds."""
        return self._seconds[light]

    def add(self, item: Item, client: str, cost: float, light: bool = False, network: str = "") -> None:
        """Puts an item in its place."""
        if network not in self._networks:
            self._networks[network] = Network(self._now)
        there = self._networks[network]
        finish = there.tags.start(client) + cost
        there.tags.took(client, finish)
        insort(there.entries[light], Entry(finish, next(self._numbers), cost, light, item))
        self._counted(cost, light, 1)

    def again(self, item: Item, cost: float, light: bool = False) -> None:
        """Puts an item before all others: it was served once, and its server was lost."""
        self._first.insert(0, Entry(0.0, next(self._numbers), cost, light, item))
        self._counted(cost, light, 1)

    def pop(self, light: bool | None = None) -> Item | None:
        """Returns the next item (the next light one, the next of the others), or None; virtual time moves on."""
        for entry in self._first:
            if light is None or entry.light is light:
                self._first.remove(entry)
                self._counted(entry.cost, entry.light, -1)
                return entry.item
        heads = [(name, there, head) for name, there in self._networks.items() if (head := there.head(light))]
        if not heads:
            return None
        name, there, entry = min(heads, key=lambda each: (each[1].start + each[2].cost, each[2].number))
        self._serve(name, there, entry)
        return entry.item

    def remove(self, item: Item) -> None:
        """Takes out an item that nobody waits for any more."""
        for entries in self._all():
            for entry in entries:
                if entry.item is item:
                    entries.remove(entry)
                    self._counted(entry.cost, entry.light, -1)
                    self._forget_empty()
                    return

    def _serve(self, name: str, there: Network[Item], entry: Entry[Item]) -> None:
        there.entries[entry.light].remove(entry)
        there.tags.now = max(there.tags.now, entry.finish)
        there.start += entry.cost
        self._now = max(self._now, there.start)
        self._counted(entry.cost, entry.light, -1)
        if not there:
            del self._networks[name]

    def _counted(self, cost: float, light: bool, sign: int) -> None:
        self._count[light] += sign
        self._seconds[light] = self._seconds[light] + sign * cost if self._count[light] else 0.0

    def _all(self) -> list[list[Entry[Item]]]:
        return [self._first, *chain.from_iterable(there.entries.values() for there in self._networks.values())]

    def _forget_empty(self) -> None:
        self._networks = {name: there for name, there in self._networks.items() if there}
