"""Events that come together, as they are sent: encoded once for all who watch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property

from fastapi.sse import format_sse_event

from server.store.rows import Event


class Batch:
    """Some events of one run, in their order. One that could not be stored has no id: 0."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def after(self, last: int) -> Batch:
        """Returns those whose ids are greater than `last`, and those without one."""
        new = [event for event in self.events if event.id == 0 or event.id > last]
        return self if len(new) == len(self) else Batch(new)

    @cached_property
    def last(self) -> int:
        """The greatest id; 0 if there is none."""
        return max((event.id for event in self.events), default=0)

    @cached_property
    def status(self) -> str:
        """The last status that they tell of; empty if they tell of none."""
        told = [event.data_json for event in self.events if event.kind == "state"]
        return str(json.loads(told[-1])["status"]) if told else ""

    @cached_property
    def encoded(self) -> bytes:
        """The bytes that are sent."""
        return b"".join(map(encode, self.events))


def encode(event: Event) -> bytes:
    """Returns an event as it is sent."""
    return format_sse_event(data_str=event.data_json, event=event.kind, id=str(event.id) if event.id else None)
