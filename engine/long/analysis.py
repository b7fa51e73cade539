"""One config in, a long sequence's overview out."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from engine.analysis import unit_of
from engine.compare import costs
from engine.config import Config, validate
from engine.given import Given
from engine.long import words
from engine.long.bins import band, bin_size, counted
from engine.long.certify import certify_reference
from engine.long.closeup import block_norms
from engine.long.cost import check_long
from engine.long.reach import window_start, windows_of
from engine.long.reference import LongReference, Side, long_reference
from engine.long.sweep import PerStep
from engine.long.view import Long, LongNorms, LongPlan, LongWords
from engine.traces import Certificate
from engine.truncation import dead_edges, title_of
from engine.words import certificate as certificate_words

INCLUDES = ("gradients",)


def analyze_long(config: Config, given: Given | None = None, include: frozenset[str] = frozenset(),
                 certify: bool = True, kept: LongReference | None = None) -> Long:
    """Returns the overview of a config. `kept` is its reference, to save its work. Raises InputError as `analyze`."""
    config = validate(config)
    check_long(config, certify)
    kept = kept or long_reference(config, given)
    checks = certify_reference(kept) if certify else (None, None)
    return _overview(kept, include, checks)


def certify_long(config: Config, given: Given | None = None,
                 kept: LongReference | None = None) -> tuple[Certificate, Certificate]:
    """Returns the certificates of the truncated and of the full gradient, without the rest."""
    config = validate(config)
    check_long(config, True)
    return certify_reference(kept or long_reference(config, given))


def _overview(kept: LongReference, include: frozenset[str],
              checks: tuple[Certificate | None, Certificate | None]) -> Long:
    x, config, losses = kept.x, kept.config, kept.truncated.ahead.losses
    total, read = float(losses[x.counts].sum()), int(x.counts.sum())
    borders, arrays = kept.full.borders, "gradients" in include
    return Long(
        config=asdict(config), parameters=sum(block.size for block in x.params.values()), steps=config.steps,
        bin=bin_size(config.steps), source=x.batch.source, sha256=x.batch.sha256, segment=borders.budget.segment,
        borders=len(borders.states), plan=_plan(kept), loss=band(losses, x.counts), loss_total=total,
        loss_mean=total / read, unit=unit_of(x.network), states=_norms(kept.truncated.ahead.states, None),
        truncated=_norms(kept.truncated.norms, kept.truncated), full=_norms(kept.full.norms, kept.full),
        costs=costs(kept.truncated.sweep.blocks, kept.full.sweep.blocks), credit=kept.credit,
        certificate=checks[0], certificate_full=checks[1], words=_words(kept, checks),
        gradients=dict(kept.truncated.sweep.blocks) if arrays else None,
        gradients_full=dict(kept.full.sweep.blocks) if arrays else None)


def _norms(found: PerStep, side: Side | None) -> LongNorms:
    return LongNorms(band(found.h), None if found.c is None else band(found.c), block_norms(side) if side else {})


def _plan(kept: LongReference) -> LongPlan:
    config, draws = kept.config, kept.full.run.draws
    starts = np.zeros(config.steps, bool)
    if config.value == "reset":
        starts[1:] = [window_start(config, draws, t) == t for t in range(1, config.steps)]
    return LongPlan(title_of(config), windows_of(config, draws), kept.tracks, counted(dead_edges(kept.reach)),
                    counted(starts))


def _words(kept: LongReference, checks: tuple[Certificate | None, Certificate | None]) -> LongWords:
    config, cuts = kept.config, not kept.same
    found = costs(kept.truncated.sweep.blocks, kept.full.sweep.blocks)
    last = int(np.flatnonzero(kept.x.counts)[-1])
    return LongWords(
        headline=words.headline(asdict(config), found, kept.reach, last, cuts),
        overview=words.overview(config.steps, bin_size(config.steps), windows_of(config, kept.full.run.draws)),
        norms=words.norms(float(kept.truncated.norms.h.max()), float(kept.full.norms.h.max())),
        costs=words.costs(found, cuts), certificate=certificate_words(*checks))
