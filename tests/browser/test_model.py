"""The page "Your model" in a real browser: traces dropped, chosen, refused, held against something else."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from scripts.shell import ROOT
from tests.engine.false_traces import fields, given, trace
from tests.engine.recorded_traces import RNN, meta
from tests.engine.test_recorded import file_of

DROP = """({ file, name }) => {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector("main").dispatchEvent(event);
    if (kind === "dragover" && document.getElementById("drop").dataset.over !== "") throw new Error("not marked");
  }
}"""
LEAK = "You cut every 20 steps. c is cut, h is not: the gradient leaks through h across windows."
PICTURES = ("credit", "grad", "state", "loss", "parameters", "memory")
READY = 20_000


@pytest.fixture
def model(page: Page, address: str, faults: list[str], hosts: set[str]) -> Iterator[Page]:
    """The page, on which no error may happen; no request may leave the host."""
    page.goto(f"{address}/model")
    yield page
    assert hosts <= {urlsplit(address).netloc, ""}


def drop(page: Page, file: bytes, name: str = "trace.npz") -> None:
    page.evaluate(DROP, {"file": base64.b64encode(file).decode(), "name": name})


def opened(page: Page, name: str) -> None:
    expect(page.locator("#result")).to_have_attribute("data-drawn", name, timeout=READY)


def open_example(page: Page) -> None:
    page.locator("#example").click()
    opened(page, "the example")


def test_the_example_opens_at_once_and_says_what_is_wrong(model: Page) -> None:
    expect(model.locator("#status")).to_have_text("No trace is open.")
    open_example(model)
    expect(model.locator("#headline")).to_have_text("The loss at step 119 reaches step 60 and no further.")
    expect(model.locator("#findings")).to_contain_text(LEAK)
    expect(model.locator("#badge")).to_have_text("not as declared")
    expect(model.locator("#facts")).to_contain_text("torch_tap 1, torch")
    for name in PICTURES:
        card = model.locator(f"[data-figure={name}]")
        expect(card.locator(".main-svg").first).to_be_visible()
        expect(card.locator("[data-part=sentence]")).not_to_be_empty()
        card.locator(".table > summary").click()
        expect(card.locator("tbody tr").first).to_be_visible()
    expect(model.locator("[data-figure=credit] canvas")).to_be_visible()
    expect(model.locator("[data-figure=credit] .deeper-key")).to_contain_text("expected: window(20)")
    assert model.locator("[data-figure=credit] tbody tr").count() == 120


def test_a_trace_is_dropped_anywhere_on_the_page(model: Page) -> None:
    drop(model, trace(), "mine.npz")
    opened(model, "mine.npz")
    expect(model.locator("#status")).to_have_text("Open: mine.npz, 12 steps.")
    expect(model.locator("#badge")).to_have_text("as declared")
    expect(model.locator("#headline")).to_have_text("The loss at step 11 reaches step 8 and no further.")
    expect(model.locator("[data-figure=memory]")).to_be_hidden()
    assert model.locator("#drop").get_attribute("data-over") is None


def test_a_trace_is_chosen_and_held_against_something_else(model: Page, tmp_path: Path, faults: list[str]) -> None:
    (tmp_path / "chosen.npz").write_bytes(trace())
    model.locator("#file").set_input_files(tmp_path / "chosen.npz")
    opened(model, "chosen.npz")
    model.locator("#expect").fill("window:6")
    model.locator("#expect").press("Enter")
    expect(model.locator("#badge")).to_have_text("not as declared")
    said = "What was found is window(4): the gradient is cut every 4 steps, not every 6."
    expect(model.locator("#findings")).to_contain_text(said)
    model.locator("#expect").fill("windw:6")
    model.locator("#expect-form button").click()
    expect(model.locator("#notice")).to_contain_text("Write full, window:K, sliding:K or k1k2:K1,K2")
    expect(model.locator("#badge")).to_have_text("not as declared")
    assert len(faults) == 1  # the browser itself notes the 422
    faults.clear()


@pytest.mark.parametrize(("file", "said"), [
    (b"hello, this is no archive at all", "must be a whole zip archive"),
    (trace()[:-40], "its end is missing"),
    (trace(fields(version=2)), "the one version that is read here"),
], ids=["text", "cut short", "version 2"])  # fmt: skip
def test_a_bad_file_is_refused_with_its_reason(page: Page, address: str, file: bytes, said: str) -> None:
    page.goto(f"{address}/model")
    drop(page, file, "bad.npz")
    expect(page.locator("#notice")).to_contain_text(said, timeout=READY)
    expect(page.locator("#status")).to_have_text("bad.npz could not be read.")
    expect(page.locator("#result")).to_be_hidden()
    drop(page, trace(), "good.npz")
    opened(page, "good.npz")
    expect(page.locator("#notice")).to_be_hidden()


def test_a_file_that_is_too_large_is_not_sent(model: Page) -> None:
    model.evaluate("""() => {
      const data = new DataTransfer();
      data.items.add(new File([new Blob(Array.from({ length: 201 }, () => new Uint8Array(2 ** 20)))], "huge.npz"));
      dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
    }""")
    expect(model.locator("#status")).to_have_text("huge.npz was not sent.")
    expect(model.locator("#notice")).to_contain_text("a trace may have 209.7 MB here")


def test_a_bad_file_leaves_the_trace_before_it(page: Page, address: str) -> None:
    page.goto(f"{address}/model")
    drop(page, trace(), "good.npz")
    opened(page, "good.npz")
    drop(page, b"x", "bad.npz")
    expect(page.locator("#status")).to_have_text("bad.npz could not be read. Below is still the trace before it.")
    expect(page.locator("#result")).to_be_visible()


def test_a_row_and_a_loss_are_picked_and_a_step_is_marked_everywhere(model: Page) -> None:
    open_example(model)
    model.locator("#row").select_option(label="c")
    expect(model.locator("[data-figure=credit] [data-part=sentence]")).to_contain_text("leads back to step 60")
    model.locator("#loss").focus()
    model.keyboard.press("Home")
    expect(model.locator("#loss-value")).to_have_text("0")
    surface = model.locator("[data-figure=grad] [data-part=surface]")
    surface.focus()
    model.keyboard.press("Home")
    for _ in range(3):
        model.keyboard.press("ArrowRight")
    expect(model.locator("[data-figure=state] [data-part=surface]")).to_have_attribute("aria-valuenow", "3")
    expect(model.locator("[data-figure=grad] [data-part=readout]")).to_have_text(re.compile(r"^Step 3: h .*, c .*\.$"))
    expect(model.locator("[data-figure=credit] [data-part=readout]")).to_contain_text("comes after the loss at step 0")
    update = model.locator("[data-figure=parameters] [data-part=surface]")
    update.focus()
    model.keyboard.press("ArrowRight")
    expect(model.locator("[data-figure=parameters] [data-part=readout]")).to_contain_text("Update 1: before clipping")


def test_the_keyboard_alone_opens_the_example(model: Page) -> None:
    for _ in range(30):
        model.keyboard.press("Tab")
        if model.evaluate("document.activeElement.id") == "example":
            break
    model.keyboard.press("Enter")
    opened(model, "the example")
    assert model.evaluate("document.activeElement.id") == "headline"


def test_a_long_trace_is_shown_in_columns(model: Page) -> None:
    T, losses = 5000, list(range(99, 5000, 100))
    connected = np.array([[[s // 100 * 100 <= t <= s for t in range(T)] for s in losses]])
    found = {"loss": np.ones(T), "losses": np.array(losses), "connected": connected}
    drop(model, file_of(meta(RNN, range(0, T, 100), {"style": "window", "k": 100}), found))
    opened(model, "trace.npz")
    expect(model.locator("#facts")).to_contain_text("5000 steps, shown in columns of 3")
    expect(model.locator("#badge")).to_have_text("as declared")
    model.locator("[data-figure=loss] .table > summary").click()
    expect(model.locator("[data-figure=loss] tbody tr").nth(1)).to_contain_text("3 to 5")


def test_the_lines_of_each_framework_can_be_copied(model: Page) -> None:
    model.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name in ("torch", "keras", "jax"):
        lines = model.locator(f"#lines-{name}")
        expect(lines).to_contain_text(f"from {name}_tap import")
        model.locator(f"[data-copy=lines-{name}]").click()
        expect(model.locator(f"[data-copy=lines-{name}]")).to_have_text("Copied")
        assert model.evaluate("navigator.clipboard.readText()") == lines.inner_text().strip("\n")


def test_each_tap_can_be_had_from_the_page(model: Page, address: str) -> None:
    for link in model.locator(".maker a").all():
        path = link.get_attribute("href") or ""
        answer = model.request.get(f"{address}{path}")
        assert answer.status == 200, path
        assert answer.text().splitlines()[0] == (ROOT / path.strip("/")).read_text(encoding="utf-8").splitlines()[0]


def test_it_is_accessible_in_both_themes_and_fits_a_phone(model: Page) -> None:
    open_example(model)
    model.locator("[data-figure=grad] .table > summary").click()
    for _ in range(2):
        found = Axe().run(model)
        assert found.violations_count == 0, found.generate_report()
        model.locator("#theme").click()
    model.set_viewport_size({"width": 360, "height": 740})
    found = Axe().run(model)
    assert found.violations_count == 0, found.generate_report()
    widths = model.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_a_traces_own_words_are_text(model: Page) -> None:
    evil = '<img src=x onerror="document.title=1">'
    drop(model, trace(fields(rows=[evil, "c"], notes=[evil], tool=evil), given()))
    opened(model, "trace.npz")
    expect(model.locator("#notes")).to_have_text(evil)
    expect(model.locator("#facts")).to_contain_text(evil)
    assert model.locator("main img").count() == 0
    assert model.title() == "Your model: how far does its gradient reach?"
