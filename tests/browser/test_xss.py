"""Payloads (tests/hostile/corpus/xss.json) in every place where the page shows a visitor's text: none becomes script,
a link, a request to elsewhere, or an element that breaks the page's policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from server.rendering import environment
from server.training_report import report
from tests.browser.conftest import SETTLED
from tests.browser.test_model import drop, opened
from tests.browser.training import QUICK, place
from tests.engine.false_traces import given, trace
from tests.engine.recorded_traces import meta
from tests.hostile.reading import load
from tests.server.made_runs import LAB, run

PAYLOADS: list[str] = load("xss")
PRINTABLE = [text for text in PAYLOADS if text.isprintable() and len(text) <= 200]
WATCH = """
window.fired = [];
window.__fired = () => window.fired.push("script");
for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => window.fired.push(name);
addEventListener("securitypolicyviolation", (event) => window.fired.push(`policy: ${event.violatedDirective}`));
"""
# What is found in the page: what fired, links elsewhere, and elements that only a payload would have brought.
LOOK = """() => {
  const elsewhere = [...document.querySelectorAll("a, area, base, form, link, iframe, img, object, embed, use, image")]
    .flatMap((element) => ["href", "xlink:href", "action", "src", "data", "srcset"]
      .map((name) => element.getAttribute(name) ?? ""))
    .filter((address) => /evil|^\\s*(javascript|vbscript)\\s*:|^\\s*data:text/i.test(address));
  const strange = "iframe, object, embed, base, marquee, portal, xss, x, isindex, video, audio, math[href]";
  const handlers = [...document.querySelectorAll("*")].flatMap((element) => [...element.attributes])
    .filter(({ name }) => name.startsWith("on")).map(({ name, value }) => `${name}=${value}`);
  const brought = [...document.querySelectorAll(strange)].map((element) => element.outerHTML.slice(0, 80));
  return [...window.fired, ...elsewhere, ...handlers, ...brought];
}"""
# Goes through addresses without loading the page anew, and waits until each has been answered.
THROUGH = """async (addresses) => {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  for (const address of addresses) {
    history.pushState(null, "", address);
    dispatchEvent(new PopStateEvent("popstate"));
    await pause(8);
  }
  const busy = () => document.getElementById("main")?.getAttribute("aria-busy") === "true";
  for (let turns = 0; turns < 400 && busy(); turns += 1) await pause(25);
  await pause(100);
}"""
FIND = """async (payloads) => {
  const text = document.getElementById("finder-text");
  const button = document.getElementById("finder-find");
  for (const payload of payloads) {
    text.value = payload;
    button.click();
    while (button.disabled) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}"""
HOVER = """() => {
  for (const element of document.querySelectorAll("svg *, [title], summary, button, li, td, th, label")) {
    for (const kind of ["mouseover", "mouseenter", "mousemove", "pointerover", "pointermove", "focus"]) {
      element.dispatchEvent(new MouseEvent(kind, { bubbles: true, clientX: 300, clientY: 300 }));
    }
  }
}"""


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page on which nothing may fire, whatever it shows, and from which no other host is asked."""
    hosts: set[str] = set()
    violations: list[str] = []
    page.add_init_script(WATCH)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: violations.append(message.text) if "Content Security" in message.text else None)
    page.on("dialog", lambda dialog: (violations.append(dialog.message), dialog.dismiss()))
    yield page
    page.evaluate(HOVER)
    assert page.evaluate(LOOK) == []
    assert violations == []
    assert not [host for host in hosts if not re.fullmatch(r"(127\.0\.0\.1:\d+)?", host)]


def test_there_are_enough() -> None:
    assert len(set(PAYLOADS)) >= 60
    assert len(PRINTABLE) >= 100


def test_what_would_fire_is_seen(page: Page, address: str) -> None:
    """The watch itself: markup put into the page breaks its policy, and a live link is found."""
    page.add_init_script(WATCH)
    page.goto(f"{address}/bugs")
    assert page.evaluate(LOOK) == []
    markup = "<img src=x onerror=__fired()><a href='https://evil.example'>x</a>"
    page.evaluate("(markup) => { document.body.innerHTML += markup }", markup)
    page.wait_for_timeout(200)
    found = " ".join(page.evaluate(LOOK))
    assert "policy: script-src" in found
    assert "https://evil.example" in found


def test_values_and_names_in_the_explore_pages_address(watched: Page, address: str) -> None:
    """They stand beside the controls, in the notice, in the text's box, and in the link that is copied."""
    watched.goto(f"{address}/?steps=12&hidden=4&batch=2")
    assert watched.evaluate(SETTLED)
    small = "steps=12&hidden=4&batch=2"
    for query in ("?cell={}&", "?task=series&series={}&", "?k={}&", "?{}=1&", "?style={}&step={}&loss={}&",
                  "?question={}&preset={}&"):  # fmt: skip
        watched.evaluate(THROUGH, [query.replace("{}", quote(payload)) + small for payload in PAYLOADS])
        assert watched.evaluate(LOOK) == []


