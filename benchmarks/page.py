"""The page's speed in a real Chromium: `python -m benchmarks.page`.

From a slider's change to the frame that shows it, everything on the page redrawn; and from a cold and from a
warm load to the first text, the first picture and all pictures. The page marks its frames itself, and no debugger
watches it.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Sequence

from benchmarks.timing import machine, percentile
from benchmarks.unwatched import Pipe, browser, marks
from scripts.running import running

SIZE = (1440, 987)  # of the window: the page in it has 1440 x 900
# Moves a slider from place to place, as a hand does, and returns of each change the milliseconds until the frame that
# shows everything, and, of those, until the first that shows the strip and the norms; of each request, and of the
# engine in it.
DRAG = """async ([name, values]) => {
  const slider = document.querySelector(`input[type=range][aria-label="${name}, slider"]`);
  const taken = [];
  for (const value of values) taken.push(await move(value));
  return taken;

  async function move(value) {
    const first = [];
    const drawn = new Promise((resolve, reject) => {
      new PerformanceObserver((list, observer) => {
        for (const entry of list.getEntries()) {
          if (entry.name === "slider-to-first") first.push(entry.duration);
          if (entry.name !== "slider-to-pixels") continue;
          observer.disconnect();
          resolve(entry.duration);
        }
      }).observe({ type: "measure" });
      setTimeout(() => reject(new Error(`nothing was drawn for ${name} = ${value}`)), 20000);
    });
    performance.clearMarks();
    performance.clearResourceTimings();
    slider.value = String(value);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const whole = await drawn;
    await new Promise(requestAnimationFrame);
    const asked = performance.getEntriesByType("resource").filter((entry) => /analysis[?]|credit[?]/.test(entry.name));
    const engine = (entry) => entry.serverTiming.find((timing) => timing.name === "engine").duration;
    return { whole, first: first[0] ?? whole, request: Math.max(...asked.map((entry) => entry.duration)),
      engine: Math.max(...asked.map(engine)) };
  }
}"""
# Waits for all pictures and for the check of what they show, after which the page rests, and says how large it is. A
# change before that would find an answer under way, and be taken for drawn with it.
DRAWN = """async () => {
  const checked = () => document.getElementById("badge").dataset.status;
  while (!performance.getEntriesByName("all-drawn").length || !checked()) {
    if (performance.now() > 30000) throw new Error("the page did not draw and check all its pictures");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return `${innerWidth} x ${innerHeight}`;
}"""
LOADED = {"firstContentfulPaint": "text readable", "pixels": "first picture", "all-drawn": "all pictures"}


Taken = dict[str, float]  # milliseconds


def drag(pipe: Pipe, page: str, name: str, values: Iterable[float]) -> list[Taken]:
    """Returns what each change took; every value is new to the server, so nothing comes from a cache."""
    taken: list[Taken] = pipe.call(page, DRAG, [name, list(values)])
    return taken


def sliders(pipe: Pipe, address: str, steps: int, hidden: int, ks: Sequence[int], gains: Sequence[float]) -> None:
    """Prints how long a change takes while a slider is dragged, certificates waiting until it rests."""
    page = pipe.opened(f"{address}/?steps={steps}&hidden={hidden}")
    size = pipe.call(page, DRAWN)
    drag(pipe, page, "Window k (num_steps)", [19, 21])  # the first changes compile the page's script
    taken = {"k": drag(pipe, page, "Window k (num_steps)", [k for k in ks if k not in (19, 20, 21)]),
             "gain": drag(pipe, page, "Recurrent gain", [round(gain, 2) for gain in gains if gain != 1.0])}
    print(f"slider to pixels, everything redrawn, LSTM, T={steps}, H={hidden}, B=8, a page of {size}:")
    taken["both"] = taken["k"] + taken["gain"]
    for name, each in taken.items():
        parts = ("whole", "first", "request", "engine")
        whole, first, request, engine = ([one[part] for one in each] for part in parts)
        drawing = [a - b for a, b in zip(whole, request, strict=True)]
        print(f"  {name}: median {statistics.median(whole):.0f} ms, 95th percentile {percentile(whole, 0.95):.0f} ms, "
              f"worst {max(whole):.0f} ms, of {len(each)} changes; strip and norms {statistics.median(first):.0f} ms, "
              f"95th percentile {percentile(first, 0.95):.0f} ms; medians of its parts: "
              f"request {statistics.median(request):.0f} ms (engine {statistics.median(engine):.0f} ms), "
              f"the rest {statistics.median(drawing):.0f} ms")
    pipe.close(page)


def cold(address: str, loads: int = 7) -> None:
    """Prints the loads with nothing cached in browser or server."""
    found = []
    for seed in range(1, loads + 1):
        with tempfile.TemporaryDirectory() as folder:
            found += marks([f"{address}/?seed={seed}"], folder, SIZE, 4.0)
    tell("cold load", found)


def warm(address: str, loads: int = 7) -> None:
    """Prints the loads of somebody who was here before: the browser has the files and the compiled script, and
    the analysis is a new one. Chromium keeps what it compiled from the second load on."""
    with tempfile.TemporaryDirectory() as folder:
        addresses = [f"{address}/?seed={100 + seed}" for seed in range(loads + 3)]
        found = marks(addresses, folder, SIZE, 3.0)
    tell("warm load", found[3:])


def tell(what: str, found: list[Taken]) -> None:
    """Prints medians and worst cases."""
    parts = []
    for name, words in LOADED.items():
        times = [one[name] for one in found]
        parts.append(f"{words} after {statistics.median(times):.0f} ms (worst {max(times):.0f} ms)")
    print(f"{what}, {len(found)} times: {', '.join(parts)}")


def main() -> None:
    print(machine())
    with running() as address:
        with tempfile.TemporaryDirectory() as folder, browser(folder, SIZE) as pipe:
            print(pipe.send("Browser.getVersion")["product"])
            sliders(pipe, address, 100, 32, range(2, 100), [0.05 * n for n in range(1, 61)])
            sliders(pipe, address, 512, 128, range(40, 480, 44), [0.3 * n for n in range(1, 9)])
        cold(address)
        warm(address)


if __name__ == "__main__":
    main()
