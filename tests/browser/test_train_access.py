"""The training page for everybody: axe in both themes on a desk and a telephone, the keyboard alone, a projector."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_access import DESK, FOCUSED, TELEPHONE
from tests.browser.training import QUICK, ended, place, started

THREE = {**QUICK, "strategies": [*QUICK["strategies"], {"style": "random", "p": 0.1}]}


def sound(page: Page) -> None:
    """Fails if axe finds anything, in either theme."""
    for theme in ("dark", "light"):
        page.locator("html").evaluate("(html, theme) => (html.dataset.theme = theme)", theme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_axe_finds_nothing_before_and_after_a_run(page: Page, address: str, faults: list[str],
                                                  size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(place(address, THREE))
    expect(page.locator("#estimate")).to_contain_text("Takes about")
    if size == TELEPHONE:
        page.locator("#open-controls").click()
    for summary in page.locator("#controls details > summary").all():
        summary.click()
    sound(page)
    if size == TELEPHONE:
        page.keyboard.press("Escape")
    page.locator("#start").click()
    ended(page)
    page.locator("#verdict-more > summary").click()
    page.locator('[data-figure="loss"] .table > summary').click()
    sound(page)


def test_nothing_is_wider_than_a_telephone(page: Page, address: str, faults: list[str]) -> None:
    page.set_viewport_size(TELEPHONE)  # type: ignore[arg-type]
    started(page, address, THREE)
    ended(page)
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    expect(page.locator("#controls")).to_be_hidden()


def test_the_keyboard_alone_starts_a_run_and_reads_it(page: Page, address: str, faults: list[str]) -> None:
    page.goto(place(address, QUICK))
    expect(page.locator("#estimate")).to_contain_text("Takes about")
    page.locator("#start").focus()
    page.keyboard.press("Enter")
    ended(page)
    walked = []
    page.locator("#verdict-more > summary").focus()
    for _ in range(80):
        page.keyboard.press("Tab")
        walked.append(page.evaluate(FOCUSED))
        if walked[-1].startswith("Moment, in: The gradient"):
            break
    order = ["csv", "Moment, in: Loss on text that was held out", "standings", "moment", "seed-shown", "measure",
             "Text written by window(5), state carried", "window(5), state carried", "Moment, in: Loss while training",
             "Moment, in: The gradient’s reach: window(5), state carried"]
    places = [next((i for i, one in enumerate(walked) if re.match(re.escape(name), one)), -1) for name in order]
    assert -1 not in places, [name for name, place in zip(order, places, strict=True) if place < 0]
    assert places == sorted(places)


def test_a_picture_keeps_its_place_while_the_run_goes_on_and_when_it_ends(page: Page, address: str,
                                                                          faults: list[str]) -> None:
    started(page, address, {**QUICK, "tokens": 50_000, "evaluations": 12})
    expect(page.locator("#verdict-headline")).to_contain_text("carrying", timeout=30_000)
    page.wait_for_timeout(1000)
    top = "document.querySelector('[data-figure=\"loss\"] .plot').getBoundingClientRect().top + scrollY"
    places, going = [page.evaluate(top)], 0
    while not page.locator("#status").inner_text().startswith("Done"):
        places.append(page.evaluate(top))
        going += 1
        page.wait_for_timeout(100)
    ended(page)
    for _ in range(5):
        places.append(page.evaluate(top))
        page.wait_for_timeout(100)
    assert going >= 5, "the run ended before anything was measured"
    assert max(places) - min(places) <= 24, places  # no more than a line of the table of how they stand


def test_colours_follow_the_theme(page: Page, address: str, faults: list[str]) -> None:
    started(page, address, QUICK)
    ended(page)
    stroke = "getComputedStyle(document.querySelector('[data-figure=\"loss\"] path.js-line')).stroke"
    before = page.evaluate(stroke)
    page.locator("#theme").click()
    assert page.evaluate(stroke) != before
