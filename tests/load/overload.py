"""A lecture hall and worse, against a real server on this machine: `python -m tests.load.overload --students 200`.

Prints what each kind of client saw, beside what is promised, and ends with 1 if a promise is broken. The generator runs
on the same machine as the server, so that its own work counts against the server.
"""

from __future__ import annotations

import argparse
import sys

from tests.load.scenes import Scene, scene_of
from tests.load.soak import soak
from tests.load.stage import measured

ALL = {"students": 200, "hog": 500, "slow": 600}
VIEWERS = 200
KINDS = {
    "students": "pupils who move a slider every 2 s",
    "lesson": "pupils who all move the same slider of the same lesson",
    "hog": "connections of one client that asks without a pause",
    "distinct": "clients with a heavy analysis each",
    "slow": "clients that send a letter a second",
}


def arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, what in KINDS.items():
        made.add_argument(f"--{kind}", type=int, default=0, help=what)
    made.add_argument("--viewers", type=int, default=0, help="event streams of one training run")
    made.add_argument("--all", action="store_true", help=f"200 pupils, a hog, 600 slow clients, {VIEWERS} viewers")
    made.add_argument("--front", action="store_true", help="behind nginx with deploy/nginx.conf")
    made.add_argument("--seconds", type=float, default=20.0)
    made.add_argument("--minutes", type=float, default=0.0, help="so long instead, looking at what the server holds")
    return made.parse_args()


def chosen(given: argparse.Namespace) -> Scene:
    """Returns the scene that was asked for."""
    counts = {kind: getattr(given, kind) for kind in KINDS if getattr(given, kind)}
    return scene_of(ALL | counts if given.all else counts, given.viewers or VIEWERS * given.all, given.front)


def main() -> int:
    given = arguments()
    if given.minutes:
        return 0 if soak(chosen(given), given.minutes) else 1
    return 0 if measured(chosen(given), given.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
