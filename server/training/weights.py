"""A moment's weights with the config that belongs to them: what the explorer and POST /api/v1/analysis take."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engine import OPTION, Config, as_query, parse
from engine.training import Lab
from engine.training.corpus import corpus_of
from server.encoding import encode_json
from server.training.archives import load
from server.training.messages import lane_parts

STEPS, BATCH = 60, 8
OWN = ("style", "k", "k1", "k2", "p", "value")


def opened(lab: Lab, lane: str, stored: bytes) -> bytes:
    """Returns the JSON of a moment of a lane: config, weights by the engine's own names, and the vocabulary."""
    strategy, seed = lane_parts(lane)
    config = config_of(lab, strategy, seed)
    whole = {
        "config": {name: getattr(config, name) for name in as_query(config)},
        "weights": load(stored),
        "vocabulary": list(corpus_of(lab).vocabulary),
    }
    return encode_json(whole)


def config_of(lab: Lab, strategy: int, seed: int) -> Config:
    """Returns the config of an analysis of the same network, on the lab's data, cut as the strategy cuts."""
    shared = {field.name for field in fields(Config)} & {field.name for field in fields(Lab)}
    given: dict[str, Any] = {name: getattr(lab, name) for name in shared - {"series", "dtype", "seed"}}
    given |= {name: getattr(lab.strategies[strategy], name) for name in OWN}
    longest = int(OPTION["text"].high or 0)
    given |= {"seed": seed, "text": lab.text[:longest], "batch": min(lab.batch, BATCH), "steps": lab.steps or STEPS}
    if lab.series:
        given["series"] = lab.series[0]
    return parse(given)
