"""The deeper panels in a real browser: opened when wanted, computed once, marked with the rest of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, Request, Route, expect

Open = Callable[[str], Page]
PANELS = {
    "bias": ["bias_curve", "lags"], "gates": ["paths", "rule_1997", "gates", "memory"],
    "spectrum": ["spectrum", "products", "lyapunov"], "draws": ["draws", "draw_errors"],
}
MARK = ".tracek path.js-line"  # the line at the k in force


@pytest.fixture
def opened(page: Page, address: str) -> Iterator[Open]:
    """Opens the page with a query and waits for its certificate. It must have complained of nothing at the end, but
    for what the browser itself says of an answer that refuses."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)

    def go(query: str) -> Page:
        page.goto(f"{address}/{query}")
        expect(page.locator("#badge")).to_have_text(re.compile("certified"), timeout=30_000)
        return page

    yield go
    assert not [fault for fault in faults if "422" not in fault]


def panel(page: Page, name: str) -> Locator:
    return page.locator(f'details[data-panel="{name}"]')


def picture(page: Page, name: str) -> Locator:
    return page.locator(f'[data-deeper="{name}"]')


def open_panel(page: Page, name: str) -> Locator:
    found = panel(page, name)
    found.locator("summary").first.click()
    for each in PANELS[name]:
        expect(picture(page, each).locator(".main-svg").first).to_be_attached()
    return found


def diagnostics(page: Page) -> list[str]:
    """Returns a list that grows by the address of every request for diagnostics."""
    asked: list[str] = []

    def keep(request: Request) -> None:
        if re.search("include=(bias_curve|paths|spectrum|draws)", request.url):
            asked.append(request.url)

    page.on("request", keep)
    return asked


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_opens_with_its_pictures_sentences_and_tables(opened: Open, name: str) -> None:
    page = opened("?style=random&p=0.2&steps=30&hidden=8")
    open_panel(page, name)
    for each in PANELS[name]:
        card = picture(page, each)
        expect(card.locator('[data-part="sentence"]')).to_have_text(re.compile(r"\w.+\.$"))
        assert card.locator(".deeper-key li").count() >= 1
        card.locator('[data-part="table"] summary').click()
        expect(card.locator("tbody tr").nth(1)).to_be_visible()
        with page.expect_download() as download:
            card.get_by_role("button", name="CSV").click()
        assert download.value.suggested_filename == f"unrolled-{each}.csv"
        with page.expect_download() as download:
            card.get_by_role("button", name="PNG").click()
        assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert f"deep={name}" in page.url


def test_nothing_is_computed_until_a_panel_is_opened(opened: Open) -> None:
    page = opened("?steps=30&hidden=8")
    asked = diagnostics(page)
    page.locator("#control-k-input").fill("9")
    page.wait_for_timeout(600)
    assert asked == []
    open_panel(page, "spectrum")
    assert len(asked) == 1
    panel(page, "spectrum").locator("summary").first.click()
    panel(page, "spectrum").locator("summary").first.click()
    page.wait_for_timeout(300)
    assert len(asked) == 1


def test_the_mark_of_k_moves_without_a_request_and_the_curve_with_one(opened: Open) -> None:
    page = opened("?steps=30&hidden=8&k=5")
    asked = diagnostics(page)
    open_panel(page, "bias")
    mark = picture(page, "bias_curve").locator(MARK)
    before = mark.get_attribute("d")
    field = page.locator("#control-k-input")
    field.fill("12")
    field.press("Enter")
    expect(picture(page, "bias_curve").locator('[data-part="sentence"]')).to_contain_text("window(12)")
    expect(mark).not_to_have_attribute("d", before or "")
    page.wait_for_timeout(400)
    assert len(asked) == 1
    steps = page.locator("#control-steps-input")
    steps.fill("40")
    steps.press("Enter")
    expect(picture(page, "bias_curve").locator('[data-part="sentence"]')).to_contain_text("40 steps")
    assert len(asked) == 2


def test_a_step_is_marked_in_the_deeper_pictures_too(opened: Open) -> None:
    page = opened("?steps=30&hidden=8")
    open_panel(page, "gates")
    surface = page.locator('[data-figure="norms"] [data-part="surface"]')
    surface.focus()
    surface.press("Home")
    surface.press("ArrowRight")
    for name in ("paths", "gates"):
        expect(picture(page, name).locator('[data-part="readout"]')).to_contain_text("Step 1:")
    surface = picture(page, "paths").locator('[data-part="surface"]')
    surface.focus()
    surface.press("End")
    expect(page.locator('[data-figure="norms"] [data-part="readout"]')).to_contain_text("Step 29:")


