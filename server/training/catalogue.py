"""What can be chosen of a lab: the options and presets that the Train page and API clients are built from."""

from __future__ import annotations

from functools import cache
from typing import Any

from engine.training import LAB_OPTIONS, LAB_PRESETS, STRATEGY_OPTIONS
from server.catalogue import option
from server.training.results import shown_lab


@cache
def catalogue() -> dict[str, Any]:
    """Returns everything that can be chosen."""
    return {
        "options": [option(entry) for entry in LAB_OPTIONS],
        "strategy_options": [option(entry) for entry in STRATEGY_OPTIONS],
        "presets": [
            {"name": preset.name, "title": preset.title, "help": preset.help, "lab": shown_lab(preset.lab)}
            for preset in LAB_PRESETS
        ],
    }
