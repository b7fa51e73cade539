"""What a server's processes hold, and what else ran on the machine while something was measured. Linux only: /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 2**20


@dataclass(frozen=True)
class Held:
    """Of a process and all that it started."""

    processes: int
    bytes: int  # of resident memory
    files: int
    threads: int

    def __str__(self) -> str:
        return f"{self.bytes / MIB:.1f} MiB, {self.files} files, {self.threads} threads in {self.processes} processes"


def family(parent: int) -> list[int]:
    """Returns a process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        fields = _fields(int(entry.name))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [parent]
    for pid in found:
        found += children.get(pid, [])
    return found


def held(pids: list[int]) -> Held:
    """Returns what these processes hold together."""
    sizes = [_status(pid) for pid in pids]
    files = sum(len(list((PROC / str(pid) / "fd").iterdir())) for pid in pids if (PROC / str(pid)).is_dir())
    return Held(len(pids), sum(size for size, _ in sizes), files, sum(threads for _, threads in sizes))


def seconds(pids: list[int]) -> float:
    """Returns the processor time that these processes and their children that have ended have taken."""
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _fields(pid))) / TICKS


def state(pid: int) -> str:
    """Returns the letter of what a process does (R: it runs, or could), or nothing if it is gone."""
    return (_fields(pid) or [""])[0]


def computing(server: int) -> set[int]:
    """Returns which of a server's processes run just now, or could run."""
    return {pid for pid in family(server)[1:] if state(pid) == "R"}


class Others:
    """How much of the machine's processor time others took, from now until it is asked, than this process and all that
    it has started, until now or since."""

    def __init__(self) -> None:
        self._busy, self._idle = _machine()
        self._own = seconds(family(os.getpid()))

    def share(self) -> float:
        """Returns the share of all cores, between 0 and 1."""
        busy, idle = _machine()
        own = seconds(family(os.getpid())) - self._own
        whole = busy - self._busy + idle - self._idle
        return max(0.0, (busy - self._busy - own) / whole) if whole else 0.0


def _machine() -> tuple[float, float]:
    """Returns the seconds that the machine's cores have been busy and idle."""
    numbers = [int(word) / TICKS for word in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return sum(numbers) - idle, idle


def _fields(pid: int) -> list[str]:
    """Returns a process's fields from its state on; none if it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _status(pid: int) -> tuple[int, int]:
    """Returns a process's resident bytes and its threads."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0, 0
    named = {line.partition(":")[0]: line.partition(":")[2].split() for line in lines}
    return 1024 * int(named.get("VmRSS", ["0"])[0]), int(named.get("Threads", ["0"])[0])
