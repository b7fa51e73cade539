"""The profile that the tests share: what one leaves behind, the next does not find."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import RESTING, as_new


def test_nothing_of_a_page_is_left_but_the_cache(page: Page, context: BrowserContext, address: str) -> None:
    page.goto(f"{address}/train")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    context.grant_permissions(["clipboard-read"])
    expect(page.locator("#start")).to_be_visible()
    assert context.cookies()
    context.set_offline(True)
    as_new(context)
    assert [page.url for page in context.pages] == [f"{address}{RESTING}"]
    assert context.storage_state() == {"cookies": [], "origins": []}
    after = context.new_page()
    after.goto(f"{address}/bugs")
    assert after.evaluate("localStorage.length") == 0
    asked = "navigator.permissions.query({ name: 'clipboard-read' }).then(({ state }) => state)"
    assert after.evaluate(asked) == "prompt"
