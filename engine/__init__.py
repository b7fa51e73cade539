"""Exact per-timestep gradients of recurrent networks under full and truncated BPTT."""

from engine.analysis import INCLUDES, analyze, certify
from engine.config import OPTION, OPTIONS, Config, Option, as_query, canonical, parse, validate
from engine.cost import Estimate, check_affordable, estimate
from engine.errors import InputError, Problem
from engine.given import Given
from engine.presets import PRESETS, QUESTIONS, Preset
from engine.reference import Reference, reference, shared_part
from engine.traces import Analysis, Certificate

__all__ = [
    "INCLUDES",
    "OPTION",
    "OPTIONS",
    "PRESETS",
    "QUESTIONS",
    "Analysis",
    "Certificate",
    "Config",
    "Estimate",
    "Given",
    "InputError",
    "Option",
    "Preset",
    "Problem",
    "Reference",
    "analyze",
    "as_query",
    "canonical",
    "certify",
    "check_affordable",
    "estimate",
    "parse",
    "reference",
    "shared_part",
    "validate",
]
