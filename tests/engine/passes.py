"""Truncation as people think of it: a list of backward passes. The second opinion on plans. (leaf)"""

from __future__ import annotations


def passes(style: str, T: int, k: int, k1: int, k2: int) -> list[tuple[range, int]]:
    """Returns each backward pass: its loss steps, and the step before which its graph is cut off."""
    if style == "full":
        return [(range(T), 0)]
    if style == "window":
        return [(range(a, min(a + k, T)), a) for a in range(0, T, k)]
    if style == "sliding":
        return [(range(s, s + 1), max(0, s - k + 1)) for s in range(T)]
    return [(range(a, min(a + k1, T)), max(0, a + k1 - k2)) for a in range(0, T, k1)]


def resets(style: str, T: int, k: int, k1: int) -> list[int]:
    """Returns the steps before which a state that is never carried is the initial state again."""
    stride = {"full": T, "k1k2": k1}.get(style, k)
    return list(range(stride, T, stride))
