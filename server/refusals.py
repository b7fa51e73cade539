"""What is said when work is not taken, or comes to nothing: each with what to do, and when to come back. (leaf)"""

from __future__ import annotations

import math
import random

from engine.errors import Problem
from server.problems import RefusedError, refuse

SPREAD = 1.5  # those who were refused together come back spread over so many times the wait
LONGEST_WAIT = 60


def later(seconds: float, longest: int = LONGEST_WAIT) -> int:
    """Returns the whole seconds that somebody is told to wait where some have to pass: each another number."""
    return min(longest, max(1, math.ceil(seconds * random.uniform(1.0, SPREAD))))  # noqa: S311  it spreads clients, and hides nothing


def busy(value: str, limit: str, seconds: float = 1.0, status: int = 503, subject: str = "server",
         remedy: str = "", longest: int = LONGEST_WAIT) -> RefusedError:  # fmt: skip
    """Returns the refusal of what may be asked again when `seconds` of work have been done: 503, or 429 where it is
    the client itself who asks for too much."""
    wait = later(seconds, longest)
    return refuse(status, subject, value, limit, f"Try again in {wait} s{remedy}.", Retry_After=str(wait))


def stopping() -> RefusedError:
    return busy("stopping", "takes no more analyses", 5)


def too_slow(seconds: float) -> RefusedError:
    return RefusedError(
        503,
        Problem(
            "steps",
            f"over {seconds:.3g} s",
            f"this analysis may compute for {seconds:.3g} s",
            "Ask for fewer steps, a smaller batch or a smaller hidden width.",
        ),
        {"Retry-After": "60"},
    )


def spoilt(seconds: float) -> RefusedError:
    """Returns the refusal of a question that has just ended the processes that computed it."""
    wait = max(1, math.ceil(seconds))
    return refuse(
        503,
        "server",
        "the same question again",
        "the processes that computed it ended",
        f"Ask for fewer steps or a smaller hidden width, or try again in {wait} s.",
        Retry_After=str(wait),
    )


def lost() -> RefusedError:
    return refuse(
        503,
        "server",
        "a lost compute process",
        "the process that computed this ended",
        "Ask for fewer steps or a smaller hidden width, or try again in 30 s.",
        Retry_After="30",
    )
