"""The event loop's lateness is seen, counted and said, but not said without end."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from server.lag import LOOK_SECONDS, WARN_SECONDS, Lag


def test_a_loop_that_is_held_up_is_noticed_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    found: list[float] = []

    async def held_up() -> None:
        lag = Lag(found.append)
        lag.start()
        for _ in range(2):
            await asyncio.sleep(LOOK_SECONDS / 2)
            time.sleep(2 * LOOK_SECONDS + WARN_SECONDS)  # what nothing on the loop may do
            await asyncio.sleep(LOOK_SECONDS / 2)
        await lag.stop()

    with caplog.at_level(logging.WARNING, logger="unrolled"):
        asyncio.run(held_up())
    assert len(found) >= 2
    assert max(found) > WARN_SECONDS
    assert sum("held up" in record.message for record in caplog.records) == 1
