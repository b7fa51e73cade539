"""Loads and uses a page in a Chromium that no debugger watches. When things were there it says in its own trace, or the
page in its own timeline.

With a debugger attached, as Playwright attaches one, each exception that a script throws and catches has its place in
the source looked up at once. Plotly's script throws six while it starts, inside functions of megabytes that are parsed
anew for each: 0.4 s that a visitor does not wait. And each request is reported, from process to process, while the page
and the server need the same cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import sync_playwright

from scripts.chromium import launch_options

CATEGORIES = ["blink.user_timing", "loading"]
START_SECONDS, END_SECONDS = 2.0, 20.0
Event = dict[str, Any]


@dataclass
class Pipe:
    """Chromium's protocol over two pipes, to the browser: of a page that is attached to, nothing is reported."""

    to: int
    back: int
    traced: list[Event] = field(default_factory=list)
    read: bytearray = field(default_factory=bytearray)
    sent: int = 0

    def send(self, method: str, page: str | None = None, **params: object) -> Event:
        """Sends a message to the browser, or to a page, and returns its answer."""
        self.sent += 1
        to = {} if page is None else {"sessionId": page}
        os.write(self.to, json.dumps({"id": self.sent, "method": method, "params": params, **to}).encode() + b"\0")
        while (answer := self.message()).get("id") != self.sent:
            pass
        if "error" in answer:
            raise RuntimeError(f"the browser refuses {method}: {answer['error']}")
        result: Event = answer["result"]
        return result

    def opened(self, address: str) -> str:
        """Opens a page, and returns its name for `call` once its own script can be asked."""
        target = self.send("Target.createTarget", url=address)["targetId"]
        name: str = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        end = time.monotonic() + END_SECONDS
        while time.monotonic() < end:
            with suppress(RuntimeError):  # for a moment between two documents there is nobody to be asked
                if self.call(name, "() => location.protocol + document.readyState") == "http:complete":
                    return name
            time.sleep(0.05)
        raise RuntimeError(f"{address} was not loaded within {END_SECONDS:.0f} s")

    def close(self, page: str) -> None:
        """Closes a page."""
        self.send("Page.close", page)

    def call(self, page: str, function: str, argument: object = None) -> Any:
        """Returns what a function of JavaScript returns in the page, or what it promises."""
        found = self.send("Runtime.evaluate", page, expression=f"({function})({json.dumps(argument)})",
                          awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"].get("description", "the page threw"))
        return found["result"].get("value")

    def message(self) -> Event:
        """Returns the next message; what was traced is kept."""
        while b"\0" not in self.read:
            some = os.read(self.back, 1 << 16)
            if not some:
                raise RuntimeError("the browser has ended before it was told to")
            self.read += some
        message, _, rest = bytes(self.read).partition(b"\0")
        self.read = bytearray(rest)
        found: Event = json.loads(message)
        if found.get("method") == "Tracing.dataCollected":
            self.traced += found["params"]["value"]
        return found


def marks(addresses: Sequence[str], folder: str, size: tuple[int, int], seconds: float) -> list[dict[str, float]]:
    """Returns, of each load, the milliseconds from the navigation to the first mark of each name. Each is watched for
    so many seconds, one after the other in one browser, which keeps what it keeps in the folder."""
    with browser(folder, size) as pipe:
        time.sleep(START_SECONDS)  # the browser's own start is over
        pipe.send("Tracing.start", traceConfig={"includedCategories": CATEGORIES})
        for address in addresses:
            target = pipe.send("Target.createTarget", url=address)["targetId"]
            time.sleep(seconds)
            pipe.send("Target.closeTarget", targetId=target)
        pipe.send("Tracing.end")
        while pipe.message().get("method") != "Tracing.tracingComplete":
            pass
    found: list[dict[str, float]] = []
    begun = 0
    for event in sorted(pipe.traced, key=lambda event: event["ts"]):
        if event["name"] == "navigationStart" and event["args"].get("data", {}).get("documentLoaderURL") in addresses:
            begun = event["ts"]
            found.append({})
        elif found:
            found[-1].setdefault(event["name"], (event["ts"] - begun) / 1000)
    if len(found) != len(addresses):
        raise RuntimeError(f"of {len(addresses)} loads {len(found)} are in the browser's trace")
    return found


@contextmanager
def browser(folder: str, size: tuple[int, int]) -> Iterator[Pipe]:
    """Yields the pipe to a browser, which is ended afterwards."""
    options = launch_options()
    with sync_playwright() as playwright:
        path = str(options.get("executable_path") or playwright.chromium.executable_path)
    (theirs, to), (back, answers) = os.pipe(), os.pipe()
    command = [path, "--headless", *options["args"], f"--window-size={size[0]},{size[1]}",  # type: ignore[misc]
               f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
    process = subprocess.Popen(["/bin/sh", "-c", f'exec "$@" 3<&{theirs} 4>&{answers}', "sh", *command],
                               stderr=subprocess.DEVNULL, pass_fds=(theirs, answers))
    os.close(theirs)
    os.close(answers)
    try:
        pipe = Pipe(to, back)
        yield pipe
        with suppress(RuntimeError):
            pipe.send("Browser.close")  # it writes what it keeps
        process.wait(END_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(to)
        os.close(back)
