"""Every fault, often: `python -m tests.faults` (`make faults`), or some: `python -m tests.faults F1 F3-spin`.

Prints for each scene what is promised, what was seen, and whether the promise was kept; ends with 1 if one was not. A
short form of each is among the tests.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults import (
    test_clock,
    test_database,
    test_stopping,
    test_surroundings,
    test_training_killed,
    test_workers,
    writers_killed,
)
from tests.faults.faulty_worker import HARMS
from tests.faults.seen import REPLACES_LINE, Seen


@dataclass(frozen=True)
class Scene:
    """One scene, and how often it plays."""

    promised: str
    play: Callable[[int, Path], Seen]
    count: int


SCENES = {
    "F1": Scene("200 kills during writes: nothing acknowledged is lost, nothing torn", writers_killed.scene, 200),
    "F2": Scene("50 times training is killed or hangs: known within 2 s, the same numbers to the last bit, at most "
                "1 s or 100 updates made twice",
                test_training_killed.scene, 50),
    **{f"F3-{kind}": Scene(f"20 compute processes come to harm ({kind}): no other client notices, all back within 3 s"
                           f"{', known within 2 s' if kind in test_workers.ENDS else ''}",
                           partial(test_workers.scene, kinds=(kind,)), 20) for kind in HARMS},
    "F5": Scene("SIGTERM with 200 streams and 50 analyses: exit 0 within 10 s, all told, all kept; kill -9: no orphans",
                lambda count, folder: test_stopping.scene(count, folder, 10), 200),
    "F6": Scene("12 faults of the database: 503 or 507 with a remedy, the rest works; a spoilt file is kept",
                test_database.scene, 12),
    "clock": Scene("the clock set back and forward: order and numbers stay, nobody waits", test_clock.scene, 6),
    "surroundings": Scene("the port taken, IPv6, no home, a read-only one, no /dev/shm, few open files",
                          test_surroundings.scene, 7),
}  # fmt: skip


def played(name: str, scene: Scene) -> bool:
    """Plays a scene, prints what was seen, and returns whether the promise was kept."""
    print(f"{name}: {scene.promised}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="unrolled-faults-", ignore_cleanup_errors=True) as folder:
        try:
            seen = scene.play(scene.count, Path(folder))
        except Exception as error:
            seen = Seen(broken=[f"{type(error).__name__}: {error}"])
            seen.figures += seen.broken
    if sys.stderr.isatty():
        print(REPLACES_LINE, end="", file=sys.stderr)
    for figure in seen.figures:
        print(f"  {'BROKEN  ' if figure in seen.broken else ''}{figure}")
    print(f"  {'fail' if seen.broken else 'pass'} in {time.monotonic() - begun:.0f} s\n", flush=True)
    return not seen.broken


def main(wanted: list[str]) -> int:
    names = {name: {name, name.partition("-")[0]} for name in SCENES}
    if unknown := [word for word in wanted if not any(word in known for known in names.values())]:
        print(f"no such scene: {', '.join(unknown)}; choose from {', '.join(SCENES)}", file=sys.stderr)
        return 2
    kept = {name: played(name, scene) for name, scene in SCENES.items() if not wanted or names[name] & set(wanted)}
    print(", ".join(f"{name} {'pass' if good else 'fail'}" for name, good in kept.items()))
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
