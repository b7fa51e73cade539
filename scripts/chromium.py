"""A Chromium for the browser tests: found on this machine, or fetched.

`python -m scripts.chromium` says which one the tests would use.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

CHOSEN = "UNROLLED_CHROMIUM"  # a path, or "playwright" for Playwright's own browser
PLAYWRIGHTS_OWN = "playwright"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
ELSEWHERE = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
             "/Applications/Chromium.app/Contents/MacOS/Chromium")
REMEDY = ("no Chromium: run `.venv/bin/playwright install --with-deps chromium`, or install your system's "
          f"`chromium` package, or set {CHOSEN} to the path of one")
DOWNLOAD_SECONDS = 240
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Found:
    """The browser to use (a path, or PLAYWRIGHTS_OWN; None if there is none), and how it came about."""

    browser: str | None
    how: str


def launch_options(browser: str | None = None) -> dict[str, object]:
    """Returns what Playwright's `launch` needs for the browser; by default the best there is."""
    browser = browser or os.environ.get(CHOSEN) or next(installed(), PLAYWRIGHTS_OWN)
    # No sandbox inside most containers, and none for root; no traffic of the browser's own.
    args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update",
            "--no-first-run"]
    if not hasattr(os, "geteuid") or os.geteuid() == 0 or Path("/.dockerenv").exists():
        args.append("--no-sandbox")
    options: dict[str, object] = {"args": args}
    return options if browser == PLAYWRIGHTS_OWN else {**options, "executable_path": browser}


def installed() -> Iterator[str]:
    """Yields the paths of the browsers that the machine has beside Playwright's own."""
    yield from filter(None, map(shutil.which, NAMES))
    yield from (path for path in ELSEWHERE if Path(path).exists())


def works(browser: str) -> bool:
    """Returns whether the browser starts and shows a page: one that lacks a library is of no use."""
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(timeout=30_000, **launch_options(browser))  # type: ignore[arg-type]
            page = chromium.new_page()
            page.set_content("<p>ready</p>")
            ready = page.inner_text("p") == "ready"
            chromium.close()
            return ready
    except Error:
        return False


def obtain() -> Found:
    """Returns a working browser: the one chosen, Playwright's own, an installed or a newly installed one."""
    if chosen := os.environ.get(CHOSEN):
        how = f"{CHOSEN}={chosen}"
        return Found(chosen, how) if works(chosen) else Found(None, f"{how} does not start")
    if _download() and works(PLAYWRIGHTS_OWN):
        return Found(PLAYWRIGHTS_OWN, "Playwright's own Chromium")
    for path in installed():
        if works(path):
            return Found(path, f"installed at {path}")
    if _install_package():
        for path in installed():
            if works(path):
                return Found(path, f"newly installed at {path}")
    return Found(None, REMEDY)


def _download() -> bool:
    """Returns whether Playwright's own Chromium is there, fetching it if it can be."""
    quick = {**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
    return _succeeds([sys.executable, "-m", "playwright", "install", "chromium"], DOWNLOAD_SECONDS, quick)


def _install_package() -> bool:
    """Returns whether Debian's package could be installed: as root, or where sudo asks for no password."""
    if not shutil.which("apt-get"):
        return False
    root = os.geteuid() == 0
    if not root and not (shutil.which("sudo") and _succeeds(["sudo", "-n", "true"], 10)):
        return False
    apt = [*([] if root else ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    install = [*apt, "install", "-y", "--no-install-recommends", "chromium"]
    return _succeeds([*apt, "update"], INSTALL_SECONDS) and _succeeds(install, INSTALL_SECONDS)


def _succeeds(command: list[str], seconds: float, environment: dict[str, str] | None = None) -> bool:
    try:
        done = subprocess.run(command, timeout=seconds, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    found = obtain()
    print(found.how)
    sys.exit(found.browser is None)
