"""Configs worth starting from, and the three questions that bring people here."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import Config, validate


@dataclass(frozen=True)
class Preset:
    """A named config."""

    name: str
    title: str
    help: str
    config: Config


def _preset(name: str, title: str, text: str, **options: object) -> Preset:
    return Preset(name, title, text, validate(Config(**options)))  # type: ignore[arg-type]


PRESETS: tuple[Preset, ...] = (
    _preset("tensorflow-tutorial", "The TensorFlow tutorial's num_steps = 20",
            "A text in windows of 20 steps; final_state is fed back as the next initial_state."),
    _preset("full", "Full BPTT", "The same network and text with nothing cut.", style="full"),
    _preset("outputs-only", "Outputs only, state never carried",
            "Every window of 20 starts from zeros again: the state was never touched.", value="reset"),
    _preset("vanishing", "Vanishing: plain RNN, small gain",
            "W_hh is half an orthogonal matrix: the gradient at least halves at every step back.",
            cell="rnn", init="orthogonal", gain=0.5, style="full", loss_at="last"),
    _preset("exploding", "Exploding: plain RNN, gain 2",
            "W_hh is twice an orthogonal matrix, the input a smooth series: the gradient grows on its way back.",
            cell="rnn", init="orthogonal", gain=2.0, task="series", style="full", loss_at="last", steps=100),
    _preset("forget-bias", "LSTM with forget bias 3",
            "The forget gates start almost open, and the cell state carries the gradient far.",
            forget_bias=3.0, style="full", loss_at="last"),
    _preset("out-of-reach", "A memory longer than the window",
            "The symbol to recall stands 40 steps back, the gradient goes back at most 20.",
            task="copy", lag=40, k=20),
    _preset("sliding", "Every loss goes back 20 steps", "A box instead of a triangle: no loss is short-changed.",
            style="sliding", k=20),
    _preset("k1k2", "Every 10 steps, go back 30", "Overlapping backward passes: BPTT(30; 10).",
            style="k1k2", k1=10, k2=30),
    _preset("random", "Random cuts (ARTBP), p = 0.05",
            "Each edge is cut with probability 0.05, the others are weighted by 1/0.95: right on average, never exact.",
            style="random", p=0.05),
    _preset("gru", "The same text through a GRU", "No separate cell state; windows of 20.", cell="gru"),
)

QUESTIONS: tuple[Preset, ...] = (
    _preset("autodiff", "Does my framework do BPTT by itself?",
            "Windows of 20, the state fed back as a number, as the official tutorial does it."),
    _preset("carry", "Must I carry the state from window to window?",
            "The carried run beside the one that starts from zeros at every window."),
    _preset("outputs", "What if I only use the outputs and never touch the state?",
            "Every window of 20 starts from zeros again.", value="reset"),
)
