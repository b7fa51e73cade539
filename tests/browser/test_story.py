"""What a newcomer meets: the story without a click, the three questions, the presets."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine import PRESETS, QUESTIONS, Config, analyze
from engine.traces import Words
from tests.browser.conftest import SMALL, as_set

Show = Callable[[str], Page]


def words_of(config: Config) -> Words:
    return analyze(config, certify=False).words


def seen(sentence: str) -> str:
    """Returns a sentence of the engine as the page writes its large and small numbers."""
    power = re.sub(r"(\d)e([+-])0*(\d+)", lambda m: f"{m[1]}e{'−' if m[2] == '-' else ''}{m[3]}", sentence)
    return as_set(power)


def test_the_story_is_told_without_a_click(show: Show) -> None:
    page = show("")
    found = analyze(Config(), certify=False)
    expect(page.locator("#headline")).to_have_text(seen(found.words.headline))
    expect(page.locator("#badge")).to_have_text(re.compile(r"^certified, \de-1\d$"))
    expect(page.locator("#sight")).to_have_text("all 60 steps")
    for name, sentence in {"norms": found.words.norms, "credit": found.words.credit, "costs": found.words.costs,
                           "carry_over": found.words.carry_over}.items():
        expect(page.locator(f"[data-figure={name}] [data-part=sentence]")).to_have_text(seen(sentence))
    assert page.locator(".figure .sentence:visible").count() == 7
    assert all(text.strip() for text in page.locator(".figure .sentence:visible").all_inner_texts())
    drawn = page.evaluate("""() => { const c = document.getElementById("strip"); const { data } =
      c.getContext("2d").getImageData(0, 0, c.width, c.height); return new Set(new Uint32Array(data.buffer)).size; }""")
    assert drawn > 50, "the strip has cells, symbols, arrows and scissors"
    expect(page.locator(".intro")).to_be_visible()


def test_a_number_keeps_its_unit_on_its_line(show: Show) -> None:
    page = show(f"{SMALL}&k=4")
    text = page.locator("#headline").text_content() or ""
    assert re.search(r"\d\u00a0%", text)
    assert not re.search(r"\d %", text)


def test_each_question_is_answered_with_its_number_and_certificate(show: Show) -> None:
    page = show("")
    for question in QUESTIONS:
        page.locator(f"[data-question={question.name}]").click()
        answer = page.locator("#answer")
        expect(answer).to_contain_text(seen(words_of(question.config).questions[question.name]))
        expect(answer.locator("small")).to_have_text(re.compile(r"^certified, \de-1\d$"))
        expect(page).to_have_url(re.compile(rf"q={question.name}"))
        expect(page.locator(f"[data-question={question.name}]")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("[data-question=carry]")).to_have_attribute("aria-pressed", "true")


def test_each_preset_shows_what_the_engine_says(page: Page, address: str, faults: list[str]) -> None:
    page.goto(f"{address}/?{SMALL}")
    for preset in PRESETS:
        page.locator("#preset").select_option(preset.name)
        expect(page.locator("#headline")).to_have_text(seen(words_of(preset.config).headline))
        expect(page.locator("#preset-note")).to_have_text(preset.help)
        expect(page.locator("#preset")).to_have_value(preset.name)


def test_the_mathematics_is_there_without_a_script(show: Show) -> None:
    page = show(SMALL)
    page.locator("#mathematics summary").click()
    assert page.locator("#mathematics math").count() > 10
    expect(page.locator("#mathematics math[display=block] munder").first).to_be_visible()
