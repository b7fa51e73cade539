"""The page "Does it agree?" in a real browser: every result with its verdict, picture and numbers."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from engine.published import RESULTS

TRAINING_MS = 90_000  # two results train networks


@pytest.fixture
def agree(page: Page, address: str) -> Page:
    """The page with everything computed, and no error on the way."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/agree")
    expect(page.locator("#tally")).to_have_text(f"{len(RESULTS)} of {len(RESULTS)} results agree.", timeout=TRAINING_MS)
    assert not faults
    return page


def test_every_result_shows_its_verdict_numbers_and_picture(agree: Page) -> None:
    for name, about in RESULTS.items():
        card = agree.locator(f'[data-result="{name}"]')
        expect(card.locator("h2")).to_have_text(about.title)
        expect(card.locator('[data-part="verdict"]')).to_have_text("agrees")
        expect(card.locator("svg.small-picture")).to_be_visible()
        assert card.locator("tbody tr").count() >= 3
        assert card.locator("td.no").count() == 0
    forum = agree.locator('[data-result="state_grad"]')
    expect(forum.locator("tr", has_text="the copied loop")).to_contain_text("0.288")
    expect(agree.locator('[data-result="lstm_exercise"] tbody')).to_contain_text("\u22120.06981985613")


def test_it_is_accessible_in_both_themes_and_fits_a_phone(agree: Page) -> None:
    for _ in range(2):
        found = Axe().run(agree)
        assert found.violations_count == 0, found.generate_report()
        agree.locator("#theme").click()
    agree.set_viewport_size({"width": 360, "height": 740})
    widths = agree.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_a_result_that_cannot_be_computed_says_why_and_the_others_go_on(page: Page, address: str) -> None:
    def refuse(route: Route) -> None:
        body = '{"title": "Busy", "detail": "Too many analyses wait.", "status": 503, "problems": []}'
        route.fulfill(status=503, content_type="application/problem+json", body=body)

    page.route("**/api/v1/agree/mask_identity", refuse)
    page.goto(f"{address}/agree")
    card = page.locator('[data-result="mask_identity"]')
    expect(card.locator('[data-part="verdict"]')).to_have_text("not computed")
    expect(card.locator('[data-part="sentence"]')).to_have_text("Too many analyses wait.")
    expect(page.locator('[data-result="state_grad"] [data-part="verdict"]')).to_have_text("agrees")


def test_the_header_leads_there_and_back(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    page.get_by_role("link", name="Agree?").click()
    expect(page.locator("h1")).to_have_text("Does it agree?")
    page.get_by_role("link", name="Unrolled", exact=True).click()
    expect(page.locator("#strip")).to_be_visible()