def test_a_picture_with_an_axis_of_its_own_is_read_by_keys_and_pointer(opened: Open) -> None:
    page = opened("?steps=30&hidden=8")
    open_panel(page, "bias")
    card = picture(page, "bias_curve")
    surface, readout = card.locator('[data-part="surface"]'), card.locator('[data-part="readout"]')
    expect(readout).to_have_text("Point at a k, or use the arrow keys.")
    surface.focus()
    surface.press("End")
    expect(readout).to_contain_text("k = 30:")
    surface.press("ArrowLeft")
    expect(surface).to_have_attribute("aria-valuetext", re.compile("k = 29:"))
    surface.hover(position={"x": 70, "y": 60})
    expect(readout).to_contain_text(re.compile("k = [123]:"))


def test_many_draws_are_there_for_random_cuts_alone(opened: Open) -> None:
    page = opened("?steps=20&hidden=6")
    expect(panel(page, "draws")).to_be_hidden()
    page = opened("?style=random&steps=20&hidden=6&deep=draws")
    expect(picture(page, "draws").locator(".main-svg").first).to_be_attached()
    expect(picture(page, "draw_errors").locator('[data-part="sentence"]')).to_contain_text("median of 32")


def test_a_cell_without_gates_shows_its_paths_alone(opened: Open) -> None:
    page = opened("?cell=rnn&steps=20&hidden=6&deep=gates")
    expect(picture(page, "paths").locator(".main-svg").first).to_be_attached()
    expect(picture(page, "gates")).to_be_hidden()
    expect(picture(page, "memory")).to_be_hidden()


def test_the_open_panels_are_in_the_address(opened: Open) -> None:
    page = opened("?steps=20&hidden=6&deep=bias_spectrum")
    for name in ("bias", "spectrum"):
        expect(panel(page, name)).to_have_attribute("open", "")
        expect(picture(page, PANELS[name][0]).locator(".main-svg").first).to_be_attached()
    expect(panel(page, "gates")).not_to_have_attribute("open", "")
    panel(page, "bias").locator("summary").first.click()
    expect(page).to_have_url(re.compile("deep=spectrum$"))
    page.go_back()
    expect(panel(page, "bias")).to_have_attribute("open", "")


def test_what_is_too_large_says_so_in_its_own_panel(opened: Open) -> None:
    page = opened("?steps=2000&hidden=32")
    panel(page, "bias").locator("summary").first.click()
    problem = panel(page, "bias").locator('[data-part="problem"]')
    expect(problem).to_contain_text(re.compile("would take about .* the limit"), timeout=30_000)
    expect(page.locator("#notice")).to_be_hidden()


def test_slow_is_shown(opened: Open) -> None:
    page = opened("?steps=20&hidden=6")
    waiting: list[Route] = []
    page.route("**/api/v1/analysis?*include=spectrum*", lambda route: waiting.append(route))
    panel(page, "spectrum").locator("summary").first.click()
    expect(panel(page, "spectrum")).to_have_attribute("aria-busy", "true")
    expect(panel(page, "spectrum").locator(".deeper-progress")).to_be_visible()
    waiting[0].continue_()
    expect(picture(page, "spectrum").locator(".main-svg").first).to_be_attached()
    expect(panel(page, "spectrum")).to_have_attribute("aria-busy", "false")


def test_it_is_accessible_in_both_themes_and_fits_a_phone(opened: Open) -> None:
    page = opened("?style=random&steps=20&hidden=6&deep=bias_gates_spectrum_draws")
    for names in PANELS.values():
        for name in names:
            expect(picture(page, name).locator(".main-svg").first).to_be_attached()
    for _ in range(2):
        found = Axe().run(page, context="#deeper")
        assert found.violations_count == 0, found.generate_report()
        page.locator("#theme").click()
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(300)
    widths = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_the_certificate_names_its_witness(opened: Open) -> None:
    page = opened("?steps=20&hidden=6")
    page.locator("#certificate summary").click()
    expect(page.locator("#certificate-body")).to_contain_text(re.compile(r"RTRL .* agrees to \d?e?-?\d+ on l0\.W_hh"))
