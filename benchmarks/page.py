"""The page's speed in a real Chromium: `python -m benchmarks.page`.

From a slider's change to the frame that shows it, everything on the page redrawn; and from a cold
load to the first picture. The page marks the first frame after a drawing (`pixels`) itself.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.timing import machine, percentile
from scripts.chromium import launch_options
from scripts.running import running

VIEW = "steps=100&hidden=32"
SIZE = {"width": 1440, "height": 900}
# Moves a slider to a place, as a hand does, and returns the milliseconds until the frame that shows it, with
# those of the request among them, and of the engine among those.
MOVE = """async ([name, value]) => {
  const slider = document.querySelector(`input[type=range][aria-label="${name}, slider"]`);
  const drawn = new Promise((resolve, reject) => {
    new PerformanceObserver((list, observer) => {
      observer.disconnect();
      resolve(list.getEntries().at(-1).duration);
    }).observe({ type: "measure" });
    setTimeout(() => reject(new Error(`nothing was drawn for ${name} = ${value}`)), 10000);
  });
  performance.clearMarks();
  performance.clearResourceTimings();
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  const whole = await drawn;
  await new Promise(requestAnimationFrame);
  const asked = performance.getEntriesByType("resource").find((entry) => entry.name.includes("/analysis?"));
  const engine = asked.serverTiming.find((timing) => timing.name === "engine").duration;
  return { whole, request: asked.duration, engine };
}"""
# Waits for all pictures. (Playwright's own waiting needs `eval`, which the page's policy forbids.)
DRAWN = """async () => {
  while (!performance.getEntriesByName("all-drawn").length) {
    if (performance.now() > 30000) throw new Error("the page did not draw all its pictures");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}"""
MARKS = """() => Object.fromEntries(["pixels", "all-drawn"].map(
  (name) => [name, performance.getEntriesByName(name)[0]?.startTime]))"""


Taken = dict[str, float]  # milliseconds


def drag(page: Page, name: str, values: Sequence[float]) -> list[Taken]:
    """Returns what each change took; every value is new to the server, so nothing comes from a cache."""
    return [page.evaluate(MOVE, [name, value]) for value in values]


def sliders(browser: Browser, address: str) -> None:
    """Prints how long a change takes while a slider is dragged, certificates waiting until it rests."""
    page = browser.new_page(viewport=SIZE)
    page.goto(f"{address}/?{VIEW}")
    page.evaluate(DRAWN)
    drag(page, "Window k (num_steps)", [19, 21])  # the first changes compile the page's script
    taken = {"k": drag(page, "Window k (num_steps)", [k for k in range(2, 100) if k not in (19, 20, 21)]),
             "gain": drag(page, "Recurrent gain", [round(0.05 * n, 2) for n in range(1, 61) if n != 20])}
    print(f"slider to pixels, everything redrawn, LSTM, T=100, H=32, B=8, {SIZE['width']} x {SIZE['height']}:")
    taken["both"] = taken["k"] + taken["gain"]
    for name, each in taken.items():
        whole, request, engine = ([one[part] for one in each] for part in ("whole", "request", "engine"))
        drawing = [a - b for a, b in zip(whole, request, strict=True)]
        print(f"  {name}: median {statistics.median(whole):.0f} ms, 95th percentile {percentile(whole, 0.95):.0f} ms, "
              f"worst {max(whole):.0f} ms, of {len(each)} changes; medians of its parts: "
              f"request {statistics.median(request):.0f} ms (engine {statistics.median(engine):.0f} ms), "
              f"the rest {statistics.median(drawing):.0f} ms")
    page.close()


def cold_load(browser: Browser, address: str, loads: int = 7) -> None:
    """Prints the time from the navigation to the first picture, with nothing cached in browser or server."""
    marks = []
    for seed in range(1, loads + 1):
        context = browser.new_context(viewport=SIZE)
        page = context.new_page()
        page.goto(f"{address}/?seed={seed}")
        page.evaluate(DRAWN)
        marks.append(page.evaluate(MARKS))
        context.close()
    first, whole = ([mark[name] for mark in marks] for name in ("pixels", "all-drawn"))
    print(f"cold load, {loads} times: first picture after {statistics.median(first):.0f} ms "
          f"(worst {max(first):.0f} ms), all pictures after {statistics.median(whole):.0f} ms "
          f"(worst {max(whole):.0f} ms)")


def main() -> None:
    print(machine())
    with running() as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        print(f"Chromium {chromium.version}")
        cold_load(chromium, address)
        sliders(chromium, address)
        chromium.close()


if __name__ == "__main__":
    main()
