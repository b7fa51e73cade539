"""The pictures: linked, backed by tables and files, legible at every size, and at rest while numbers change."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from engine import analyze, parse
from tests.browser.conftest import SMALL, as_set

Show = Callable[[str], Page]
FIGURES = ("strip", "norms", "credit", "carry_over", "carry_units", "costs", "contributions")
DESK, TELEPHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
# Pairs of texts of one drawing that lie on each other.
OVERLAPS = """() => [...document.querySelectorAll(".plot svg.main-svg")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim() && text.getBBox().width > 0)
    .map((text) => ({ says: text.textContent, box: text.getBoundingClientRect() }));
  const figure = svg.closest("[data-figure]")?.dataset.figure;
  return texts.flatMap((a, i) => texts.slice(i + 1).filter((b) =>
    Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1 &&
    Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 3)
    .map((b) => `${figure}: ${a.says} | ${b.says}`));
})"""
SHIFTS = """async () => {
  let moved = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => moved.push(
    ...entry.sources.map((source) => source.node?.id || source.node?.className || String(source.node?.nodeName)))))
    .observe({ type: "layout-shift", buffered: false });
  const slider = document.querySelector("[data-option=k] input[type=range]");
  for (let k = 2; k < 60; k += 3) {
    slider.value = String(k);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  slider.dispatchEvent(new Event("change", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 700));
  return moved;
}"""
# Moves a slider, waits until Plotly has drawn all of the units, and returns what it drew each time: how many cells, and
# the scale beside them.
MOVED = """async ([option, value]) => {
  const plotly = window.Plotly;
  const { react } = plotly;
  const drawn = [];
  plotly.react = function (element, data, ...more) {
    const found = react.call(this, element, data, ...more);
    const scale = [...element.querySelectorAll(".cbaxis text")].map((text) => text.textContent);
    if (element.closest("[data-figure]").dataset.figure === "carry_units")
      drawn.push({ cells: data[0].z.flatMap((row) => [...row]).length, scale: scale.join(" ") });
    return found;
  };
  const slider = document.querySelector(`[data-option=${option}] input[type=range]`);
  slider.value = String(value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  const end = performance.now() + 15000;
  while (drawn.length < 2 && performance.now() < end) await new Promise((go) => setTimeout(go, 20));
  plotly.react = react;
  return drawn;
}"""
# Defines `moved`, which moves a slider and returns when the first frame shows everything.
FIRST_FRAME = """const moved = (option, value) => {
    const drawn = new Promise((resolve) => new PerformanceObserver((list) => list.getEntries()
      .some(({ name }) => name === "slider-to-pixels") && resolve()).observe({ type: "measure" }));
    const slider = document.querySelector(`[data-option=${option}] input[type=range]`);
    slider.value = String(value);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    return drawn;
  };"""
# Moves the gain, and returns what each picture's axes and scales say in the first frame and once all rests, how many
# pictures Plotly drew before that frame, and how many after.
TICKS = f"async (gain) => {{ {FIRST_FRAME}" + """
  const plotly = window.Plotly;
  const { react } = plotly;
  let reacts = 0;
  plotly.react = function (...given) { reacts++; return react.apply(this, given); };
  const kinds = "path.ticks, path.crisp[class*=grid], g[class$=tick]";
  const tick = (node) => {
    const moved = node.querySelector("text") ?? node;
    const place = moved.getAttribute("transform").match(/[-\\d.]+/g).map((at) => Math.round(10 * at) / 10);
    return [node.getAttribute("class"), moved.getAttribute("x"), ...place, moved.textContent].join(" ");
  };
  const ticks = () => [...document.querySelectorAll(".figures [data-figure]")].flatMap((card) =>
    [...card.querySelectorAll(kinds)].filter((node) => node.getClientRects().length)
      .map((node) => `${card.dataset.figure} ${tick(node)}`)).sort();
  await moved("gain", gain);
  const [moving, before] = [ticks(), reacts];
  const end = performance.now() + 15000;
  while (reacts < before + 6 && performance.now() < end) await new Promise((go) => setTimeout(go, 20));
  plotly.react = react;
  return { moving, resting: ticks(), before, after: reacts - before };
}"""
# Moves k, and returns how many lines the pictures have that are drawn: before, in the first frame, and once all rests.
LINES = f"async (k) => {{ {FIRST_FRAME}" + """
  const drawnIn = (trace) => [...trace.querySelectorAll("path.js-line")].some((p) => p.getAttribute("d") !== "M0,0");
  const lines = () => [...document.querySelectorAll("[data-figure] .scatterlayer .trace")].filter(drawnIn).length;
  const found = [lines()];
  await moved("k", k);
  found.push(lines());
  await new Promise((go) => setTimeout(go, 1500));
  return [...found, lines()];
}"""
BARE = 4  # the corners of a heatmap whose cells the canvas has


def test_one_step_is_marked_in_every_picture_at_once(show: Show) -> None:
    page = show(f"{SMALL}&k=4")
    for name in ("norms", "credit", "carry_units"):
        surface = page.locator(f"[data-figure={name}] [data-part=surface]")
        surface.scroll_into_view_if_needed()
        box = surface.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"])
        step = surface.get_attribute("aria-valuenow") or ""
        assert 2 <= int(step) <= 7
        for other in FIGURES:
            part = page.locator(f"[data-figure={other}]")
            expect(part.locator("[data-part=surface]")).to_have_attribute("aria-valuenow", step)
            if other != "costs":
                expect(part.locator("[data-part=cursor]")).to_be_visible()
                expect(part.locator("[data-part=readout]")).to_contain_text(step)


def test_every_picture_has_its_table_csv_and_png(show: Show, tmp_path: Path) -> None:
    page = show(f"{SMALL}&k=4")
    for name in FIGURES:
        card = page.locator(f"[data-figure={name}]")
        card.locator(".table > summary").click()
        rows = card.locator("tbody tr")
        expect(rows.first).to_be_visible()
        with page.expect_download() as download:
            card.locator("[data-act=csv]").click()
        read = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
        assert read[0] == card.locator("thead th").all_text_contents()
        assert len(read) == rows.count() + 1
        with page.expect_download() as download:
            card.locator("[data-act=png]").click()
        image = Path(download.value.path()).read_bytes()
        assert image[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(image) > 5_000
        assert int.from_bytes(image[16:20]) > 800, "twice the size on the page"


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_no_text_lies_on_another(show: Show, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for query in ("", "cell=rnn&init=orthogonal&gain=2&task=series&style=full&loss_at=last&steps=100",
                  "cell=gru&layers=3&hidden=8&value=reset&k=7", "steps=5", "steps=300&hidden=64&batch=1"):
        show(query)
        assert page.evaluate(OVERLAPS) == []


def test_nothing_moves_while_k_moves(show: Show, page: Page) -> None:
    page.set_viewport_size(DESK)
    show("hidden=8&batch=2")
    assert page.evaluate(SHIFTS) == []


def test_the_strip_and_the_norms_do_not_wait_for_the_matrix(show: Show, page: Page) -> None:
    show(SMALL)
    norms, credit = (page.locator(f"[data-figure={name}]") for name in ("norms", "credit"))
    before = credit.locator("[data-part=sentence]").inner_text()
    held: list[Route] = []
    page.route("**/api/v1/credit?*", lambda route: held.append(route))
    slider = page.locator("[data-option=gain] input[type=range]")
    slider.evaluate("""(slider) => {
      slider.value = "2";
      for (const name of ["input", "change"]) slider.dispatchEvent(new Event(name, { bubbles: true }));
    }""")
    found = analyze(parse(dict(pair.split("=") for pair in SMALL.split("&")) | {"gain": "2"}), certify=False)
    expect(norms.locator("[data-part=sentence]")).to_have_text(as_set(found.words.norms))
    expect(credit.locator(".plot-note")).to_have_text("Still of the choice before. Computing\u2026")
    expect(credit).to_have_attribute("aria-busy", "true")
    expect(credit.locator("[data-act=png]")).to_be_disabled()
    expect(credit.locator("[data-part=sentence]")).to_have_text(as_set(before))
    page.locator("#loss").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#loss-value")).to_have_text("10")
    expect(page.locator("[data-figure=strip] [data-part=sentence]")).to_contain_text("The loss at step 10 ")
    held[0].continue_()
    expect(credit.locator("[data-part=sentence]")).to_have_text(as_set(found.words.credit))
    expect(credit.locator(".plot-note")).to_be_hidden()
    expect(credit).to_have_attribute("aria-busy", "false")
    expect(credit.locator("[data-act=png]")).to_be_enabled()


def cell_width(page: Page, step: int) -> float:
    """Returns the width of a step's cell in the strip, from its mark, which is a fifth of a line of text wider."""
    surface = page.locator("[data-figure=strip] [data-part=surface]")
    surface.focus()
    surface.press("Home" if step == 0 else "End")
    box = page.locator("[data-figure=strip] [data-part=cursor]").bounding_box()
    assert box is not None
    return box["width"] - 0.2 * 14


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
@pytest.mark.parametrize("steps", [5, 60, 2000])
def test_cells_are_never_slivers(show: Show, page: Page, size: dict[str, int], steps: int) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    show(f"steps={steps}&hidden=4&batch=1")
    assert cell_width(page, steps - 1) >= 9
    assert cell_width(page, 0) >= 9, "the view follows the mark"
    page.locator("#zoom-all").click()
    expect(page.locator("#sight")).to_have_text(f"all {steps} steps")
    assert cell_width(page, 0) >= 9


