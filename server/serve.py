"""Runs the server: one front process, one socket, a clean end."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import webbrowser
from types import FrameType

import uvicorn

from server import logs
from server.app import create_app
from server.jobs import Jobs
from server.openness import told
from server.passphrase import passphrase_of
from server.protocol import guarded
from server.settings import Settings
from server.training.service import Training
from server.version import RELEASE

if sys.platform != "win32":
    import resource

MOST_FILES = 65536
SELDOM = 100  # so many young collections before one of everything, which takes 0.1 s under load; Python has 10


class Server(uvicorn.Server):
    """Uvicorn's server; a signal to stop also refuses what is waiting and running."""

    def __init__(self, config: uvicorn.Config, jobs: Jobs, training: Training) -> None:
        super().__init__(config)
        self._jobs, self._training = jobs, training

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """What is there from the start stays: the collector need not look at it again."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], SELDOM)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Runs between two steps of the main thread, so the event loop is told, not touched."""
        super().handle_exit(sig, frame)
        self._jobs.refuse_soon()
        self._training.close_soon()


def bind(host: str, port: int) -> socket.socket:
    """Returns a socket bound to the address, or raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, so that asyncio sends small answers at once (TCP_NODELAY); otherwise each takes 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def serve(settings: Settings, open_browser: bool) -> int:
    """Serves until it is told to stop. Returns the exit code: 2 if the address cannot be had."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    asks = bool(passphrase_of(settings))
    os.environ.pop("UNROLLED_PASSPHRASE", None)  # no compute process needs to know it
    try:
        bound = bind(settings.host, settings.port)
    except OSError as error:
        print(
            f"unrolled: {host}:{settings.port}: {error.strerror or error}. Choose another one with --port "
            "(0 takes a free one) or --host.",
            file=sys.stderr,
        )
        return 2
    address = f"http://{host}:{bound.getsockname()[1]}/"
    print(f"Unrolled {RELEASE} on {address} (Ctrl-C stops it)", flush=True)
    if settings.for_all:
        print("\n".join(told(settings, bound.getsockname()[1], asks)), flush=True)
    if open_browser:
        _open(address)
    _run(settings, bound)
    return 0


def _allow_connections() -> None:
    """Lifts the soft limit of open files: each connection is one, and some systems begin with 256."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run(settings: Settings, bound: socket.socket) -> None:
    logs.configure(settings.log_format, settings.log_requests)
    _allow_connections()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=guarded(settings),
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    # Uvicorn raises the signal that stopped it once more when it has ended; it has done its work then.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    with bound:
        Server(config, app.state.services.jobs, app.state.services.training).run(sockets=[bound])


def _open(address: str) -> None:
    """Opens a browser where there is a screen; without one, `webbrowser` would start a text browser here."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    timer = threading.Timer(0.5, webbrowser.open, [address])
    timer.daemon = True
    timer.start()
