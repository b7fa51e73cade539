"""An analysis as a person reads it in a terminal: the sentences, and small tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

import numpy as np

from engine import Analysis, Certificate
from engine.traces import Comparison

WIDTH = 100
ROWS = 11  # of the per-step table; all steps are in --csv


def summary(found: Analysis) -> str:
    """Returns the sentences, what truncation costs by block, and the norms at some steps."""
    words = found.words
    sentences = (words.headline, words.norms, words.credit, words.carry_over, words.costs, words.certificate)
    return "\n\n".join([_title(found), *_paragraphs(sentences), _costs(found), _steps(found)])


def certificates(truncated: Certificate, full: Certificate, sentence: str) -> str:
    """Returns every block's two derivatives, of both gradients (of one, where nothing is cut)."""
    found = (truncated,) if full is truncated else (truncated, full)
    return "\n\n".join([*(_certificate(one) for one in found), *_paragraphs([sentence])])


def _title(found: Analysis) -> str:
    config = found.config
    sizes = f"H = {config['hidden']}, T = {config['steps']}, B = {config['batch']}, {found.parameters} parameters"
    return f"{config['cell']}, {sizes}, task {config['task']} ({found.sequence.source}), {found.plan.title}"


def _paragraphs(sentences: Iterable[str]) -> list[str]:
    return [fill(sentence, WIDTH) for sentence in sentences if sentence]


def _costs(found: Analysis) -> str:
    rows = [("whole gradient", found.costs.whole), *found.costs.blocks.items()]
    return table(("truncated beside full", "cosine", "angle", "relative error", "kept"), [_cost(*row) for row in rows])


def _cost(name: str, cost: Comparison) -> tuple[str, ...]:
    numbers = (cost.cosine, cost.angle, cost.relative_error, 100 * cost.kept)
    shown = zip(numbers, ("{:.6f}", "{:.1f} deg", "{:.3g}", "{:.1f} %"), strict=True)
    return name, *(form.format(value) if np.isfinite(value) else "-" for value, form in shown)


def _steps(found: Analysis) -> str:
    steps = np.unique(np.linspace(0, len(found.states.h) - 1, ROWS).round().astype(int)).tolist()
    rows = [(str(t), *_step(found, t)) for t in steps]
    return table(("step", "read", "loss", "|h|", "|dL/dh| truncated", "|dL/dh| full"), rows)


def _step(found: Analysis, t: int) -> tuple[str, ...]:
    loss = f"{found.loss.per_step[t]:.4g}" if t in found.sequence.loss_steps else ""
    numbers = (found.states.h[t], found.truncated.h[t], found.full.h[t])
    return repr(found.sequence.inputs[t]), loss, *(f"{value:.3g}" for value in numbers)


def _certificate(found: Certificate) -> str:
    rows = [(b.block, f"{b.analytic:.15g}", f"{b.complex_step:.15g}", f"{b.relative_error:.1e}") for b in found.blocks]
    head = f"{found.objective}: {found.status}, worst {found.worst:.1e}, tolerance {found.tolerance:.0e}"
    return (
        head
        + "\n"
        + table(("block", "analytic", "complex step", "relative error"), rows)
        + "\n"
        + fill(found.note, WIDTH)
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table in plain text: words to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [[text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths, strict=True))]
             for row in (head, *rows)]  # fmt: skip
    return "\n".join("  ".join(line).rstrip() for line in lines)
