"""The application that is attacked: the one of the server's own tests, whose client looks at every answer's headers."""

from __future__ import annotations

from tests.server.conftest import app, client, settings

__all__ = ["app", "client", "settings"]
