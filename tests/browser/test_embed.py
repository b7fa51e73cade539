"""A lesson in a course page of another origin: it loads where the setting allows it, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import SETTLED, serving

SMALL = "steps=12&hidden=4&batch=2"
PASTED = '<iframe src="{src}" title="Gradients through time" width="1100" height="900" allow="{allow}"{more}></iframe>'


class Course:
    """A course page on a host name of its own; `html` is what stands in it."""

    def __init__(self) -> None:
        self.html = ""
        course = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(f"<!doctype html><title>Course</title><h1>Lesson 4</h1>{course.html}".encode())

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def course() -> Iterator[Course]:
    found = Course()
    threading.Thread(target=found.server.serve_forever, daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def address(course: Course) -> Iterator[str]:
    """A server that lets this course embed it, behind what the course's browser takes for HTTPS (a loopback name)."""
    with serving(frame_ancestors=f"'self' {course.origin}", hsts="true") as found:
        yield found


Pasted = Callable[..., Frame]


@pytest.fixture
def pasted(page: Page, course: Course, faults: list[str]) -> Iterator[Pasted]:
    """Opens the course page with a frame pasted into it, and returns the frame."""

    def opened(src: str, allow: str = "clipboard-write", more: str = "") -> Frame:
        course.html = PASTED.format(src=src, allow=allow, more=more)
        page.goto(course.origin)
        frame = page.locator("iframe").element_handle().content_frame()
        assert frame is not None
        frame.wait_for_load_state()
        return frame

    yield opened
    faults.clear()  # of each test they are looked at in it


def test_a_lesson_loads_and_works_in_another_sites_page(pasted: Pasted, address: str, faults: list[str]) -> None:
    frame = pasted(f"{address}/?{SMALL}&style=window&k=4")
    assert frame.evaluate(SETTLED), "the pictures did not come"
    assert "The loss at step" in frame.locator("#headline").inner_text()
    frame.locator("#control-k-input").fill("3")
    frame.locator("#control-k-input").press("Enter")
    frame.wait_for_url("**k=3**")
    frame.locator("#theme").click()
    frame.locator("#copy-link").click()
    expect(frame.locator("#copy-link")).to_have_text("Copied")
    assert faults == []


def test_without_the_clipboard_the_link_is_shown(pasted: Pasted, address: str) -> None:
    """A frame may open no dialog either; what can be copied by hand goes away when something else is done."""
    frame = pasted(f"{address}/?{SMALL}", allow="")
    frame.locator("#copy-link").click()
    link = frame.locator(".tools .link")
    expect(link).to_be_focused()
    assert link.input_value().startswith(address)
    frame.locator("#presenter").focus()
    expect(link).to_have_count(0)


def test_a_sandboxed_frame_works_with_its_own_origin(pasted: Pasted, address: str, faults: list[str]) -> None:
    frame = pasted(f"{address}/?{SMALL}", more=' sandbox="allow-scripts allow-same-origin allow-forms"')
    assert frame.evaluate(SETTLED)
    assert faults == []


def test_a_run_is_started_and_stopped_in_a_frame(pasted: Pasted, address: str, page: Page) -> None:
    """The cookie by which a run is somebody's own reaches a frame, and belongs to this course page alone."""
    frame = pasted(f"{address}/train")
    frame.locator("#start").click()
    expect(frame.locator("#seen")).to_be_visible(timeout=20_000)
    frame.get_by_role("button", name="Stop").first.click()
    expect(frame.locator("#status")).to_contain_text("Stopped", timeout=20_000)
    (cookie,) = page.context.cookies(address)
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("None", True, True)


@pytest.mark.parametrize("path", ["/?steps=12", "/train", "/bugs", "/model", "/agree", "/api/docs", "/api/v1/limits"])
def test_nobody_else_may_embed(pasted: Pasted, address: str, page: Page, course: Course, path: str) -> None:
    """The same course under another name of its host is another origin; and by default nobody may."""
    elsewhere = course.origin.replace("localhost", "127.0.0.1")
    course.html = PASTED.format(src=address + path, allow="", more="")
    page.goto(elsewhere)
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    assert frame.url.startswith("chrome-error:")


def test_by_default_nobody_may_embed(pasted: Pasted) -> None:
    with serving() as address:
        assert pasted(f"{address}/?{SMALL}").url.startswith("chrome-error:")


def test_behind_a_passphrase_in_a_frame(pasted: Pasted, course: Course) -> None:
    settings = {"frame_ancestors": course.origin, "hsts": "true", "passphrase": "for the lesson"}
    with serving(**settings) as address:
        frame = pasted(f"{address}/?{SMALL}")
        frame.locator("#passphrase").fill("for the lesson")
        frame.get_by_role("button", name="Enter").click()
        expect(frame.locator("#headline")).to_contain_text("The loss at step", timeout=20_000)
        assert frame.url == f"{address}/?{SMALL}"
