"""What can be chosen of a training run: the options of a lab and of a strategy, and the experiments to start from."""

from __future__ import annotations

from functools import cache
from typing import Any

from engine.training import LAB_OPTIONS, LAB_PRESETS, STRATEGY_OPTIONS, lab_as_dict
from server.catalogue import option


@cache
def lab_catalogue() -> dict[str, Any]:
    """Returns everything that can be chosen, as JSON values; the first preset is the default."""
    return {
        "options": [option(entry) for entry in LAB_OPTIONS],
        "strategy_options": [option(entry) for entry in STRATEGY_OPTIONS],
        "presets": [
            {"name": each.name, "title": each.title, "help": each.help, "lab": lab_as_dict(each.lab)}
            for each in LAB_PRESETS
        ],
    }
