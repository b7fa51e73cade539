"""A short form of tests/hostile/slow.py: hundreds of slow clients at once, and somebody who asks meanwhile."""

from __future__ import annotations

import asyncio

from tests.hostile.slow import STREAMS, attack, attacked
from tests.server.training_client import within

COUNT, LIMIT = 320, 1.5


def test_slow_clients_are_closed_and_the_others_do_not_notice() -> None:
    limits = {"header_seconds": LIMIT, "body_seconds": LIMIT, "stalled_seconds": LIMIT, "half_open": 64}
    with attacked(**limits, streams_per_client=4) as (server, run):
        seen = asyncio.run(attack(server, COUNT, 5 * within(LIMIT), run))
        assert server.get("/healthz")[0] == 200
    assert set(seen.statuses) == {200}
    assert seen.quantile(0.5) < 1000 * within(0.1)
    for kind, times in seen.closed.items():
        assert len(times) == COUNT // 4, (kind, str(seen))
        assert max(times) < within(4 * LIMIT), (kind, str(seen))
    assert max(count for _, count in seen.held) > COUNT // 8
    assert seen.held[-1][1] <= STREAMS, str(seen)