def test_a_finger_pans_the_strip(show: Show, page: Page) -> None:
    page.set_viewport_size(TELEPHONE)
    show("hidden=4&batch=1")
    before = page.locator("#sight").inner_text()
    assert before.endswith("of 60")
    surface = page.locator("[data-figure=strip] [data-part=surface]")
    assert surface.evaluate("(element) => getComputedStyle(element).touchAction") == "pan-y"
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 90, steps=5)
    page.mouse.up()
    expect(page.locator("#sight")).not_to_have_text(before)
    expect(page.locator("#loss-value")).to_have_text("59")


def test_an_explosion_to_infinity_is_drawn_and_explained(show: Show) -> None:
    page = show("cell=rnn&gain=5&init=orthogonal&hidden=64&steps=1500&batch=1&task=series&style=full")
    expect(page.locator("#badge")).to_have_text("not finite: not checked")
    expect(page.locator("[data-figure=norms] [data-part=sentence]")).to_contain_text("finite")
    expect(page.locator("#notice")).to_be_hidden()
    page.locator("[data-figure=strip] [data-part=surface]").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-figure=strip] [data-part=readout]")).to_contain_text(re.compile("infinite|not a number"))


def test_while_a_slider_moves_plotly_makes_a_frame_anew_and_no_cells_before_it_rests(show: Show) -> None:
    page = show(f"{SMALL}&k=4&gain=3")
    bare, whole = page.evaluate(MOVED, ["steps", 13])  # of the slider, whose places are not steps
    canvas = page.locator("[data-figure=carry_units] canvas[data-trace=carried]")
    columns, rows = canvas.evaluate("canvas => [canvas.width, canvas.height]")
    assert (bare["cells"], whole["cells"]) == (BARE, columns * rows)
    assert bare["scale"] == whole["scale"] != ""
    assert columns != 12


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_axes_and_scales_say_the_same_while_a_slider_moves_and_when_it_rests(
    show: Show, page: Page, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    show(f"{SMALL}&k=4&gain=0.05")
    seen = []
    for gain in (3, 0.2):
        found = page.evaluate(TICKS, gain)
        assert (found["before"], found["after"]) == (0, 6), "Plotly itself draws when the slider rests"
        assert found["moving"] == found["resting"]
        seen.append({line for line in found["resting"] if line.startswith(("norms g", "norms y", "carry_units y"))})
    assert len(seen[0] ^ seen[1]) > 4, "another range, and another scale"


def test_a_heatmap_whose_cells_are_the_canvass_alone_has_its_scale(show: Show) -> None:
    page = show("steps=300&hidden=64&batch=1")
    assert page.locator("[data-figure=carry_units] canvas[data-trace=carried]").get_attribute("width") == "300"
    for name in ("credit", "carry_units"):
        assert page.locator(f"[data-figure={name}] .cbaxis text").count() >= 3
        assert page.evaluate("name => document.querySelector(`[data-figure=${name}] .js-plotly-plot`).data[0].z.length",
                             name) == 2


def test_a_line_that_had_no_point_is_there_while_the_slider_still_moves(show: Show) -> None:
    """Uncut, no gradient is zero; cut, some are, and have a line of their own."""
    before, moving, resting = show(f"{SMALL}&k=12").evaluate(LINES, 4)
    assert before < moving == resting
