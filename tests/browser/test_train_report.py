"""The report opened from a disk, with no network: it draws every picture and asks nobody for anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from server.training_report import report
from tests.server.made_runs import RUNS, run

DRAWN = """async () => {
  const places = [...document.querySelectorAll("[data-figure]")];
  const end = Date.now() + 20000;
  const drawn = () => places.every((place) => place.querySelector(".main-svg"));
  while (!drawn() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  return drawn() ? places.length : 0;
}"""


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Every address that the page asked for, but for those of the page itself."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if not request.url.startswith(("blob:", "data:"))
            else None)
    return found


@pytest.mark.parametrize("name", ["done", "diverged", "begun", "values"])
def test_it_opens_from_a_disk_without_a_network(name: str, page: Page, asked: list[str], faults: list[str],
                                                tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text(report(RUNS[name], "A run"), encoding="utf-8")
    page.context.set_offline(True)
    page.goto(place.as_uri())
    pictures = page.evaluate(DRAWN)
    assert pictures == len(page.query_selector_all("[data-figure]")) > 6
    assert asked == [place.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_telephone(scheme: str, page: Page, faults: list[str],
                                                                 tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text(report(run(), "A run"), encoding="utf-8")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(place.as_uri())
    assert page.evaluate(DRAWN)
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_hostile_text_is_shown_as_text(page: Page, faults: list[str], tmp_path: Path) -> None:
    hostile = "</script><script>window.fired = 1</script><img src=x onerror='window.fired = 1'>"
    place = tmp_path / "report.html"
    place.write_text(report(run(), hostile), encoding="utf-8")
    page.goto(place.as_uri())
    assert page.evaluate(DRAWN)
    assert page.evaluate("window.fired") is None
    assert page.locator("h1").inner_text() == hostile
