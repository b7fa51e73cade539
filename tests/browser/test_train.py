"""The training page: an experiment is chosen, started, watched, and what it says is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.training import LONG, PICTURES, QUICK, ended, place, started


@pytest.fixture
def train(page: Page, address: str, faults: list[str], hosts: set[str]) -> Iterator[Page]:
    """The page, watched for faults; no request may leave the host."""
    yield page
    assert hosts <= {urlsplit(address).netloc, ""}


def test_a_newcomer_reads_the_question_presses_start_and_gets_a_verdict(train: Page, address: str) -> None:
    train.goto(f"{address}/train")
    expect(train.locator(".intro")).to_contain_text("Does it matter?")
    expect(train.locator("[data-preset]").first).to_have_attribute("aria-pressed", "true")
    expect(train.locator("#estimate")).to_contain_text(re.compile("Takes about .* of memory"))
    started(train, address, QUICK)
    expect(train.locator("#verdict-headline")).to_contain_text("carrying the state", timeout=30_000)
    ended(train)
    expect(train.locator("#verdict-kind")).to_have_text("Verdict")
    expect(train.locator("#verdict-headline")).to_contain_text(re.compile(r"95\s%: .* to "))
    for name in PICTURES:
        expect(train.locator(f'[data-figure="{name}"] [data-part=sentence]')).to_have_text(re.compile(r"\S.*\.$"))


def test_every_strategy_has_its_row_and_its_sample(train: Page, address: str) -> None:
    started(train, address, QUICK)
    ended(train)
    rows = train.locator("#standings tbody tr")
    expect(rows).to_have_count(2)
    assert all("–" not in cell for cell in rows.first.locator("td").all_inner_texts()[:8])
    expect(rows.nth(0).locator(".own")).to_have_count(1)
    samples = train.locator("#samples pre").all_inner_texts()
    assert len(samples) == 2
    assert all(len(sample) > 20 for sample in samples)


def test_scrubbing_through_the_moments(train: Page, address: str) -> None:
    run = started(train, address, QUICK)
    ended(train)
    slider, sample = train.locator("#moment"), train.locator("#samples pre").first
    last = sample.inner_text()
    expect(train.locator("#moment-value")).to_have_text("after 8,000 characters")
    slider.focus()
    train.keyboard.press("Home")
    expect(train.locator("#moment-value")).to_have_text("after 0 characters")
    assert sample.inner_text() != last
    expect(train).to_have_url(re.compile(rf"/train/{run}\?at=0"))
    surface = train.locator('[data-figure="probe_0"] [data-part=surface]')
    surface.focus()
    train.keyboard.press("ArrowRight")
    expect(train.locator("#moment-value")).to_have_text(re.compile(r"after 2,\d\d\d characters"))
    expect(surface).to_have_attribute("aria-valuenow", "1")
    expect(train.locator('[data-figure="loss"] [data-part=readout]')).to_contain_text(re.compile(r"^After 2,\d\d\d"))
    train.reload()
    expect(train.locator("#moment-value")).to_have_text(re.compile(r"after 2,\d\d\d characters"))


def test_another_seed_and_another_measure(train: Page, address: str) -> None:
    started(train, address, QUICK)
    ended(train)
    first = train.locator("#samples pre").first.inner_text()
    train.locator("#seed-shown").select_option("1")
    expect(train.locator("#samples pre").first).not_to_have_text(first)
    train.locator("#measure").select_option("bits")
    expect(train.locator('[data-figure="loss"] [data-part=sentence]')).to_contain_text("bits per character")
    expect(train.locator("#standings-about")).to_contain_text("bits per character")
    expect(train).to_have_url(re.compile(r"seed=1.*measure=bits"))


def test_tables_and_files_of_a_picture(train: Page, address: str) -> None:
    started(train, address, QUICK)
    ended(train)
    card = train.locator('[data-figure="loss"]')
    card.locator(".table > summary").click()
    expect(card.locator("tbody tr")).to_have_count(5)
    with train.expect_download() as saved:
        card.locator("[data-act=csv]").click()
    assert saved.value.path().read_text().startswith('characters,"window(5), state carried"')
    with train.expect_download() as picture:
        card.locator("[data-act=png]").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_results_as_files(train: Page, address: str) -> None:
    started(train, address, QUICK)
    ended(train)
    with train.expect_download() as table:
        train.locator("#result-csv").click()
    assert table.value.path().read_text().startswith("lane,strategy,seed,kind,tokens")
    with train.expect_download() as report:
        train.locator("#result-report").click()
    assert report.value.suggested_filename.endswith(".html")
    text = report.value.path().read_text()
    assert (train.locator("#verdict-headline").text_content() or "")[:40] in text
    with train.expect_download() as numbers:
        train.locator("#result-json").click()
    assert len(json.loads(numbers.value.path().read_text())["lanes"]) == 4


def test_a_strategy_is_added_changed_and_removed(train: Page, address: str) -> None:
    train.goto(place(address, QUICK))
    rows = train.locator(".strategies > li")
    expect(rows).to_have_count(2)
    train.locator("#add-strategy").click()
    expect(rows).to_have_count(3)
    added = rows.nth(2)
    added.locator("select").first.select_option("sliding")
    added.locator('[data-option="strategy-2-k"] input[type=number]').fill("7")
    added.locator('[data-option="strategy-2-k"] input[type=number]').press("Enter")
    expect(added.locator(".strategy-name")).to_contain_text("sliding(7)")
    assert "sliding" in train.evaluate("new URLSearchParams(location.search).get('lab')")
    rows.nth(0).locator("summary").first.click()
    rows.nth(0).get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1).locator(".strategy-name")).to_contain_text("sliding(7)")
    train.reload()
    expect(rows.nth(1).locator(".strategy-name")).to_contain_text("sliding(7)")


def test_a_moment_opens_in_the_explorer_and_the_way_back(train: Page, address: str) -> None:
    run = started(train, address, QUICK)
    ended(train)
    train.locator("#open-moment a").nth(1).click()
    expect(train.locator("#trained")).to_contain_text("window(5), state reset, seed 0, after 8,000 characters")
    expect(train.locator("#badge")).to_contain_text("certified", timeout=20_000)
    headline = train.locator("#headline").inner_text()
    assert f"moment={run}.1.0.8000" in train.url
    train.reload()
    expect(train.locator("#headline")).to_have_text(headline)
    train.locator("#trained").get_by_role("button").click()
    expect(train.locator("#trained")).to_be_hidden()
    expect(train.locator("#headline")).not_to_have_text(headline)
    train.go_back()
    expect(train.locator("#headline")).to_have_text(headline)
    train.locator("#trained").get_by_role("link").click()
    expect(train).to_have_url(re.compile(rf"/train/{run}\?at=8000"))


def test_pause_step_rate_resume_stop(train: Page, address: str) -> None:
    started(train, address, LONG)
    expect(train.locator("#status")).to_contain_text("Training")
    train.locator("#pause").click()
    expect(train.locator("#status")).to_contain_text("Paused")
    train.locator("#step").click()
    expect(train.locator("#status")).to_contain_text("Paused")
    train.locator("#rate-now").fill("0.5")
    train.locator("#rate-set").click()
    train.locator("#pause").click()
    expect(train.locator("#status")).to_contain_text("Training")
    expect(train.locator("#rate-now")).to_have_value("0.5")
    train.locator("#stop").click()
    expect(train.locator("#status")).to_contain_text("Stopped at")
    expect(train.locator("#pause")).to_be_hidden()
