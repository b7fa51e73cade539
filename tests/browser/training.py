"""Small labs for the browser, and how a test waits for a run on the page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

STRATEGIES = [{"style": "window", "k": 5, "value": "carry"}, {"style": "window", "k": 5, "value": "reset"}]
QUICK: dict[str, Any] = {"hidden": 8, "tokens": 8000, "seeds": 2, "evaluations": 4, "batch": 8,
                         "strategies": STRATEGIES}
LONG: dict[str, Any] = {**QUICK, "tokens": 4_000_000, "seeds": 1, "evaluations": 20}  # does not end within a test
PICTURES = ["loss", "score", "loss_other", "training", "norms", "half_life", "costs", "probe_0", "probe_1"]
# Waits until every picture is drawn. (Playwright's own waiting needs `eval`, which the page's policy forbids.)
DRAWN = """async (names) => {
  const end = Date.now() + 30000;
  const drawn = () => names.every((name) => document.querySelector(`[data-figure="${name}"] .main-svg`));
  while (!drawn() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return names.filter((name) => !document.querySelector(`[data-figure="${name}"] .main-svg`));
}"""


def place(address: str, lab: dict[str, Any]) -> str:
    """Returns the address of the training page with this lab chosen."""
    return f"{address}/train?{urlencode({'lab': json.dumps(lab)})}"


def started(page: Page, address: str, lab: dict[str, Any]) -> str:
    """Starts a run on the page and returns its id."""
    page.goto(place(address, lab))
    page.locator("#start").click()
    expect(page.locator("#seen")).to_be_visible(timeout=20_000)
    return page.url.rpartition("/train/")[2].partition("?")[0]


def ended(page: Page, seconds: float = 60) -> None:
    """Waits until the run on the page is done, and its pictures are drawn."""
    expect(page.locator("#status")).to_contain_text("Done", timeout=1000 * seconds)
    assert page.evaluate(DRAWN, PICTURES) == []
