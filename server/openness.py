"""What a server that listens beyond this machine says at its start: what is open to whom. (leaf)"""

from __future__ import annotations

import socket

from server.settings import MIB, Settings

# All of a machine's addresses, and one far away that documentation uses: nothing is sent there.
ANYWHERE = {
    "0.0.0.0": ("192.0.2.1", socket.AF_INET),  # noqa: S104  it is compared with
    "::": ("2001:db8::1", socket.AF_INET6),
}


def told(settings: Settings, port: int, asks: bool) -> list[str]:
    """Returns the lines: who can reach it, what those can do, and what would be safer."""
    names = ", ".join([*dict.fromkeys([_address(settings.host), *settings.allowed_hosts])])
    who = "who knows the passphrase" if asks else "no passphrase is asked for"
    limits = "the strict limits hold" if settings.public else "the limits are those for one machine alone (--no-public)"
    span = settings.training_unwatched_seconds
    unwatched = f", and paused when nobody looks for {span:g} s" if span else ""
    lines = [
        f"Open to everybody who can reach this machine on port {port}, as {names}: {who}.",
        f"They can compute, train ({settings.training_per_visitor} run at a time each, {settings.training_seconds:g} s "
        f"of computing{unwatched}), send files of up to {max(settings.upload_bytes, settings.trace_bytes) // MIB} MiB, "
        f"and see a run whose address they know; {limits} (/api/v1/limits).",
        "They cannot control others' runs, read files of this machine, or run programs on it.",
    ]
    if not asks:
        lines.append("--passphrase asks everybody for one; --host 127.0.0.1 is for this machine alone.")
    if not settings.hsts:
        lines.append("HTTP is not encrypted: others on the way can read along. deploy/nginx.conf is a start for HTTPS.")
    return lines


def _address(host: str) -> str:
    """Returns the address to tell others: for all of a machine's, the one that leads out. Nothing is sent."""
    if host not in ANYWHERE:
        return host
    outside, family = ANYWHERE[host]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))
            found: str = probe.getsockname()[0]
            return found
    except OSError:
        return host
