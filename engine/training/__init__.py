"""The training lab: the same network trained by several strategies, and what the difference is worth."""

from engine.training.columns import series_from_csv
from engine.training.corpus import Corpus, corpus_of
from engine.training.estimate import LabEstimate, LaneEstimate, estimate_lab
from engine.training.findings import Comparison, Outcome, Verdict
from engine.training.lab import Lab
from engine.training.lane import Lane
from engine.training.memory import memory_of
from engine.training.options import LAB_OPTIONS, STRATEGY_OPTIONS, canonical_lab
from engine.training.parsing import lab_as_dict, parse_lab, validate_lab
from engine.training.presets import LAB_PRESETS, LabPreset
from engine.training.snapshots import Evaluation, Moment, Snapshot
from engine.training.strategies import Strategy
from engine.training.verdict import as_trained, verdict
from engine.training.view import POINT_NAMES, LaneView, MomentView, RunView

__all__ = [
    "LAB_OPTIONS",
    "LAB_PRESETS",
    "POINT_NAMES",
    "STRATEGY_OPTIONS",
    "Comparison",
    "Corpus",
    "Evaluation",
    "Lab",
    "LabEstimate",
    "LabPreset",
    "Lane",
    "LaneEstimate",
    "LaneView",
    "Moment",
    "MomentView",
    "Outcome",
    "RunView",
    "Snapshot",
    "Strategy",
    "Verdict",
    "as_trained",
    "canonical_lab",
    "corpus_of",
    "estimate_lab",
    "lab_as_dict",
    "memory_of",
    "parse_lab",
    "series_from_csv",
    "validate_lab",
    "verdict",
]
