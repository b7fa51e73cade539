"""Files handed out as they are: under addresses that change with their content, and compressed once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from server import paths
from server.modules import imported

LOOK_SECONDS = 1.0  # between two looks whether a file has changed
IMMUTABLE = "public, max-age=31536000, immutable"
PLOTLY_URL = f"/vendor/plotly-{version('plotly')}.min.js"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
COMPRESSIBLE = (".js", ".mjs", ".css", ".svg", ".json", ".webmanifest", ".html", ".txt")


@dataclass(frozen=True)
class Asset:
    """A file's bytes, plain and compressed (None where that is not worth it)."""

    content: bytes
    compressed: bytes | None
    content_type: str


def read(path: Path) -> Asset:
    """Returns the asset at a path that the server itself chose."""
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    worth_it = path.suffix in COMPRESSIBLE and len(content) > 600
    return Asset(content, gzip.compress(content, 6, mtime=0) if worth_it else None, kind)


class Folder:
    """The files of one folder, held in memory; looked at again when one of them has changed.

    Only names that stand in the folder's own listing are ever opened: a name from a request is
    looked up, and never becomes a path."""

    def __init__(self, root: Path, look_seconds: float = LOOK_SECONDS) -> None:
        self.root, self._look_seconds = root, look_seconds
        self._looked = -look_seconds
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._paths: dict[str, Path] = {}
        self._assets: dict[str, Asset] = {}
        self._version = ""
        self._refresh()

    @property
    def version(self) -> str:
        """A digest of the files' names and contents."""
        self._refresh()
        return self._version

    def get(self, name: str) -> Asset | None:
        """Returns the asset of that relative name, or None."""
        if name not in self._paths:
            return None
        if name not in self._assets:
            self._assets[name] = read(self._paths[name])
        return self._assets[name]

    def _refresh(self) -> None:
        """Looks whether a file has changed, but not for every request: that takes longer than to answer it."""
        now = time.monotonic()
        if now < self._looked + self._look_seconds:
            return
        self._looked = now
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        stats = [path.stat() for path in files]
        names = [PurePosixPath(path.relative_to(self.root)).as_posix() for path in files]
        stamp = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in zip(names, stats, strict=True))
        if stamp == self._stamp:
            return
        digest = hashlib.sha256()
        for name, path in zip(names, files, strict=True):
            digest.update(name.encode() + b"\0" + path.read_bytes())
        self._stamp, self._version = stamp, digest.hexdigest()[:12]
        self._paths, self._assets = dict(zip(names, files, strict=True)), {}


class Assets:
    """All that is static: our own files, Plotly's script, and the scripts of the API's documentation."""

    def __init__(self) -> None:
        self.static = Folder(paths.STATIC)
        self.api_docs = Folder(paths.API_DOCS)
        self._modules: dict[tuple[str, str], tuple[str, ...]] = {}  # by version and script
        self._plotly: asyncio.Task[Asset] | None = None

    def start(self) -> None:
        """Begins to compress Plotly's 5 MB script in a thread (zlib lets the event loop run)."""
        self._plotly = asyncio.create_task(asyncio.to_thread(read, paths.PLOTLY))

    async def stop(self) -> None:
        """Waits for the compression, so that no thread outlives the server."""
        if self._plotly is not None:
            await self._plotly

    async def plotly(self) -> Asset:
        if self._plotly is None:
            self.start()
        assert self._plotly is not None
        return await asyncio.shield(self._plotly)

    def modules(self, script: str) -> tuple[str, ...]:
        """Returns the addresses of a script of ours and of all modules that it imports."""
        key = self.static.version, script
        if key not in self._modules:
            self._modules[key] = imported(script, self._text)
        return tuple(map(self.static_url, self._modules[key]))

    def _text(self, name: str) -> str | None:
        asset = self.static.get(name)
        return asset.content.decode() if asset else None

    def static_url(self, name: str) -> str:
        """Returns the address of one of our own files; it changes whenever a file does."""
        return f"/static/{self.static.version}/{name.removeprefix('/')}"
