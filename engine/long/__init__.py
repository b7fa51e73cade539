"""Sequences too long to be held: gradients in time linear in T and in bounded memory, part by part.

The forward pass keeps the state at the borders of its segments; the backward pass goes through the segments
from the last to the first, and runs each forward again before it sweeps it (Gruslys et al. 2016). What is shown
of it is an overview of every step, binned, and a close-up of a few hundred steps.
"""

from engine.long.analysis import analyze_long, certify_long
from engine.long.closeup import check_range, close_up
from engine.long.cost import check_long, estimate_closeup, estimate_long
from engine.long.reference import LongReference, long_reference
from engine.long.view import CloseUp, Long

__all__ = ["CloseUp", "Long", "LongReference", "analyze_long", "certify_long", "check_long", "check_range",
           "close_up", "estimate_closeup", "estimate_long", "long_reference"]
