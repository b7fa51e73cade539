"""The real nginx with deploy/nginx.conf, in a temporary folder, on a free port, in front of a server of the tests."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import debian
from scripts.shell import ROOT

CONF = ROOT / "deploy/nginx.conf"
START_SECONDS = 20


def obtain() -> str:
    """Returns nginx's path, after installing it if it is missing; raises RuntimeError."""
    path = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if path is None and debian.install("nginx-light"):
        path = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if path is None:
        raise RuntimeError("no nginx: install your system's `nginx` package")
    return path


def free_port() -> int:
    """Returns a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def front(*ports: int) -> Iterator[str]:
    """Yields the address of nginx before the servers on these ports; only its ports differ from the file's."""
    program, port = obtain(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="unrolled-nginx-"))
    (folder / "temp").mkdir()
    folder.chmod(0o755)  # started by root, nginx works as somebody else
    text = CONF.read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = re.sub(r"server 127\.0\.0\.1:8000;", " ".join(f"server 127.0.0.1:{one};" for one in ports), text)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"],
                               stderr=subprocess.PIPE, text=True)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx does not start: {process.stderr.read() if process.stderr else ''}") from None
            time.sleep(0.02)
