"""Controls, address and history: what is chosen is written, and what is written is shown again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import OPTIONS, Option
from tests.browser.conftest import SETTLED, SMALL, serving

Show = Callable[[str], Page]

NEW = {"cell": "gru", "hidden": "9", "layers": "2", "reset_after": "false", "forget_bias": "2.5",
       "init": "orthogonal", "gain": "1.5", "embedding": "3", "task": "adding", "steps": "15", "batch": "3",
       "lag": "6",
       "text": "the quick brown fox jumps over it", "series": "1,2,3,2,1,2,3,2,1,2,3,2,1,2,3,2",
       "loss_at": "last",
       "style": "sliding", "k": "5", "k1": "3", "k2": "7", "p": "0.25", "value": "reset", "gradient": "pass",
       "seed": "7"}


def base_of(option: Option) -> str:
    """Returns a query under which an option applies."""
    base = f"{SMALL}&lag=5&k=4&k1=2&k2=4"
    return f"{base}&{option.when[0]}={option.when[1][0]}" if option.when else base


def control_of(page: Page, name: str) -> Locator:
    control = page.locator(f'[data-option="{name}"]')
    control.evaluate("(element) => element.closest('details')?.setAttribute('open', '')")
    return control


def choose(control: Locator, option: Option, value: str) -> None:
    if option.kind in ("int", "float"):
        control.locator("input[type=number]").fill(value)
        control.locator("input[type=number]").press("Enter")
    elif option.kind in ("text", "series"):
        control.locator("textarea").fill(value)
        control.locator("textarea").blur()
    elif control.locator("select").count():
        control.locator("select").select_option(value)
    else:
        control.locator(f"input[value={value}]").check(force=True)


def shown(control: Locator) -> str:
    return str(control.evaluate("""(element) => (element.querySelector("input:checked, select, textarea")
      ?? element.querySelector("input[type=number]")).value"""))


def query_of(page: Page) -> dict[str, str]:
    return page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


BASES = {base_of(option): [one for one in OPTIONS if base_of(one) == base_of(option) and one.name in NEW]
         for option in OPTIONS if option.name in NEW}


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.rpartition("&")[2])
def test_each_control_writes_the_address_and_back_restores_it(base: str, page: Page, address: str,
                                                              faults: list[str]) -> None:
    page.goto(f"{address}/?{base}")
    expect(page.locator("#headline")).not_to_have_text("Computing the first picture…")
    for option in BASES[base]:
        control, value = control_of(page, option.name), NEW[option.name]
        expect(control).to_be_visible()
        before = shown(control)
        choose(control, option, value)
        assert query_of(page)[option.name] == value
        page.go_back()
        assert query_of(page).get(option.name) != value
        assert shown(control) == before
        page.go_forward()
        assert query_of(page)[option.name] == value
        assert shown(control) == value
        page.go_back()
        expect(page.locator("#notice")).to_be_hidden()


def test_the_view_is_in_the_address_and_a_link_shows_it_again(show: Show) -> None:
    page = show("steps=12&hidden=4&batch=2&k=4&s=9&at=2&from=1&to=11")
    expect(page.locator("#loss-value")).to_have_text("9")
    expect(page.locator("#frontier-value")).to_have_text("2")
    expect(page.locator("#sight")).to_have_text("steps 1 to 10 of 12")
    page.locator("#zoom-all").click()
    assert query_of(page)["to"] == "12"
    page.go_back()
    expect(page.locator("#sight")).to_have_text("steps 1 to 10 of 12")


def test_a_drag_is_one_entry_of_the_history(show: Show) -> None:
    page = show(SMALL)
    length = page.evaluate("history.length")
    page.evaluate("""async () => {
      const slider = document.querySelector('[data-option=k] input[type=range]');
      for (let k = 3; k < 10; k++) {
        slider.value = String(k);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise(requestAnimationFrame);
      }
      slider.dispatchEvent(new Event("change", { bubbles: true }));
    }""")
    assert query_of(page)["k"] == "9"
    assert page.evaluate("history.length") == length + 1
    expect(page.locator("#headline")).to_contain_text("step 9")
    page.go_back()
    expect(page.locator("[data-option=k] input[type=number]")).to_have_value("20")


@pytest.mark.parametrize(("name", "value", "words"), [
    ("k", "0", "must be from 1"), ("hidden", "9999999", "must be from 1 to 1024"), ("text", "ab", "character"),
    ("steps", "2.5", "whole number")])
def test_what_is_wrong_is_said_beside_its_control_and_the_pictures_stay(name: str, value: str, words: str, show: Show,
                                                                       faults: list[str]) -> None:
    page = show(SMALL)
    headline = page.locator("#headline").text_content() or ""
    choose(control_of(page, name), next(o for o in OPTIONS if o.name == name), value)
    problem = page.locator(f"#control-{name}-problem")
    expect(problem).to_contain_text(words)
    expect(page.locator("#notice")).to_contain_text("last choice that could be computed")
    expect(page.locator("#headline")).to_have_text(headline)
    choose(control_of(page, name), next(o for o in OPTIONS if o.name == name), NEW[name])
    expect(problem).to_be_hidden()
    expect(page.locator("#notice")).to_be_hidden()
    assert all(fault.startswith("Failed to load resource") for fault in faults)
    faults.clear()


@pytest.mark.parametrize("missing", ["credit", "certificate"])
def test_where_a_part_alone_cannot_be_had_the_rest_is_not_said_to_be_old(missing: str, show: Show,
                                                                        faults: list[str]) -> None:
    page = show(f"{SMALL}&k=3")
    refused = {"title": "Service Unavailable", "status": 503, "detail": "busy", "problems": []}
    page.route(f"**/api/v1/{missing}?*", lambda route: route.fulfill(status=503, json=refused))
    sentence = page.locator("[data-figure=norms] [data-part=sentence]")
    before = sentence.text_content() or ""
    choose(control_of(page, "gain"), next(o for o in OPTIONS if o.name == "gain"), "2.5")
    expect(page.locator("#notice")).to_contain_text("The rest of this choice is shown.")
    expect(sentence).not_to_have_text(before)
    if missing == "credit":
        expect(page.locator("[data-figure=credit] .plot-note")).to_have_text("Still of the choice before.")
    page.unroute(f"**/api/v1/{missing}?*")
    expect(page.locator("#notice")).to_be_hidden()  # it asks again by itself
    assert all(fault.startswith("Failed to load resource") for fault in faults)
    faults.clear()


def test_a_number_that_is_none_gives_way_to_the_last_good_one(show: Show) -> None:
    page = show(f"{SMALL}&gain=1.5")
    typed = control_of(page, "gain").locator("input[type=number]")
    typed.fill("")
    typed.blur()
    expect(typed).to_have_value("1.5")
    assert query_of(page)["gain"] == "1.5"


def test_a_name_that_means_nothing_is_reported(show: Show) -> None:
    page = show(f"{SMALL}&hiden=5")
    expect(page.locator("#notice")).to_contain_text("hiden")


def test_the_notice_stays_until_the_person_chooses_again(show: Show) -> None:
    page = show(f"{SMALL}&hiden=5")
    page.locator("#loss").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#notice")).to_contain_text("hiden")
    page.locator("[data-option=k] input[type=number]").fill("5")
    page.locator("[data-option=k] input[type=number]").press("Enter")
    expect(page.locator("#notice")).to_be_hidden()


def test_an_address_that_asks_for_what_cannot_be_shows_the_nearest_that_can(show: Show, faults: list[str]) -> None:
    page = show(f"{SMALL}&k=0")
    expect(page.locator("#notice")).to_contain_text("k = 0: must be from 1 to 1000000")
    expect(page.locator("#notice")).to_contain_text("The page shows k = 20 instead.")
    expect(page.locator("#badge")).to_contain_text("certified")
    assert all("422" in fault for fault in faults)
    faults.clear()


def test_the_page_comes_back_by_itself_when_the_server_does(show: Show, faults: list[str]) -> None:
    page = show(SMALL)
    headline = page.locator("#headline").text_content() or ""
    page.route("**/api/v1/**", lambda route: route.abort())
    page.locator("[data-option=k] input[type=number]").fill("5")
    page.locator("[data-option=k] input[type=number]").press("Enter")
    expect(page.locator("#notice")).to_contain_text(re.compile(r"does not answer.*Asking again in \d+ s"))
    expect(page.locator("#badge")).to_have_text("not checked")
    page.unroute("**/api/v1/**")
    expect(page.locator("#badge")).to_contain_text("certified", timeout=10_000)
    expect(page.locator("#notice")).to_be_hidden()
    assert page.locator("#headline").text_content() != headline
    assert all("ERR_FAILED" in fault for fault in faults)
    faults.clear()


def test_a_server_that_is_gone_is_said_and_the_pictures_stay(page: Page, faults: list[str]) -> None:
    with serving() as address:
        page.goto(f"{address}/?{SMALL}")
        assert page.evaluate(SETTLED)
    headline = page.locator("#headline").text_content() or ""
    page.locator("[data-option=k] input[type=number]").fill("5")
    page.locator("[data-option=k] input[type=number]").press("Enter")
    expect(page.locator("#notice")).to_contain_text(re.compile("server does not answer.*last choice"))
    expect(page.locator("#headline")).to_have_text(headline)
    assert all("ERR_CONNECTION_REFUSED" in fault for fault in faults)
    faults.clear()


def test_a_file_that_cannot_be_read_is_complained_of_until_one_can_be(show: Show) -> None:
    control = control_of(show(f"{SMALL}&k=4"), "text")
    problem = control.locator(".problem")
    files = control.locator("input[type=file]")
    files.set_input_files({"name": "latin.txt", "mimeType": "text/plain", "buffer": b"\xe9t\xe9"})
    expect(problem).to_have_text("latin.txt is not a text in UTF-8. Save it as UTF-8, or paste the text itself.")
    expect(control.locator("textarea")).to_have_attribute("aria-invalid", "true")
    files.set_input_files({"name": "plain.txt", "mimeType": "text/plain", "buffer": b"the quick brown fox jumps over"})
    expect(problem).to_be_hidden()
    expect(control.locator("textarea")).not_to_have_attribute("aria-invalid", "true")
