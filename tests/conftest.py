"""What every test shares: reproducible searches by Hypothesis, and the Chromium to use."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

from scripts import chromium

# A shared machine may be slow for a moment, so no example has a deadline; and CI tries the same
# examples each time, so that a change is judged by itself and not by the draw.
settings.register_profile("unrolled", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("unrolled")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright launches the Chromium that scripts/chromium.py finds."""
    return {**browser_type_launch_args, **chromium.launch_options()}
