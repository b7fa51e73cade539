"""The code beside the picture, in a real browser: the program of the current config, tied to the strip both ways."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from engine import parse
from server.code import FRAMEWORKS, program, read_checked

SMALL = {"steps": 12, "hidden": 4, "batch": 2, "k": 4}
QUERY = "&".join(f"{name}={value}" for name, value in SMALL.items())


@pytest.fixture
def explore(page: Page, address: str) -> Page:
    page.goto(f"{address}/?{QUERY}")
    page.locator("#code summary").click()
    expect(page.locator("#code-text")).to_contain_text("detach()")
    return page


def test_the_program_is_the_one_that_the_api_gives_with_this_servers_address(explore: Page, address: str) -> None:
    for name in FRAMEWORKS:
        explore.locator("#code-framework").select_option(name)
        expect(explore.locator("#code-checked")).to_have_text(read_checked()[name].sentence)
        text = program(name, parse(SMALL)).text.replace("http://127.0.0.1:8000", address)
        assert explore.locator("#code-text").text_content() == text


def test_the_line_that_cuts_lights_the_cut_edges(explore: Page) -> None:
    line = explore.locator(".cut-line")
    expect(line).to_have_count(1)
    line.focus()
    expect(explore.locator(".cut-light")).to_have_count(2)  # before steps 4 and 8
    line.hover()
    explore.mouse.move(0, 0)
    expect(explore.locator(".cut-light")).to_have_count(2)  # the line still has the focus
    line.blur()
    expect(explore.locator(".cut-light")).to_have_count(0)
    line.hover()
    expect(explore.locator(".cut-light")).to_have_count(2)
    strip = explore.locator("[data-figure=strip] .strip-frame").bounding_box()
    light = explore.locator(".cut-light").first.bounding_box()
    assert strip is not None
    assert light is not None
    assert strip["x"] < light["x"] < strip["x"] + strip["width"] / 2


def test_a_step_behind_a_cut_edge_lights_the_line(explore: Page) -> None:
    strip = explore.locator("[data-figure=strip] [data-part=surface]")
    strip.focus()
    strip.press("Home")
    lit = explore.locator(".cut-line[data-lit]")
    expect(lit).to_have_count(0)
    for _ in range(4):
        strip.press("ArrowRight")
    expect(lit).to_have_count(1)
    strip.press("ArrowRight")
    expect(lit).to_have_count(0)


def test_it_follows_the_config_and_copies(explore: Page) -> None:
    explore.context.grant_permissions(["clipboard-read", "clipboard-write"])
    explore.locator("[data-question]").first.click()
    expect(explore.locator("#code-text")).not_to_contain_text("T, B, H, depth = 12")
    explore.locator("#code-copy").click()
    expect(explore.locator("#code-copy")).to_have_text("Copied")
    assert explore.evaluate("navigator.clipboard.readText()") == explore.locator("#code-text").text_content()


def test_it_is_accessible_in_both_themes_and_fits_a_phone(explore: Page) -> None:
    for _ in range(2):
        found = Axe().run(explore, context="#code")
        assert found.violations_count == 0, found.generate_report()
        explore.locator("#theme").click()
    explore.set_viewport_size({"width": 360, "height": 740})
    explore.reload()
    explore.locator("#code summary").click()
    expect(explore.locator("#code-text")).to_contain_text("detach()")
    widths = explore.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
