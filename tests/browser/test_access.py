"""For everybody: axe in both themes on a desk and a telephone, the keyboard alone, less motion, a projector."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SMALL

Show = Callable[[str], Page]
DESK, TELEPHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
FOCUSED = """() => { const e = document.activeElement; return e.id || e.dataset.act || e.dataset.question
  || e.getAttribute("aria-label") || e.textContent.trim(); }"""
# Opens everything that folds, one after the other, and returns what makes the page wider than the screen.
WIDER = """() => [null, ...document.querySelectorAll("main details")].flatMap((details) => {
  if (details) details.open = true;
  const wide = document.documentElement.scrollWidth > innerWidth;
  if (details) details.open = false;
  return wide ? [details?.textContent.trim().slice(0, 20) ?? "the page"] : [];
})"""


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_axe_finds_nothing(show: Show, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    show(SMALL)
    for summary in ("#mathematics > summary", "#certificate > summary", "[data-figure=norms] .table > summary"):
        page.locator(summary).click()
    page.locator("[data-question=carry]").click()
    expect(page.locator("#answer")).to_contain_text("certified")
    if size == TELEPHONE:
        page.locator("#open-controls").click()
    for theme in ("dark", "light"):
        page.locator("html").evaluate("(html, theme) => (html.dataset.theme = theme)", theme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_nothing_is_wider_than_a_telephone_and_the_controls_are_a_drawer(show: Show, page: Page) -> None:
    page.set_viewport_size(TELEPHONE)
    show("")
    assert page.evaluate(WIDER) == []
    controls = page.locator("#controls")
    expect(controls).to_be_hidden()
    page.locator("#open-controls").click()
    expect(controls).to_be_visible()
    page.keyboard.press("Escape")
    expect(controls).to_be_hidden()
    page.locator("#open-controls").click()
    controls.locator("[data-option=seed]").scroll_into_view_if_needed()
    back = page.get_by_role("button", name="Back to the pictures")
    expect(back).to_be_in_viewport()
    back.click()
    expect(controls).to_be_hidden()
    page.locator("#open-controls").press("Enter")
    page.keyboard.press("Tab")
    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    expect(controls).to_be_hidden()
    expect(page.locator("#open-controls")).to_be_focused()
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(controls).to_be_visible()
    expect(back).to_be_hidden()


def test_the_larger_type_for_a_hall_stays_within_a_telephone(show: Show, page: Page) -> None:
    page.set_viewport_size(TELEPHONE)
    show(SMALL)
    page.get_by_role("button", name="Presenter").click()
    expect(page.get_by_role("button", name="Presenter")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(WIDER) == []


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(show: Show) -> None:
    page = show(SMALL)
    walked = []
    for _ in range(150):
        page.keyboard.press("Tab")
        walked.append(page.evaluate(FOCUSED))
        if walked[-1] == "Lyapunov exponents" or page.evaluate("document.activeElement === document.body"):
            break
    order = ["Skip to the pictures", "copy-link", "presenter", "autodiff", "outputs", "preset", "control-k-input",
             "certified", "zoom-in", "Step, in the strip. Enter picks its loss", "play", "loss", "frontier",
             "The same, in code", "Step, in: Gradient at every step", "Step, in: What truncation costs"]
    places = [next((i for i, one in enumerate(walked) if re.match(re.escape(name), one)), -1) for name in order]
    assert -1 not in places, [name for name, place in zip(order, places, strict=True) if place < 0]
    assert places == sorted(places)


def test_the_arrow_keys_step_the_loss_and_the_marked_step(show: Show) -> None:
    page = show(f"{SMALL}&k=4")
    page.locator("#loss").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#loss-value")).to_have_text("10")
    expect(page).to_have_url(re.compile(r"[?&]s=10"))
    surface = page.locator("[data-figure=norms] [data-part=surface]")
    surface.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-figure=strip] [data-part=surface]")).to_have_attribute("aria-valuenow", "1")
    strip = page.locator("[data-figure=strip] [data-part=surface]")
    strip.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowLeft")
    expect(strip).to_have_attribute("aria-valuenow", "10")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("#loss-value")).to_have_text("9")


def test_play_by_keyboard(show: Show) -> None:
    page = show("hidden=4&batch=2&steps=120")
    page.locator("#play").focus()
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_text("Pause")
    expect(page.locator("#frontier-value")).to_have_text(re.compile(r"^(\d\d?|10\d|110)$"))  # 110 or less
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_text("Play")
    stopped = int(page.locator("#frontier-value").inner_text())
    assert 0 < stopped <= 110
    page.locator("#forward-one").press("Enter")
    expect(page.locator("#frontier-value")).to_have_text(str(stopped - 1))
    page.locator("#forward-end").press("Enter")
    expect(page.locator("#frontier-value")).to_have_text("0")


def test_less_motion_where_it_is_asked_for(show: Show, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    show(SMALL)
    assert page.evaluate("document.getAnimations().length") == 0
    page.evaluate("""() => { window.frames_ = new Set(); new MutationObserver(() =>
      window.frames_.add(document.getElementById("frontier-value").textContent)).observe(
      document.getElementById("frontier-value"), { childList: true, characterData: true, subtree: true }); }""")
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_text("Pause")
    expect(page.locator("#play")).to_have_text("Play", timeout=10_000)
    assert page.evaluate("window.frames_.size") <= 8


def test_a_presenter_has_larger_type_and_a_dark_page_stays_dark(show: Show) -> None:
    page = show(SMALL)
    size = "parseFloat(getComputedStyle(document.getElementById('headline')).fontSize)"
    before = page.evaluate(size)
    page.locator("#presenter").click()
    assert page.evaluate(size) > 1.3 * before
    expect(page.locator("#controls")).to_be_hidden()
    page.locator("#theme").click()
    theme = page.locator("html").get_attribute("data-theme")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", theme or "")
