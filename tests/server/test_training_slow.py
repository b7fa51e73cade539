"""Training processes that say nothing for seconds, as an update of theirs is long."""

from __future__ import annotations

from pathlib import Path

from tests.server.training_client import TINY, Visitor, served, visitor

# One update of it is one call of some seconds.
SLOW = TINY | {"hidden": 512, "batch": 48, "steps": 200, "tokens": 9_600, "evaluations": 1,
               "strategies": [{"style": "full"}]}  # fmt: skip


def lost(owner: Visitor, id: str) -> list[str]:
    """Returns what a run says of the processes that it lost."""
    return [event["data"]["text"] for event in owner.events(id) if event["event"] == "worker"]


def test_a_process_that_is_at_a_long_update_does_not_hang(tmp_path: Path) -> None:
    with served(tmp_path, training_workers=1) as server:
        owner = visitor(server)
        id = owner.start(SLOW)
        owner.until(id, "done")
        assert lost(owner, id) == []


def test_a_process_that_computes_for_long_and_says_nothing_is_ended(tmp_path: Path) -> None:
    with served(tmp_path, training_workers=1, training_stall_seconds=1) as server:
        owner = visitor(server)
        id = owner.start(SLOW)
        note = owner.until(id, "interrupted")["note"]
        assert note == "A training process said nothing for 1 s, and was ended; the run waits to be resumed."
        assert len(lost(owner, id)) == 2
