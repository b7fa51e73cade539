"""Installs a package of Debian's, for tests that need a real program: as root, or where sudo asks for no password."""

from __future__ import annotations

import os
import shutil
import subprocess

SECONDS = 600


def install(package: str) -> bool:
    """Returns whether the package could be installed."""
    if not shutil.which("apt-get"):
        return False
    apt = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q",
           "-o", f"DPkg::Lock::Timeout={SECONDS}"]
    return all(_succeeds(command) for command in (
        [*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", package]))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, timeout=SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
