"""The secret that signs cookies: it lies in the data folder, readable by the server's user alone.

Who deletes it makes all cookies worthless.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from server.settings import SHORTEST_SECRET, Settings
from server.store.opening import default_folder

log = logging.getLogger("unrolled")
FILE = "secret"


def secret_of(settings: Settings) -> str:
    """Returns the secret that the settings name, or else that of the data folder."""
    return settings.secret.get_secret_value() or _secret(Path(settings.data) if settings.data else default_folder())


def _secret(folder: Path) -> str:
    """Returns the secret of this folder, made when it is first needed; where it cannot be kept, one for now."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if not path.exists():
            _write(path, secrets.token_hex(32))
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        log.warning("%s cannot be used (%s): cookies are good until the server ends", path.name, error)
        return secrets.token_hex(32)
    if len(found) >= SHORTEST_SECRET:
        return found
    path.unlink()  # cut short
    return _secret(folder)


def _write(path: Path, content: str) -> None:
    """Writes the file whole, or not at all: another server may be starting in the same folder."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    try:
        os.link(made, path)
    except FileExistsError:
        return
    finally:
        made.unlink()
