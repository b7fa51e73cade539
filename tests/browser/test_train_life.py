"""A run outlives a reload, a closed browser, a hidden tab and a server that stops; two tabs see the same."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import serving
from tests.browser.training import LONG, QUICK, ended, started

SHOW = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
WATCHED = {**QUICK, "tokens": 60_000, "seeds": 1, "evaluations": 12}


def kept(address: str, run: str) -> dict[str, int]:
    """Returns how many moments of each lane the server has kept."""
    with urllib.request.urlopen(f"{address}/api/v1/training/{run}/points") as answer:
        events = json.load(answer)["events"]
    found: dict[str, int] = {}
    for event in events:
        if event["event"] == "moment":
            found[event["data"]["lane"]] = found.get(event["data"]["lane"], 0) + 1
    return found


def shown(page: Page) -> int:
    return int(page.locator("#moment").get_attribute("max") or 0) + 1


def test_a_reload_in_the_middle_misses_nothing(page: Page, address: str, faults: list[str]) -> None:
    run = started(page, address, WATCHED)
    expect(page.locator("#moment-value")).to_contain_text("after", timeout=20_000)
    page.reload()
    expect(page.locator("#seen")).to_be_visible()
    ended(page)
    assert kept(address, run) == {"0.0": 13, "1.0": 13}
    assert shown(page) == 13


def test_another_browser_with_the_address_sees_the_run_and_may_not_touch_it(page: Page, address: str, browser: Browser,
                                                                           faults: list[str]) -> None:
    run = started(page, address, LONG)
    context = browser.new_context()
    other = context.new_page()
    other.goto(f"{address}/train/{run}")
    expect(other.locator("#status")).to_contain_text("Training", timeout=20_000)
    expect(other.locator("#stop")).to_be_hidden()
    expect(other.locator("#pause")).to_be_hidden()
    expect(other.locator("#standings tbody tr")).to_have_count(2)
    page.locator("#stop").click()
    expect(other.locator("#status")).to_contain_text("Stopped", timeout=15_000)
    context.close()


def test_two_tabs_of_one_browser_control_one_run(page: Page, address: str, faults: list[str]) -> None:
    run = started(page, address, LONG)
    second = page.context.new_page()
    second.goto(f"{address}/train/{run}")
    second.locator("#pause").click()
    for tab in (page, second):
        expect(tab.locator("#status")).to_contain_text("Paused", timeout=15_000)
    page.locator("#pause").click()
    for tab in (page, second):
        expect(tab.locator("#status")).to_contain_text("Training", timeout=15_000)
    second.locator("#stop").click()
    for tab in (page, second):
        expect(tab.locator("#status")).to_contain_text("Stopped", timeout=15_000)


def test_a_hidden_tab_closes_its_stream_and_catches_up(page: Page, address: str, faults: list[str]) -> None:
    opened: list[str] = []
    closed: list[str] = []
    page.on("request", lambda request: opened.append(request.url) if "/events?" in request.url else None)
    page.on("requestfailed", lambda request: closed.append(request.url) if "/events?" in request.url else None)
    page.on("requestfinished", lambda request: closed.append(request.url) if "/events?" in request.url else None)
    run = started(page, address, WATCHED)
    expect(page.locator("#moment-value")).to_contain_text("after", timeout=20_000)
    page.evaluate(SHOW, True)
    page.wait_for_timeout(400)
    assert len(opened) == len(closed) == 1
    page.evaluate(SHOW, False)
    ended(page)
    assert len(opened) >= 2
    assert re.search(r"after=[1-9]", opened[1])
    assert shown(page) == max(kept(address, run).values()) == 13
    page.wait_for_timeout(400)
    assert len(opened) == len(closed)  # nothing is open when the run is over


def test_a_server_that_stops_is_said_and_the_run_goes_on_when_it_is_back(page: Page, faults: list[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(port) as address:
        started(page, address, LONG)
        expect(page.locator("#moment-value")).to_contain_text("after", timeout=20_000)
    expect(page.locator("#notice")).to_contain_text("does not answer", timeout=15_000)
    before = shown(page)
    with serving(port):
        expect(page.locator("#notice")).to_be_hidden(timeout=40_000)
        expect(page.locator("#status")).to_contain_text("Interrupted")
        assert shown(page) >= before
        page.locator("#pause").click()
        expect(page.locator("#status")).to_contain_text("Training", timeout=20_000)
        page.locator("#stop").click()
        expect(page.locator("#status")).to_contain_text("Stopped", timeout=15_000)
    assert all(re.match("Failed to load resource", fault) for fault in faults), faults
    faults.clear()


def test_a_database_that_is_locked_is_said_at_once_and_nothing_shown_is_lost(page: Page, tmp_path: Path,
                                                                            faults: list[str]) -> None:
    with serving(data=tmp_path, database_seconds=0.2) as address:
        started(page, address, LONG)
        expect(page.locator("#moment-value")).to_contain_text("after", timeout=20_000)
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            expect(page.locator("#status")).to_contain_text(
                re.compile(r"Paused at .*It cannot be stored: another program holds it locked\."), timeout=20_000)
            before = shown(page)
            other.execute("ROLLBACK")
        page.locator("#pause").click()
        expect(page.locator("#status")).to_contain_text("Training", timeout=20_000)
        assert shown(page) >= before
        page.locator("#stop").click()
        expect(page.locator("#status")).to_contain_text("Stopped", timeout=15_000)


def test_going_back_leaves_the_run_and_forward_finds_it(page: Page, address: str, faults: list[str]) -> None:
    run = started(page, address, QUICK)
    ended(page)
    page.go_back()
    expect(page.locator("#seen")).to_be_hidden()
    expect(page.locator("#start")).to_have_text("Start")
    expect(page.locator("#earlier-list")).to_contain_text("done")
    page.go_forward()
    expect(page).to_have_url(re.compile(run))
    ended(page)


@pytest.mark.parametrize("id", ["AAAAAAAAAAAAAAAAAAAAAA", "x"])
def test_an_address_without_a_run_says_so(id: str, page: Page, address: str, faults: list[str]) -> None:
    page.goto(f"{address}/train/{id}")
    expect(page.locator("#notice")).to_contain_text(id)
    expect(page.locator("#start")).to_be_enabled()
    assert all("404" in fault for fault in faults)
    faults.clear()
