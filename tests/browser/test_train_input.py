"""Bad input on the training page: each said beside what is to blame, and nothing already shown is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.training import QUICK, STRATEGIES, ended, place, started


@pytest.fixture
def train(page: Page, faults: list[str]) -> Iterator[Page]:
    """The page; that the browser tells of a refused request is no fault."""
    yield page
    assert all(fault.startswith("Failed to load resource") for fault in faults), faults
    faults.clear()


@pytest.mark.parametrize(("change", "field", "words"), [
    ({"text": "aaaaaaaaaaaaaaaaaaaa"}, "text", "two distinct characters"),
    ({"text": "ab" * 20}, "text", "must be at least"),
    ({"tokens": 3}, "tokens", "must be from"),
    ({"rate": -1}, "rate", "must be from"),
    ({"task": "series", "series": "1,2\n3"}, "series", "line 2"),
    ({"task": "series", "series": "a,b\n1,2\n1,x"}, "series", "line 3"),
    ({"task": "copy", "steps": 0}, "steps", "finite sequences")])
def test_what_is_wrong_is_said_beside_its_control(train: Page, address: str, change: dict[str, Any], field: str,
                                                  words: str) -> None:
    train.goto(place(address, {**QUICK, **change}))
    problem = train.locator(f"#control-{field}-problem")
    expect(problem).to_contain_text(words)
    expect(train.locator("#notice")).to_contain_text("see beside the control")
    train.locator("#start").click()
    expect(train.locator("#start")).to_be_enabled()
    expect(train.locator("#seen")).to_be_hidden()
    train.locator("#preset").select_option(index=1)
    expect(problem).to_be_hidden()
    expect(train.locator("#notice")).to_be_hidden()
    expect(train.locator("#estimate")).to_contain_text("Takes about")


def test_a_wrong_strategy_is_said_beside_it(train: Page, address: str) -> None:
    strategies = [*STRATEGIES, {"style": "full"}]
    train.goto(place(address, {**QUICK, "strategies": strategies}))
    expect(train.locator("#control-strategy-2-style-problem")).to_contain_text("needs a finite sequence")
    expect(train.locator(".strategies > li").nth(2).locator("details").first).to_have_attribute("open", "")


def test_the_same_strategy_twice(train: Page, address: str) -> None:
    train.goto(place(address, {**QUICK, "strategies": [STRATEGIES[0], STRATEGIES[0]]}))
    expect(train.locator("#strategies > .problem")).to_contain_text("more than once")


def test_a_file_that_is_no_text_and_one_that_is(train: Page, address: str, tmp_path: Path) -> None:
    train.goto(place(address, QUICK))
    expect(train.locator("#estimate")).to_contain_text("Takes about")
    wrong, right = tmp_path / "wrong.txt", tmp_path / "right.txt"
    wrong.write_bytes(b"\xff\xfe\x00\x81")
    right.write_text("To be, or not to be: that is the question. " * 200, encoding="utf-8")
    chooser = train.locator('[data-option="text"] input[type=file]')
    chooser.set_input_files(wrong)
    expect(train.locator("#control-text-problem")).to_contain_text("UTF-8")
    chooser.set_input_files(right)
    expect(train.locator("#control-text-problem")).to_be_hidden()
    expect(train.locator('[data-option="text"] textarea')).to_have_value(re.compile("^To be"))
    train.locator("#start").click()
    ended(train)


def test_a_file_that_is_too_long(train: Page, address: str, tmp_path: Path) -> None:
    train.goto(place(address, QUICK))
    long = tmp_path / "long.txt"
    long.write_text("ab" * 2_600_000, encoding="utf-8")
    train.locator('[data-option="text"] input[type=file]').set_input_files(long)
    expect(train.locator("#control-text-problem")).to_contain_text("5 MB")


def test_a_rate_that_is_none_is_said_beside_it(train: Page, address: str) -> None:
    started(train, address, {**QUICK, "tokens": 2_000_000})
    train.locator("#rate-now").fill("")
    train.locator("#rate-set").click()
    expect(train.locator("#rate-problem")).to_contain_text("not negative")
    train.locator("#rate-now").fill("5000")
    train.locator("#rate-set").click()
    expect(train.locator("#rate-problem")).to_contain_text("to 1000", timeout=20_000)
    train.locator("#stop").click()
    expect(train.locator("#status")).to_contain_text("Stopped")


def test_a_strategy_that_diverges_is_shown_and_the_others_go_on(train: Page, address: str) -> None:
    lab = {**QUICK, "cell": "rnn", "task": "adding", "steps": 20, "optimiser": "sgd", "rate": 30, "clip_by": "off",
           "strategies": [{"style": "window", "k": 5}, {"style": "window", "k": 5, "value": "carry", "frozen": True}]}
    started(train, address, lab)
    expect(train.locator("#status")).to_contain_text("Done", timeout=60_000)
    expect(train.locator("#standings")).to_contain_text("diverged")
    expect(train.locator("#verdict-headline")).to_contain_text("diverged")


def test_hostile_text_stays_text(train: Page, address: str) -> None:
    hostile = "<img src=x onerror=window.fired=1><script>window.fired=1</script> " * 60
    started(train, address, {**QUICK, "text": ""} | {"text": hostile[:1900]} | {"batch": 2})
    ended(train)
    expect(train.locator("#samples pre").first).to_have_text(re.compile(r"\S"))
    assert train.evaluate("window.fired") is None
    assert train.locator("#samples img, #samples script").count() == 0


def test_more_runs_than_may_wait_are_refused_in_words(train: Page, address: str) -> None:
    lab = {**QUICK, "tokens": 2_000_000}
    for _ in range(12):
        train.goto(place(address, lab))
        expect(train.locator("#start")).to_be_enabled()
        train.locator("#start").click()
        expect(train.locator("#seen, #notice").locator("visible=true").first).to_be_visible(timeout=20_000)
        if train.locator("#notice").is_visible():
            break
    expect(train.locator("#notice")).to_contain_text(re.compile("may wait.*Try again in"))
    for link in train.locator("#earlier-list a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))"):
        train.goto(address + link)
        expect(train.locator("#status")).to_contain_text(re.compile("Training|Waiting|Stopped|Done|Interrupted"))
        if train.locator("#stop").is_visible():
            train.locator("#stop").click()
            expect(train.locator("#status")).to_contain_text("Stopped")


def test_a_long_text_stays_in_the_form_that_started_it_and_is_missed_after_a_reload(train: Page, address: str,
                                                                                  tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("To be, or not to be: that is the question. " * 500, encoding="utf-8")
    train.goto(place(address, QUICK))
    train.locator('[data-option="text"] input[type=file]').set_input_files(long)
    train.locator("#start").click()
    ended(train)
    expect(train.locator("#control-text-problem")).to_be_hidden()
    expect(train.locator('[data-option="text"] textarea')).to_have_value(re.compile("^To be"))
    train.reload()
    expect(train.locator("#control-text-problem")).to_contain_text("too long to be shown (21,500)")
