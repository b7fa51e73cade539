"""Weights, states and gradients in the conventions of other frameworks, and the files that hold them."""

from engine.weights.catalogue import CONVENTIONS, convention_of
from engine.weights.convention import Convention
from engine.weights.exporting import export_gradients, export_weights
from engine.weights.files import read_arrays, write_arrays
from engine.weights.importing import import_gradients, import_weights
from engine.weights.reductions import REDUCTIONS, reduction_factor
from engine.weights.states import export_states, import_states

__all__ = [
    "CONVENTIONS",
    "REDUCTIONS",
    "Convention",
    "convention_of",
    "export_gradients",
    "export_states",
    "export_weights",
    "import_gradients",
    "import_states",
    "import_weights",
    "read_arrays",
    "reduction_factor",
    "write_arrays",
]
