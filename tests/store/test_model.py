"""Whatever is done to a store, in whatever order: it answers as a dictionary of lists would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store import STATUSES, NewEvent, NewRun, Store, StoreError, new_id

RUNS = 3
CLAIMED = ("queued", "running")
LANES = ("", "0.0", "0.1")
EVENTS = st.lists(
    st.builds(NewEvent, st.sampled_from(("point", "moment")), st.sampled_from(LANES),
              st.none() | st.sampled_from("abcd"), st.sampled_from(("{}", "[1]", '"é"'))),
    max_size=6,
)
WHICH = st.integers(0, RUNS - 1)
DATA = st.binary(max_size=20)
ACTS = st.lists(
    st.tuples(st.just("append"), WHICH, EVENTS, st.none() | st.sampled_from(STATUSES),
              st.lists(st.tuples(st.sampled_from(LANES), DATA), max_size=2),
              st.lists(st.tuples(st.sampled_from(LANES), st.integers(0, 2), DATA), max_size=2))
    | st.tuples(st.just("delete"), WHICH)
    | st.tuples(st.just("create"), WHICH)
    | st.tuples(st.sampled_from(("sweep", "interrupt", "open"))),
    max_size=25,
)


@dataclass
class Model:
    """A run as the store must have it."""

    id: str
    status: str = "queued"
    mine: bool = True  # the open store has claimed it
    events: list[NewEvent] = field(default_factory=list)
    checkpoints: dict[str, bytes] = field(default_factory=dict)
    moments: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def append(self, events: list[NewEvent], status: str | None, checkpoints: Any, moments: Any) -> list[int]:
        """Returns the ids that the events must get."""
        first = len(self.events)
        for event in events:
            keys = [(kept.lane, kept.kind, kept.key) for kept in self.events]
            if event.key is None or (event.lane, event.kind, event.key) not in keys:
                self.events.append(event)
        self.status = status or self.status
        self.mine |= status in CLAIMED
        self.checkpoints |= dict(checkpoints)
        self.moments |= {(lane, tokens): data for lane, tokens, data in moments}
        return list(range(first + 1, len(self.events) + 1))


def compare(store: Store, visitor: str, models: list[Model | None]) -> None:
    live = [model for model in models if model is not None]
    assert {row.id: row.status for row in store.runs(visitor)} == {model.id: model.status for model in live}
    for model in live:
        kept = store.events(model.id)
        assert [event.id for event in kept] == list(range(1, len(model.events) + 1))
        assert [NewEvent(event.kind, event.lane, event.key, event.data_json) for event in kept] == model.events
        for lane in LANES:
            assert store.checkpoint(model.id, lane) == model.checkpoints.get(lane)
            for tokens in range(3):
                assert store.moment(model.id, lane, tokens) == model.moments.get((lane, tokens))


def perform(store: Store, visitor: str, models: list[Model | None], act: Any) -> None:
    """Does the same to the store and to the models, and compares what the store says at once."""
    kind, *rest = act
    if kind in ("sweep", "interrupt"):
        changed = {model.id for model in models if model and model.status in CLAIMED and not model.mine}
        answer = store.sweep() if kind == "sweep" else store.interrupt()
        if kind == "interrupt":
            assert changed <= set(answer)  # those of earlier examples are among them
            assert not {model.id for model in models if model and model.mine} & set(answer)
            for model in models:
                if model and model.id in changed:
                    model.status = "interrupted"
        return
    which, *rest = rest
    model = models[which]
    if kind == "create":
        made = store.create(NewRun(new_id(), visitor, "{}", key=str(which)))
        models[which] = model or Model(made.id)
        assert made.id == models[which].id  # type: ignore[union-attr]
    elif kind == "delete":
        assert store.delete(model.id if model else new_id()) is (model is not None)
        models[which] = None
    elif model is None:
        try:
            store.append(new_id(), *rest)
        except StoreError as error:
            if error.kind == "unknown":
                return
        raise AssertionError("an append to a run that is not kept")
    else:
        assert [event.id for event in store.append(model.id, *rest)] == model.append(*rest)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_store_does_as_its_model(url: str, acts: list[Any]) -> None:
    store, visitor = Store.open(url), new_id()
    models: list[Model | None] = [None] * RUNS
    try:
        for which in range(RUNS):
            perform(store, visitor, models, ("create", which))
        for act in acts:
            if act[0] == "open":
                store.close()
                store = Store.open(url)
                for model in models:
                    if model is not None:
                        model.mine = False
            else:
                perform(store, visitor, models, act)
        compare(store, visitor, models)
    finally:
        store.close()
