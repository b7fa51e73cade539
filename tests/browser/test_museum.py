"""The bug museum in a real browser: every exhibit drawn, the finder, the keyboard, small, dark, and for axe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from engine.museum import BUGS

DESK, TELEPHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
LOOP = "for x, y in batches:\n    h = h.detach()\n    out, (h, c) = lstm(x, (h, c))\n    loss(out, y).backward()\n"
COMPUTED_MS = 30_000
Visit = Callable[[str], Page]


@pytest.fixture
def visit(page: Page, address: str, faults: list[str]) -> Visit:
    """Opens a page of the museum, and waits for its numbers where it has some."""

    def opened(path: str) -> Page:
        page.goto(f"{address}{path}")
        if path != "/bugs":
            expect(page.locator(".maps")).to_have_attribute("aria-busy", "false", timeout=COMPUTED_MS)
        return page

    return opened


@pytest.mark.parametrize("name", BUGS)
def test_every_exhibit_shows_its_pictures_numbers_and_programs(visit: Visit, name: str) -> None:
    page = visit(f"/bugs/{name}")
    expect(page.locator("h1")).to_have_text(BUGS[name].title)
    for side in ("broken", "mended"):
        expect(page.locator(f'[data-map="{side}"] svg')).to_be_visible()
        assert page.locator(f'[data-program="{side}"] .code-line').count() > 5
    assert page.locator('[data-program] .changed').count() >= 1
    assert page.locator('[data-part="amounts"] tbody tr').count() >= 3
    dashed = page.evaluate("[...document.querySelectorAll('.maps .edge')].some((path) => path.getAttribute('d'))")
    assert page.locator(".map-key span").count() == 7 + dashed
    assert ("dashed" in page.locator(".map-key").inner_text()) == dashed
    expect(page.locator('[data-part="maps-sentence"]')).to_have_text(re.compile(r"\.$"))
    assert "Computing" not in page.locator("main").inner_text()
    assert page.locator(".met a").count() == len(BUGS[name].met)
    shades = page.evaluate("""() => [...document.querySelectorAll('[data-map="mended"] svg path[class^=shade]')]
      .filter((path) => path.getAttribute("d")).length""")
    assert shades >= 1


def test_the_lines_of_both_programs_stand_at_the_same_height(visit: Visit) -> None:
    page = visit("/bugs/detach_every_step")
    heights = page.evaluate("""() => ["broken", "mended"].map((kind) =>
      [...document.querySelectorAll(`[data-program="${kind}"] .code-line`)].map((line) => line.offsetTop))""")
    assert heights[0] == heights[1]
    marked = page.locator('[data-program="mended"] .changed')
    assert "h = h.detach()" in marked.first.inner_text()


def test_the_table_has_the_numbers_of_both_pictures(visit: Visit) -> None:
    page = visit("/bugs/state_grad")
    page.get_by_text("The same as a table").click()
    row = page.locator('[data-part="map-table"] tbody tr', has_text=re.compile(r"^31"))
    expect(row.first).to_contain_text("0.240")
    expect(row.first).to_contain_text("0.0400")


def test_the_finder_answers_with_the_exhibit_and_the_reason(visit: Visit) -> None:
    page = visit("/bugs")
    page.locator("#finder-text").fill(LOOP)
    page.locator("#finder-find").click()
    answer = page.locator("#finder-answer")
    expect(answer.locator("li").first).to_contain_text("h detached, c not")
    expect(answer.locator("li").first).to_contain_text("likely")
    expect(answer).to_contain_text("detaches `h` but not `c`")
    answer.get_by_role("link", name="h detached, c not").click()
    expect(page.locator("h1")).to_have_text("h detached, c not")


def test_the_finder_says_none_and_asks_for_something(visit: Visit) -> None:
    page = visit("/bugs")
    page.locator("#finder-find").click()
    expect(page.locator("#finder-answer")).to_contain_text("Paste something first")
    page.locator("#finder-text").fill("ModuleNotFoundError: No module named 'torch'")
    page.locator("#finder-find").click()
    expect(page.locator("#finder-answer")).to_contain_text("No exhibit here fits this text")


def test_pasted_markup_stays_text(visit: Visit) -> None:
    page = visit("/bugs")
    page.locator("#finder-text").fill(LOOP.replace("lstm(x,", "lstm('<img src=x onerror=alert(1)>',"))
    page.locator("#finder-find").click()
    expect(page.locator("#finder-answer")).to_contain_text("<img src=x")
    assert page.locator("#finder-answer img").count() == 0


def test_what_the_server_refuses_is_said(visit: Visit, faults: list[str]) -> None:
    page = visit("/bugs")

    def refuse(route: Route) -> None:
        body = '{"title": "Busy", "detail": "Too many wait.", "status": 503, "problems": []}'
        route.fulfill(status=503, content_type="application/problem+json", body=body)

    page.route("**/api/v1/bugs/**", refuse)
    page.locator("#finder-text").fill("x")
    page.locator("#finder-find").click()
    expect(page.locator("#finder-answer .notice")).to_have_text("Too many wait.")
    expect(page.locator("#finder-find")).to_be_enabled()
    visit("/bugs/padding")
    expect(page.locator('[data-part="maps-sentence"]')).to_have_text("Too many wait.")
    assert all("503" in fault for fault in faults)
    faults.clear()


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit("/bugs")
    page.locator("#finder-text").focus()
    page.keyboard.type("RuntimeError: Expected hidden[0] size (2, 4, 256), got (2, 64, 256)")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#finder-answer li").first).to_contain_text("The last batch has fewer rows")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("The last batch has fewer rows")
    expect(page.locator(".maps")).to_have_attribute("aria-busy", "false", timeout=COMPUTED_MS)
    page.locator('[data-part="map-table"] > summary').focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-part="map-table"] tbody tr').first).to_be_visible()
    page.locator("a[rel=next]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("State carried into validation")


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
@pytest.mark.parametrize("path", ["/bugs", "/bugs/h_not_c", "/bugs/gate_gradient"])
def test_axe_finds_nothing_and_it_fits(visit: Visit, page: Page, path: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    visit(path)
    if path == "/bugs":
        page.locator("#finder-text").fill(LOOP)
        page.locator("#finder-find").click()
        expect(page.locator("#finder-answer li").first).to_be_visible()
    else:
        page.get_by_text("The same as a table").click()
    for theme in ("dark", "light"):
        page.locator("html").evaluate("(html, theme) => (html.dataset.theme = theme)", theme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def test_the_copied_program_is_the_program(visit: Visit, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit("/bugs/short_series")
    page.get_by_role("button", name="Copy the mended program").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("import torch\n")
    assert "differs:" not in copied
    compile(copied, "copied", "exec")


def test_the_header_leads_there(page: Page, address: str) -> None:
    page.goto(f"{address}/agree")
    page.get_by_role("link", name="Bugs", exact=True).click()
    expect(page.locator("h1")).to_have_text("Bugs")
    assert page.locator(".bug").count() == len(BUGS)
