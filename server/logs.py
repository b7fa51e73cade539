"""The log: a line for each request and each event, as text or as JSON, on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from server.seen import Seen

log = logging.getLogger("unrolled.requests")
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class Lines(logging.Formatter):
    """One line a record: control characters are escaped, so that no text can pretend to be another line."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(ESCAPES)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        said |= fields if isinstance(fields, dict) else {"message": record.getMessage()}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)


def configure(form: str, requests: bool) -> None:
    """Sends everything that this project logs to standard error, in one form; requests only where they are wanted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Lines(PLAIN))
    root = logging.getLogger("unrolled")
    root.handlers, root.propagate = [handler], False
    root.setLevel(logging.INFO)
    log.setLevel(logging.INFO if requests else logging.WARNING)


def note(seen: Seen) -> None:
    """Writes the line of one request."""
    if not log.isEnabledFor(logging.INFO):
        return
    times = {"seconds": seen.seconds, "cost": seen.cost, "queue": seen.queue, "compute": seen.compute}
    known = {name: round(value, 4) for name, value in times.items() if value is not None}
    fields = {"id": seen.id, "method": seen.method, "route": seen.route, "status": seen.status, **known}
    fields |= {"kind": seen.kind} if seen.kind else {}
    fields |= {"kept": True} if seen.kept else {}
    log.info(" ".join(f"{name}={value}" for name, value in fields.items()), extra={"fields": fields})
