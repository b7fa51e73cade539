"""The clock is set back by a day, and forward, while a run trains, streams are open and leases and quotas are in use:
ids, order and numbers stay, and nobody waits for a day."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.seen import Seen, noting
from tests.server.live import live, until
from tests.server.training_client import TINY, numbers, visitor, within

DAY = 86_400
LAB = TINY | {"hidden": 16, "tokens": 60_000, "evaluations": 3, "batch": 8}
SMALL = "/api/v1/analysis?steps=8&hidden=4&batch=1&certificate=false&seed={}"


def scene(count: int, folder: Path) -> Seen:
    """Sets the clock so many times, in turn back and forward, each time by more days."""
    seen, clock = Seen(), folder / "clock"
    clock.write_text("0")
    settings = {"workers": 1, "light_workers": 0, "training_workers": 2, "training_nice": 0, "data": folder,
                "faulty_clock": clock, "kept_days": 1, "streams_per_client": 50}  # fmt: skip
    with live("tests.faults.faulty_server", **settings) as server, noting(seen, "the clock"):
        owner = visitor(server)
        calm = numbers(owner.events(owner.until(owner.start(LAB), "done")["id"]))
        id = owner.start(LAB)
        with owner.stream(id) as stream:
            slowest = 0.0
            for number in range(count):
                owner.trained(id, 5_000 * (number + 1))
                clock.write_text(str(DAY * (number // 2 + 1) * (-1) ** (number + 1)))
                begun = time.monotonic()
                assert owner.ask("GET", SMALL.format(number)).status == 200
                assert owner.control(id, "pause").status == 200
                assert owner.control(id, "resume").status == 200
                slowest = max(slowest, time.monotonic() - begun)
            assert owner.until(id, "done")["status"] == "done"
            followed = list(stream)
        events = owner.events(id)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1)), "a gap in the ids"
        assert followed == events, "the stream is not what is kept"
        assert numbers(events) == calm, "other numbers"
        runs = [owner.start() for _ in range(3)]
        listed = [run["id"] for run in owner.ask("GET", "/api/v1/training").body]
        assert listed[:3] == runs[::-1], "not in the order in which they were made"
        until(lambda: all(owner.run(one)["status"] == "done" for one in runs))
        seen.say(f"set {count} times while a run trained: {len(events)} events in order, the same numbers as without")
        seen.say(f"an analysis, a pause and a resume took at most {slowest:.2f} s", slowest <= within(5))
        code, seconds, errors = server.stop()
        seen.say(f"exit code {code} after {seconds:.1f} s, said: {errors.strip()[:200] or 'nothing'}",
                 code == 0 and errors == "")  # fmt: skip
    return seen


def test_a_clock_that_is_set_disturbs_nothing(tmp_path: Path) -> None:
    seen = scene(2, tmp_path)
    assert not seen.broken, seen.figures
