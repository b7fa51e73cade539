"""Every scene, one after the other: `python -m tests.load`, which is `make load`.

`--short` takes less time and forgives a machine that others use too: then only faults count, and what is slower by far.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.load import wrk
from tests.load.leaving import leaving
from tests.load.scenes import GENEROUS, scene_of
from tests.load.stage import measured

HOG, PUPILS, SLOW, VIEWERS, DISTINCT = 500, 200, 600, 200, 500


def long() -> bool:
    """Returns whether every promise was kept. Takes some minutes."""
    pupils = {"students": PUPILS}
    kept = [
        measured(scene_of(pupils | {"hog": HOG}), 20),
        measured(scene_of(pupils | {"hog": HOG, "slow": SLOW}, VIEWERS), 20),
        measured(scene_of(pupils | {"distinct": DISTINCT}), 25),
        measured(scene_of({"lesson": PUPILS}, front=True), 15),
        wrk.cheap(8),
        wrk.jobs(8),
        leaving(100),
    ]
    return all(kept)


def short() -> bool:
    """Returns whether nobody met a fault, and everybody was served. Takes half a minute."""
    crowd = {"students": 60, "hog": 100, "distinct": 40, "slow": 100}
    kept = [
        measured(scene_of(crowd, 40), 4, only_faults=True),
        measured(scene_of({"lesson": 60}, front=True), 3, only_faults=True),
        wrk.cheap(1, GENEROUS),
        leaving(3, GENEROUS),
    ]
    return all(kept)


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--short", action="store_true", help="half a minute, for a machine that others use too")
    begun = time.monotonic()
    kept = short() if made.parse_args().short else long()
    print(f"\nload: {'passed' if kept else 'FAILED'} in {time.monotonic() - begun:.0f} s")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
