"""The Explore page in a real browser: one server and one profile for all tests, and on every page a watch over faults
and hosts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from scripts.running import running

expect.set_options(timeout=15_000)  # milliseconds: a loaded machine is not a fault of the page
SMALL = "steps=12&hidden=4&batch=2"
RESTING = "/healthz"  # the page that a browser shows between two tests
# Waits until every picture is drawn and the certificate is there. (Playwright's own waiting needs `eval`, which
# the page's policy forbids.)
SETTLED = """async () => {
  const end = Date.now() + 30000;
  const { dataset } = document.getElementById("badge");
  const ready = () => performance.getEntriesByName("all-drawn").length && dataset.status;
  while (!ready() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return Boolean(ready());
}"""
Show = Callable[[str], Page]


@contextmanager
def serving(port: int = 0, **settings: object) -> Iterator[str]:
    """Yields the address of a server for one test or a few, which has few processes unless the settings say more."""
    named = {"workers": 1, "light_workers": 1, "training_workers": 1} | settings
    with running(os.environ | {f"UNROLLED_{name.upper()}": str(value) for name, value in named.items()}, port) as found:
        yield found


@pytest.fixture(scope="session")
def home() -> Iterator[str]:
    """The address of the server for all tests."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def address(home: str) -> str:
    """The address of the server that a test asks: a file with a server of its own says so here."""
    return home


@pytest.fixture(scope="session")
def profile(browser_type: BrowserType, browser_type_launch_args: dict[str, Any], home: str,
            tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that keeps the scripts that it has compiled, as anybody's does: a page that was open before opens in a
    third of the time. A small page of the server stays open, so that the process that shows it is there for all its
    pages: to start one is a sixth of a page's time."""
    folder = tmp_path_factory.mktemp("profile")
    arguments = [*browser_type_launch_args["args"], "--process-per-site"]
    context = browser_type.launch_persistent_context(folder, **browser_type_launch_args | {"args": arguments})
    context.pages[0].goto(f"{home}{RESTING}")
    yield context
    context.close()


@pytest.fixture
def context(profile: BrowserContext) -> Iterator[BrowserContext]:
    """The profile as a new one: what a test has opened, stored, allowed or switched off is gone afterwards."""
    yield profile
    as_new(profile)


def as_new(profile: BrowserContext) -> None:
    """Leaves one page, at rest, and nothing that a page could have kept, but for the cache."""
    first, *others = profile.pages
    for page in others:
        page.close()
    session = profile.new_cdp_session(first)
    session.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "cookies,local_storage,indexeddb,"
                                                "service_workers,cache_storage"})
    session.detach()
    profile.clear_permissions()
    profile.set_offline(False)


@pytest.fixture
def faults(page: Page) -> Iterator[list[str]]:
    """What the page complained of; empty at the end, unless a test has looked at it and cleared it."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    yield found
    assert found == []


@pytest.fixture
def hosts(page: Page) -> set[str]:
    """Every host that the page asked for something."""
    found: set[str] = set()
    page.on("request", lambda request: found.add(urlsplit(request.url).netloc))
    return found


@pytest.fixture
def show(page: Page, address: str, faults: list[str], hosts: set[str]) -> Iterator[Show]:
    """Opens the page with a query and waits until everything on it is there. No request may leave the host."""

    def opened(query: str = "") -> Page:
        page.goto(f"{address}/?{query}")
        assert page.evaluate(SETTLED), "the pictures or the certificate did not come"
        return page

    yield opened
    assert hosts <= {urlsplit(address).netloc, ""}  # "": blobs and data of the page itself


def as_set(sentence: str) -> str:
    """Returns a sentence as an expectation compares it: white space, and with it our no-break spaces, as one space."""
    return " ".join(sentence.split())
