"""Lagged bits with windows shorter than the lag: what is learned although no gradient goes that far."""

from __future__ import annotations

from engine.published.bits_training import Recipe, Trained, held_out, train
from engine.published.lagged_bits import PITIS, floor
from engine.published.result import About, Measured, Picture, Published, Role, Series, check, published, series

ABOUT = About(
    "below_the_lag", "A window shorter than the lag is no hard limit", PITIS,
    "With windows of 5 steps and a carried state of 4 units, the network learns the first lag and not the second: 0.52 "
    "nats. (Of 16 units with such windows it says nothing; an earlier run of ours came to about 0.463.)")
RECIPES = {
    "small": Recipe(5, hidden=4), "wide": Recipe(5), "long": Recipe(5, updates=4000),
    "frozen": Recipe(5, frozen=True), "frozen wide": Recipe(5, hidden=64, frozen=True, gain=1.5, updates=1000)}


def compute() -> Published:
    """Returns the losses of carried trainings at k = 5, beside those of frozen recurrences."""
    runs = {name: train(recipe) for name, recipe in RECIPES.items()}
    losses = {name: float(held_out(run).mean()) for name, run in runs.items()}
    checks = [check("4 units, 2,000 updates: the first lag", 0.52, losses["small"], 0.01),
              check("16 units, 2,000 updates", 0.463, losses["wide"], 0.01),
              check("16 units, 4,000 updates, beside the floor of both lags", floor(8), losses["long"], 0.01)]
    measured = (Measured("16 units, recurrence frozen as drawn, readout trained", losses["frozen"]),
                Measured("64 units, recurrence frozen as drawn with gain 1.5, readout trained", losses["frozen wide"]),
                Measured("floor of lag 3", floor(3)), Measured("floor of both lags", floor(8)))
    return published(
        ABOUT, "Plain RNNs trained with windows of 5 steps, state carried as a value and every gradient cut at the "
        "window's edge; and as controls, recurrences that are not trained at all.", checks,
        f"No gradient here goes back 8 steps, and yet 16 units come down to {losses['long']:.4f}. The carried state "
        "holds the last bits by itself, and the readout learns to use them: even a random recurrence of 64 units "
        f"that is never trained gives {losses['frozen wide']:.3f}, below the {floor(3):.4f} of lag 3. Truncation "
        "biases what the recurrence learns; it does not keep the network from using what its state holds.",
        _picture(runs), measured)


def _picture(runs: dict[str, Trained]) -> Picture:
    ends = [0, RECIPES["long"].updates]
    return Picture("Training loss, windows of 5 steps, state carried", "updates", "nats", False, (
        _curve("16 units", runs["long"], "full"), _curve("4 units", runs["small"], "value"),
        _curve("64 units, frozen", runs["frozen wide"], "truncated"),
        series("floor of lag 3", ends, [floor(3)] * 2, "ink"),
        series("floor of both lags", ends, [floor(8)] * 2, "ink")))


def _curve(name: str, run: Trained, role: Role) -> Series:
    updates, losses = run.curve
    return series(name, updates, losses, role)
