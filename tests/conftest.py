"""What every test shares: reproducible searches by Hypothesis, the Chromium to use, a folder for what is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No server of the tests, in this process or in one of its own, touches what the user keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROLLED_DATA", str(tmp_path_factory.mktemp("data")))
        yield
