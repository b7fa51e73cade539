"""Pictures of a training run: (RunView) -> figure, sentence and table; the same for the page and the report."""

from __future__ import annotations

from engine.training import RunView
from server.figures.training.costs import costs
from server.figures.training.half_life import half_life
from server.figures.training.loss import loss, loss_other, training
from server.figures.training.measures import MEASURES, measure_of
from server.figures.training.norms import norms
from server.figures.training.picture import Picture, Table, is_classes
from server.figures.training.probe import probe
from server.figures.training.score import score


def draw_all(view: RunView, seed: int | None = None, measure: str = "nats") -> dict[str, Picture]:
    """Returns every picture by its name; `probe_0`, `probe_1`, ... show the lanes of one seed (the first by default).

    Colours are role names, as in every figure; `measure` is one of MEASURES."""
    chosen = measure_of(measure, is_classes(view))
    drawn = {"loss": loss(view, chosen)}
    if is_classes(view):
        drawn["score"] = score(view)
    drawn |= {"loss_other": loss_other(view, chosen), "training": training(view, chosen), "norms": norms(view),
              "half_life": half_life(view), "costs": costs(view)}
    shown = view.lab.seed if seed is None else seed
    return drawn | {f"probe_{index}": probe(view, index, shown) for index in range(len(view.lab.strategies))}


__all__ = ["MEASURES", "Picture", "Table", "draw_all"]