def test_a_text_of_ones_own_on_the_explore_page(watched: Page, address: str) -> None:
    """Its letters are labels of the strip and of the pictures, and they stand in the program beside them."""
    text = " ".join(PAYLOADS)[:4000]
    watched.goto(f"{address}/?{urlencode({'task': 'text', 'text': text, 'steps': 60, 'hidden': 4, 'batch': 2})}")
    assert watched.evaluate(SETTLED)
    watched.locator("#code > summary, #code summary").first.click()
    watched.evaluate(HOVER)


def test_names_in_a_trace(watched: Page, address: str) -> None:
    """Rows, parameters, notes, tool and framework: in labels, legends, captions, lists and hover texts."""
    watched.goto(f"{address}/model")
    for start in (0, 30, 60, 90):
        rows = PRINTABLE[start : start + 30]
        about = meta(rows, [0, 4, 8], {"style": "window", "k": 4}, notes=PRINTABLE[:50])
        about |= {"tool": rows[0], "framework": rows[1]}
        whole = given()
        arrays = {name: whole[name][:1].repeat(len(rows), axis=0) for name in ("state", "grad", "connected", "credit")}
        arrays |= {name: whole[name] for name in ("loss", "losses")}
        drop(watched, trace(about, arrays), f"{start}{rows[2]}")
        opened(watched, f"{start}{rows[2]}")
        watched.evaluate(HOVER)
        assert watched.evaluate(LOOK) == []


def test_names_of_files_and_what_they_are_held_against(watched: Page, address: str) -> None:
    watched.goto(f"{address}/model")
    for payload in PAYLOADS[::2]:
        drop(watched, b"no trace", payload)
    expect(watched.locator("#status")).to_contain_text("could not be read", timeout=20_000)
    watched.locator("#example").click()
    opened(watched, "the example")
    for payload in PAYLOADS[::12]:
        watched.locator("#expect").fill(payload)
        watched.locator("#expect-form button").click()
    expect(watched.locator("#notice")).to_contain_text("truncation", timeout=20_000)


def test_what_is_pasted_into_the_finder(watched: Page, address: str) -> None:
    watched.goto(f"{address}/bugs")
    bug = "RuntimeError: Trying to backward through the graph a second time {}\nfor {} in x:\n    loss.backward()\n"
    watched.evaluate(FIND, [*PAYLOADS, *(bug.replace("{}", payload) for payload in PAYLOADS)])
    expect(watched.locator("#finder-answer")).not_to_be_empty()


def test_a_lab_in_the_training_pages_address(watched: Page, address: str) -> None:
    watched.goto(place(address, QUICK))
    labs = [{**QUICK, "task": payload} for payload in PAYLOADS[::2]]
    labs += [{**QUICK, "text": payload * 9, "vocabulary": "word"} for payload in PAYLOADS[1::8]]
    labs += [{**QUICK, "task": "series", "series": f"{payload},b\n1,x"} for payload in PAYLOADS[1::8]]
    labs += [{**QUICK, payload: 1} for payload in PAYLOADS[1::8]]
    labs += [{**QUICK, "strategies": [{"style": payload, "k": payload}]} for payload in PAYLOADS[1::8]]
    watched.evaluate(THROUGH, [f"/train?{urlencode({'lab': json.dumps(lab)})}" for lab in labs])
    watched.evaluate(THROUGH, [f"/train/{quote(payload, safe='')}" for payload in PAYLOADS[::6]])


def test_the_report_of_a_run(watched: Page, tmp_path: Path) -> None:
    """It is opened from a disk, where no server's policy holds: its samples and options are a visitor's text."""
    text = "\n".join(PAYLOADS)
    view = run(replace(LAB, text=text))
    lanes = tuple(replace(lane, moments=tuple(replace(moment, sample=text) for moment in lane.moments))
                  for lane in view.lanes)
    file = tmp_path / "report.html"
    file.write_text(report(replace(view, lanes=lanes), PAYLOADS[0]), encoding="utf-8")
    watched.goto(file.as_uri())
    expect(watched.locator(".main-svg").first).to_be_visible(timeout=20_000)
    assert PAYLOADS[0] in watched.locator("pre").first.inner_text()


ANSWERS = (
    "/{}", "/static/{}", "/bugs/{}", "/api/v1/{}", "/taps/{}", "/api/v1/analysis?cell={}", "/api/v1/analysis?{}=1",
    "/api/v1/code/{}", "/api/v1/bugs/{}", "/train/{}", "/agree/{}", "/api/v1/code/pytorch?task=text&text={}x",
    "/api/v1/training/{}",
)  # fmt: skip


def test_answers_that_a_browser_opens_by_themselves(watched: Page, address: str) -> None:
    """An address that repeats a part of itself is opened as what it says that it is, and never as a page."""
    for number, answer in enumerate(ANSWERS):
        for payload in PAYLOADS[number:75:15]:
            watched.goto(address + answer.replace("{}", quote(payload, safe="")))
            assert watched.evaluate("() => window.fired") == []


def test_the_page_that_asks_for_a_passphrase(watched: Page) -> None:
    made = environment().get_template("enter.html")
    watched.goto("about:blank")
    for payload in PAYLOADS:
        watched.set_content(made.render(further=f"/?{payload}", wrong=payload, longest=99))
        assert watched.evaluate(LOOK) == []
        kept = watched.locator("input[name=further]").input_value()
        assert kept == f"/?{payload}"
