"""Labs worth starting from. The first is the one that the Train page opens with."""

from __future__ import annotations

from dataclasses import dataclass

from engine.training.lab import Lab
from engine.training.parsing import validate_lab
from engine.training.strategies import Strategy


@dataclass(frozen=True)
class LabPreset:
    """A named lab."""

    name: str
    title: str
    help: str
    lab: Lab


def _preset(name: str, title: str, text: str, *strategies: Strategy, **options: object) -> LabPreset:
    return LabPreset(name, title, text, validate_lab(Lab(strategies=strategies, **options)))  # type: ignore[arg-type]


def _both(*lengths: int) -> tuple[Strategy, ...]:
    return tuple(Strategy(k=k, value=value) for k in lengths for value in ("carry", "reset"))


LAB_PRESETS: tuple[LabPreset, ...] = (
    _preset("carry-or-reset", "Must I carry the state? (num_steps 5)",
            "The same network with the state fed back from window to window, and with zeros at every window's start: "
            "what the two questions are about, in under a minute.",
            *_both(5), tokens=250_000, rate=0.003, seeds=5, evaluations=15),
    _preset("longer-windows", "Is a longer window better?",
            "Windows of 5, 20 and 50 steps, carried and reset, on equally many tokens.",
            *_both(5, 20, 50), tokens=250_000, batch=8, rate=0.003),
    _preset("equal-updates", "Longer windows with equally many updates",
            "One update for each sequence of 60 steps, whatever the window: only the gradient's way back differs.",
            Strategy(style="full"), *_both(5, 20), steps=60, update="sequence", tokens=240_000, batch=4, rate=0.005),
    _preset("copy", "A memory longer than the window",
            "The symbol to recall stands 12 steps back. Full BPTT learns it, windows of 5 cannot, carried or not.",
            Strategy(style="full"), *_both(5), Strategy(k=20), task="copy", lag=12, steps=40, batch=32, rate=0.01,
            tokens=600_000),
    _preset("lagged-bits", "Echoes after 3 and 8 steps",
            "Each bit depends on the inputs 3 and 8 steps ago. What do windows of 5 miss?",
            Strategy(style="full"), *_both(5), Strategy(style="sliding", k=5), task="lagged_bits", cell="rnn",
            hidden=32, steps=40, batch=32, rate=0.005, tokens=400_000),
    _preset("shuffled", "Shuffled with a carried state: the classic mistake",
            "A data loader that shuffles the windows hands each one the state of a stranger.",
            Strategy(k=5), Strategy(k=5, order="shuffled"), Strategy(k=5, value="reset"), tokens=200_000, rate=0.003,
            seeds=5),
    _preset("frozen", "What does learning W_hh add?",
            "The control: recurrent matrices as they were drawn, everything else learns.",
            Strategy(k=5), Strategy(k=5, frozen=True), Strategy(k=5, value="reset"), tokens=200_000, rate=0.003),
    _preset("styles", "Five ways to truncate",
            "Full BPTT of sequences of 60 steps, beside windows, sliding windows, k1k2 and random cuts.",
            Strategy(style="full"), Strategy(k=10), Strategy(k=10, value="reset"),
            Strategy(style="k1k2", k1=10, k2=20), Strategy(style="random", p=0.1), steps=60, update="sequence",
            tokens=240_000, batch=4, rate=0.005),
)
