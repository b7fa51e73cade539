"""Exact per-timestep gradients of recurrent networks under full and truncated BPTT."""

from engine.analysis import INCLUDES, analyze, certify
from engine.config import OPTION, OPTIONS, Config, Option, as_query, canonical, parse, validate
from engine.cost import Estimate, check_affordable, estimate
from engine.errors import InputError, Problem
from engine.given import Given
from engine.presets import PRESETS, QUESTIONS, Preset
from engine.reference import Reference, reference, shared_part
from engine.traces import Analysis, Certificate
from engine.weights import (
    CONVENTIONS,
    REDUCTIONS,
    Convention,
    convention_of,
    export_gradients,
    export_states,
    export_weights,
    import_gradients,
    import_states,
    import_weights,
    read_arrays,
    reduction_factor,
    write_arrays,
)

__all__ = [
    "CONVENTIONS",
    "INCLUDES",
    "OPTION",
    "OPTIONS",
    "PRESETS",
    "QUESTIONS",
    "REDUCTIONS",
    "Analysis",
    "Certificate",
    "Config",
    "Convention",
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
    "convention_of",
    "estimate",
    "export_gradients",
    "export_states",
    "export_weights",
    "import_gradients",
    "import_states",
    "import_weights",
    "parse",
    "read_arrays",
    "reduction_factor",
    "reference",
    "shared_part",
    "validate",
    "write_arrays",
]
