"""A file of some size beside a SQLite database, which is given up when the disk is full.

SQLite needs room to delete, too: it writes what has changed to its log first. Without a spare, a full disk could
not be relieved by deleting a run, and a run that ended for it could not even say so. (leaf)
"""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger("unrolled.store")
SIZE = 2**20


class Spare:
    """The spare file of one database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.spare")

    def lay(self) -> None:
        """Takes up the space, unless it is taken up; on a disk that is full it waits for a better day."""
        try:
            if not self._path.exists():
                with self._path.open("xb") as file:
                    self._path.chmod(0o600)
                    file.write(bytes(SIZE))
        except OSError as error:
            log.info("No spare file could be laid: %s", error)
            self._path.unlink(missing_ok=True)

    def give(self) -> bool:
        """Returns whether there was a spare file; it is gone now."""
        try:
            self._path.unlink()
        except OSError:
            return False
        log.warning("The disk is full; the spare file was given up for what is most needed.")
        return True
