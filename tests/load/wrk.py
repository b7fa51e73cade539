"""How many answers a second: cheap ones, and analyses of 5 ms each. By wrk, which costs next to nothing itself.

`python -m tests.load.wrk` measures both.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts import debian
from tests.load.http import Connection
from tests.load.machine import Others
from tests.load.stage import served

CONNECTIONS = 32
JOB_SECONDS = 0.005
NEAR = 0.02  # of it; more would say as much about the rate as what is promised leaves
SMALL = "/api/v1/analysis?hidden=4&batch=1&lag=5&include=&certificate=false&steps={steps}&seed={seed}"
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
WARMING = 150  # analyses, so that every compute process has done some
# Each request has another seed, and the cookie of the next visitor: as many clients as connections.
SCRIPT = """
local cookies, count = { %s }, %d
request = function()
  count = count + 1
  return wrk.format("GET", "%s" .. count, { Cookie = cookies[count %% #cookies + 1] })
end
"""


@dataclass(frozen=True)
class Rate:
    """What wrk saw."""

    each_second: float
    p99: float  # milliseconds
    refused: int  # answers that were none of the 2xx or 3xx, and connections that failed

    def told(self, name: str, least: float, most: float, slack: float = 1.0) -> tuple[str, bool]:
        """Returns a line, and whether it is as promised (with a slack: by far)."""
        kept = self.each_second >= least / slack and self.p99 <= most * slack and not self.refused
        return (f"{name}: {self.each_second:,.0f} a second, 99th {self.p99:.1f} ms, {self.refused} refused  "
                f">= {least:,.0f}, <= {most:g} ms  {'kept' if kept else 'BROKEN'}"), kept  # fmt: skip


def obtain() -> str:
    """Returns wrk's path, after installing it if it is missing; raises RuntimeError."""
    path = shutil.which("wrk")
    if path is None and debian.install("wrk"):
        path = shutil.which("wrk")
    if path is None:
        raise RuntimeError("no wrk: install your system's `wrk` package")
    return path


def run(address: str, seconds: float, script: str = "") -> Rate:
    """Returns what 32 connections see that ask again as soon as they are answered."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.lua"
        file.write_text(script)
        given = ["-s", str(file)] if script else []
        command = [obtain(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "30s", "--latency"]
        done = subprocess.run([*command, *given, address], capture_output=True, text=True, timeout=seconds + 60)
    done.check_returncode()
    return read(done.stdout)


def read(said: str) -> Rate:
    """Returns the figures in what wrk says."""
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s|m)", said)[0]
    refused = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    refused += sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", said))
    return Rate(float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]), float(number) * UNITS[unit], refused)


def cheap(seconds: float, slack: float = 1.0) -> bool:
    """Prints how many small JSON answers a second there are, through every layer of the server."""
    with served(False) as (port, _):
        others = Others()
        rate = run(f"http://127.0.0.1:{port}/healthz", seconds)
        line, kept = rate.told("cheap answers", 10_000, 6, slack)
        print(f"\n{seconds:g} s; others took {others.share():.0%} of the machine\n{line}", flush=True)
    return kept


def jobs(seconds: float, slack: float = 1.0) -> bool:
    """Prints how many analyses a second there are that take a compute process 5 ms each; none is asked for twice."""
    with served(False) as (port, _):
        steps, took = asyncio.run(_calibrated(port))
        cookies = asyncio.run(_cookies(port))
        quoted = ", ".join(f'"{cookie}"' for cookie in cookies)
        others = Others()
        rate = run(f"http://127.0.0.1:{port}", seconds, SCRIPT % (quoted, 10**6, SMALL.format(steps=steps, seed="")))
        line, kept = rate.told(f"jobs of {1000 * took:.1f} ms (T = {steps})", 350, 120, slack)
        print(f"\n{seconds:g} s; others took {others.share():.0%} of the machine\n{line}", flush=True)
    return kept


async def _cookies(port: int) -> list[str]:
    made = [await Connection.of_visitor(port) for _ in range(CONNECTIONS)]
    for connection in made:
        connection.close()
    return [connection.cookie for connection in made]


async def _calibrated(port: int) -> tuple[int, float]:
    """Returns for how many time steps an analysis takes a compute process 5 ms, and the seconds that it then takes."""
    connection, steps = await Connection.of_visitor(port), 40
    for seed in range(WARMING):
        await connection.get(SMALL.format(steps=steps, seed=10_000 + seed))
    for trial in range(12):
        before = await _computed(connection)
        for seed in range(60):
            await connection.get(SMALL.format(steps=steps, seed=100 * trial + seed))
        after = await _computed(connection)
        took = (after[0] - before[0]) / (after[1] - before[1])
        if abs(took / JOB_SECONDS - 1) < NEAR:
            break
        steps = max(16, min(2000, round(steps * JOB_SECONDS / took)))
    connection.close()
    return steps, took


async def _computed(connection: Connection) -> tuple[float, float]:
    """Returns the seconds that all analyses took their compute processes, and how many they were."""
    _, _, body = await connection.get("/metrics")
    found = dict(re.findall(r'unrolled_compute_seconds_(sum|count)\{kind="analysis"\} ([\d.e+-]+)', body.decode()))
    return float(found.get("sum", 0)), float(found.get("count", 0))


if __name__ == "__main__":
    longest = float(sys.argv[1]) if sys.argv[1:] else 8.0
    sys.exit(0 if all([cheap(longest), jobs(longest)]) else 1)
