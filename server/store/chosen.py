"""The store that the settings choose."""

from __future__ import annotations

from pathlib import Path

from server.settings import Settings
from server.store.rows import Bounds
from server.store.store import Store


def open_store(settings: Settings) -> Store:
    """Returns the store at the settings' address, or in their folder; raises StoreError."""
    bounds = Bounds(settings.database_seconds, settings.kept_runs, settings.kept_days, settings.disk_reserved_bytes)
    return Store.open(settings.database or None, Path(settings.data) if settings.data else None, bounds)
