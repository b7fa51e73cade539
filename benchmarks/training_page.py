"""The training page in a real Chromium: `python -m benchmarks.training_page [first|demo]`.

From the click on Start to the first point that the page shows, for a visitor who has read the page for a moment (its
processes are warm) and for one who clicks at once; and to the verdict of the experiment that the page opens with.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.timing import machine
from scripts.chromium import launch_options
from scripts.running import running

SIZE = {"width": 1440, "height": 900}
STARTS = 5
READING_MS = 3000
# Clicks, and returns the milliseconds until a number of an update stands in the table, until the first point is drawn
# in the part of the page that is in sight, and until the verdict is final, each at the frame that shows it; waits for
# those that are asked for.
CLICK = """async (wanted) => {
  const shows = {
    number: () => /\\d/.test(document.querySelector("#standings tbody td:nth-of-type(4)")?.textContent ?? ""),
    point: () => [...document.querySelectorAll('[data-figure="loss"] .scatterlayer .points path')].some(
      (point) => { const { top, width } = point.getBoundingClientRect(); return width > 0 && top < innerHeight; }),
    verdict: () => document.getElementById("verdict-kind").textContent === "Verdict",
  };
  const found = {};
  const begun = performance.now();
  document.getElementById("start").click();
  while (wanted.some((name) => !(name in found)) && performance.now() < begun + 600000) {
    await new Promise(requestAnimationFrame);
    for (const name of wanted) if (!(name in found) && shows[name]()) found[name] = performance.now() - begun;
  }
  return found;
}"""
STOP = """async () => {
  document.getElementById("stop").click();
  while (!document.getElementById("status").textContent.startsWith("Stopped")) await new Promise(requestAnimationFrame);
}"""


def opened(browser: Browser, address: str) -> Page:
    """Returns the page as a newcomer finds it."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.goto(f"{address}/train", wait_until="networkidle")
    return page


def first_points(browser: Browser, address: str, wait: int) -> dict[str, list[float]]:
    """Returns the milliseconds to what is seen first, of several starts by as many visitors."""
    found: dict[str, list[float]] = {"number": [], "point": []}
    for _ in range(STARTS):
        page = opened(browser, address)
        page.wait_for_timeout(wait)
        for name, value in page.evaluate(CLICK, list(found)).items():
            found[name].append(value)
        page.evaluate(STOP)
        page.context.close()
    return found


def report(who: str, found: dict[str, list[float]]) -> None:
    for name, values in found.items():
        print(f"{who}: first {name} after {statistics.median(values):.0f} ms (median of {len(values)}), at most "
              f"{max(values):.0f} ms")


def demo(browser: Browser, address: str) -> None:
    """Prints how long the experiment that the page opens with takes to its verdict."""
    page = opened(browser, address)
    page.wait_for_timeout(READING_MS)
    said = page.locator("#estimate").inner_text()
    seconds = page.evaluate(CLICK, ["verdict"])["verdict"] / 1000
    run = page.request.get(page.url.replace("/train/", "/api/v1/training/")).json()
    print(f"the default demo: verdict after {seconds:.1f} s; its processes computed {run['seconds']:.1f} s in "
          f"all (the page said: {said})")
    print(page.locator("#verdict-headline").inner_text())
    page.context.close()


def main() -> None:
    """Measures both, or the one that is named."""
    wanted = sys.argv[1:] or ["first", "demo"]
    print(machine())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        print(f"Chromium {chromium.version}")
        for who, wait in (("clicked at once", 0), ("after reading", READING_MS)) if "first" in wanted else ():
            with running(os.environ | {"UNROLLED_DATA": folder}) as address:
                report(who, first_points(chromium, address, wait))
        if "demo" in wanted:
            with running(os.environ | {"UNROLLED_DATA": folder}) as address:
                demo(chromium, address)
        chromium.close()


if __name__ == "__main__":
    main()
