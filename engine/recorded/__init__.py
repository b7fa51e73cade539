"""Recorded traces of other people's models, and of our own: what they hold, how far their gradients reach."""

from engine.recorded.archive import Source, source_of
from engine.recorded.expected import parse_expected, title
from engine.recorded.exporting import trace_of, write_trace
from engine.recorded.planned import Outcome, outcome_of
from engine.recorded.reach import Reach, reach_of
from engine.recorded.reading import read_trace, recorded
from engine.recorded.recording import Declared, Origin, Reached, Recorded
from engine.recorded.words import sentences

__all__ = [
    "Declared",
    "Origin",
    "Outcome",
    "Reach",
    "Reached",
    "Recorded",
    "Source",
    "outcome_of",
    "parse_expected",
    "reach_of",
    "read_trace",
    "recorded",
    "sentences",
    "source_of",
    "title",
    "trace_of",
    "write_trace",
]
