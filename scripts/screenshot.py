"""Takes docs/explore.png from the running page: `python -m scripts.screenshot`."""

from __future__ import annotations

from playwright.sync_api import sync_playwright

from scripts.chromium import launch_options
from scripts.running import running
from scripts.shell import ROOT

WHERE = ROOT / "docs/explore.png"
SIZE = {"width": 1440, "height": 1200}


def main() -> None:
    with running() as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        page = chromium.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{address}/", wait_until="networkidle")
        page.screenshot(path=WHERE)
        chromium.close()
    print(f"{WHERE.relative_to(ROOT)}: {WHERE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
