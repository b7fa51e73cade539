"""A strategy: one way to train through time, of the several that a run holds side by side. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Strategy:
    """How the gradient is truncated, what a window starts from, and in which order the windows come."""

    style: str = "window"
    k: int = 20
    k1: int = 10
    k2: int = 20
    p: float = 0.05
    value: str = "carry"
    order: str = "stream"
    frozen: bool = False

    @property
    def name(self) -> str:
        """Returns the strategy in a few words: 'window(20), state carried'. No two strategies share a name."""
        parts = [self.title, "state carried" if self.value == "carry" else "state reset"]
        if self.style == "full":
            parts = [self.title]
        if self.order == "shuffled":
            parts.append("windows shuffled")
        if self.frozen:
            parts.append("W_hh frozen")
        return ", ".join(parts)

    @property
    def title(self) -> str:
        """Returns the truncation alone: 'full BPTT', 'window(20)', 'k1k2(10, 20)', 'random(0.05)'."""
        if self.style == "full":
            return "full BPTT"
        numbers = {"k1k2": f"{self.k1}, {self.k2}", "random": repr(self.p)}.get(self.style, f"{self.k}")
        return f"{self.style}({numbers})"

    @property
    def window(self) -> int:
        """Returns how many steps a loss is sent back at most by design; 0 where nothing but chance or the
        sequence's start bounds it."""
        return {"full": 0, "random": 0, "k1k2": self.k2}.get(self.style, self.k)
