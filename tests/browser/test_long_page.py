"""A long sequence on the page: an overview, a brush over it, and pictures of the steps that it picks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Show = Callable[[str], Page]
LONG = "task=copy&lag=3&steps=3000&hidden=6&batch=1&k=25&cell=rnn"
DRAWN = """() => Math.max(...[...document.querySelectorAll("main .plot canvas")].map((c) => c.width))"""


@pytest.fixture
def brush(show: Show) -> Page:
    page = show(f"{LONG}&from=1000&to=1200")
    expect(page.locator("#overview")).to_be_visible()
    return page


def test_the_address_says_which_steps_are_drawn_one_by_one(brush: Page) -> None:
    expect(brush.locator("#overview-range")).to_have_text("steps 1000 to 1199 of 3000")
    expect(brush.locator("#sight")).to_have_text("steps 1000 to 1199 of 3000")
    expect(brush.locator("#headline")).to_contain_text("The loss at step 2999 reaches step 2975")
    expect(brush.locator("#overview-sentence")).to_contain_text("All 3,000 steps, in 120 windows")
    expect(brush.locator("#badge")).to_contain_text("certified")
    expect(brush.locator("[data-figure=norms] .sentence")).to_contain_text("From step 1000 to step 1199")
    assert brush.evaluate(DRAWN) <= 500


@pytest.mark.parametrize(("key", "steps"), [("ArrowRight", "1100 to 1299"), ("Shift+ArrowLeft", "700 to 899"),
                                            ("End", "2800 to 2999"), ("+", "1050 to 1149"), ("-", "900 to 1299")])
def test_keys_move_and_stretch_the_range(brush: Page, key: str, steps: str) -> None:
    brush.locator("#overview-surface").focus()
    brush.keyboard.press(key)
    expect(brush.locator("#sight")).to_have_text(f"steps {steps} of 3000")
    first, last = map(int, steps.split(" to "))
    expect(brush).to_have_url(re.compile(f"from={first}&to={last + 1}$"))


def test_a_drag_picks_steps_and_going_back_returns_to_the_old_ones(brush: Page) -> None:
    box = brush.locator("#overview-surface").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    brush.mouse.move(box["x"] + 0.8 * box["width"], y)
    brush.mouse.down()
    brush.mouse.move(box["x"] + 0.9 * box["width"], y, steps=4)
    brush.mouse.up()
    expect(brush.locator("#sight")).to_have_text(re.compile(r"steps 2\d{3} to 2\d{3} of 3000"))
    expect(brush.locator("[data-figure=norms] .sentence")).to_contain_text("From step 2")
    brush.go_back()
    expect(brush.locator("#sight")).to_have_text("steps 1000 to 1199 of 3000")


def test_a_pointed_step_has_its_own_number_everywhere(brush: Page) -> None:
    surface = brush.locator("[data-figure=norms] [data-part=surface]")
    surface.focus()
    brush.keyboard.press("Home")
    brush.keyboard.press("ArrowRight")
    for figure in ("strip", "norms", "carry_over"):
        expect(brush.locator(f"[data-figure={figure}] .readout")).to_contain_text(re.compile(r"Step 100[01]"))
    expect(brush.locator("#loss-value")).to_have_text("1199")


def test_a_short_sequence_has_no_overview(brush: Page) -> None:
    steps = brush.locator("[data-option=steps] input[type=number]")
    steps.fill("60")
    steps.press("Enter")
    expect(brush.locator("#overview")).to_be_hidden()
    expect(brush.locator("#sight")).to_contain_text("60")
