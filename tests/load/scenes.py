"""The scenes: who comes, what is promised to each, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.load.crowd import heavy, hog, pupil, same_lesson, trickler, watcher
from tests.load.http import Times
from tests.load.viewers import Watched, view

Client = Callable[[int, Times], Coroutine[Any, Any, None]]
CLIENTS: dict[str, Client] = {
    "students": pupil,
    "lesson": same_lesson,
    "hog": hog,
    "distinct": heavy,
    "slow": trickler,
    "health": watcher,
}
WARM_UP = 4.0  # seconds that are not counted
LONGEST_WAIT = 20.0  # seconds until anybody is answered or refused
LONGEST_SLOW = 15.0  # seconds that a slow client is let be
STREAM_SHARE, STREAM_GAP = 0.98, 200.0  # of the events, and milliseconds of the 99th percentile
GENEROUS = 100.0  # how many times slower everything may be where only faults count


@dataclass(frozen=True)
class Scene:
    """Who comes, and the milliseconds that are promised: kind -> (quantile, milliseconds)."""

    name: str
    counts: dict[str, int]
    promises: dict[str, tuple[float, float]]
    viewers: int = 0
    front: bool = False


@dataclass
class Seen:
    """What came of a scene."""

    scene: Scene
    times: dict[str, Times]
    watched: Watched | None = None
    failed: list[str] = field(default_factory=list)  # clients that ended by a mistake of their own


def scene_of(counts: dict[str, int], viewers: int = 0, front: bool = False) -> Scene:
    """Returns the scene of these clients, with what is promised in it."""
    promises = {"health": (0.99, 50.0), "students": (0.99, 100.0)}
    name = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    if counts.get("distinct"):
        promises = {"health": (0.99, 100.0), "students": (0.99, 200.0)}
    if counts.get("slow") or viewers:
        promises = {"health": (0.99, 100.0), "students": (0.99, 150.0)}
    if counts.get("lesson"):
        promises = {"lesson": (0.5, 50.0)}
    name += f", {viewers} viewers" if viewers else ""
    return Scene(name + (", behind nginx" if front else ""), counts | {"health": 1}, promises, viewers, front)


async def play(scene: Scene, port: int, seconds: float) -> Seen:
    """Returns what each kind of client saw in so many seconds, after a warm-up."""
    seen = Seen(scene, {kind: Times(kind) for kind in scene.counts})
    tasks = []
    if scene.viewers:
        watched = seen.watched = await Watched.started(port)
        tasks += [asyncio.create_task(view(port, watched)) for _ in range(scene.viewers)]
    tasks += [
        asyncio.create_task(CLIENTS[kind](port, seen.times[kind]))
        for kind, count in scene.counts.items()
        for _ in range(count)
    ]
    await asyncio.sleep(WARM_UP)
    for times in seen.times.values():
        times.clear()
    if seen.watched:
        seen.watched.gaps.clear()
    await asyncio.sleep(seconds)
    if seen.watched:
        await seen.watched.close()
    failed = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    seen.failed = sorted({repr(error) for error in failed if error})
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if seen.watched:
        await seen.watched.stop()
    return seen


def faults(times: Times) -> list[str]:
    """Returns what must not be, however slow the machine is."""
    found = [f"{count} times {name}" for name, count in times.faults.items()]
    found += [f"{count} times status {status}" for status, count in times.statuses.items()
              if status >= 500 and status != 503]  # fmt: skip
    if times.without_retry_after:
        found.append(f"{times.without_retry_after} refusals without Retry-After")
    return found


def told(seen: Seen, only_faults: bool = False) -> tuple[list[str], bool]:
    """Returns a line for each kind of client, and whether every promise was kept (with `only_faults`: by far)."""
    slack = GENEROUS if only_faults else 1.0
    lines, kept = [], True
    for kind, times in seen.times.items():
        share, limit = seen.scene.promises.get(kind, (0.99, float("inf")))
        wrong = faults(times)
        found = times.quantile(share)
        if kind in seen.scene.promises and not found <= slack * limit:
            wrong.append(f"{found:.1f} ms, promised {limit:g} ms")
        if kind == "distinct" and times.slowest > LONGEST_WAIT * max(1.0, slack / 10):
            wrong.append(f"{times.slowest:.1f} s for an answer or a refusal, promised {LONGEST_WAIT:g} s")
        if kind == "slow" and times.slowest > LONGEST_SLOW * max(1.0, slack / 10):
            wrong.append(f"{times.slowest:.1f} s until it was cut off, promised {LONGEST_SLOW:g} s")
        kept &= not wrong
        lines.append(_line(times, share, limit, wrong))
    if seen.watched:
        line, fine = _stream_line(seen.watched, slack)
        lines, kept = [*lines, line], kept and fine
    return [*lines, *seen.failed], kept and not seen.failed


def _line(times: Times, share: float, limit: float, wrong: list[str]) -> str:
    others = " ".join(f"{status}: {count}" for status, count in sorted(times.statuses.items()) if status != 200)
    others += f" closed for others: {times.closed}" if times.closed else ""
    promise = f"{'median' if share == 0.5 else '99th'} <= {limit:g} ms" if limit < float("inf") else ""
    verdict = "BROKEN: " + "; ".join(wrong) if wrong else "kept" if promise else ""
    middle, most = times.quantile(0.5), times.quantile(0.99)
    figures = f"median {middle:7.1f} ms, 99th {most:7.1f} ms, slowest {times.slowest:5.2f} s"
    what = "cut off" if times.name == "slow" else "answers"
    return f"{times.name:9} {len(times.seconds):7} {what}, {figures}  {others:22} {promise:17} {verdict}"


def _stream_line(watched: Watched, slack: float) -> tuple[str, bool]:
    fine = watched.share >= (STREAM_SHARE if slack == 1 else 0.5) and watched.gap(0.99) <= slack * STREAM_GAP
    fine &= not watched.ended
    promise = f">= {STREAM_SHARE:.0%}, 99th <= {STREAM_GAP:g} ms"
    return (f"{'viewers':9} {watched.events:7} events, {watched.share:.2%} of all, between two: median "
            f"{watched.gap(0.5):.0f} ms, 99th {watched.gap(0.99):.0f} ms, ended {watched.ended}, "
            f"opened again {watched.again}  {promise} {'kept' if fine else 'BROKEN'}"), fine  # fmt: skip
