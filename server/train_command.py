"""What `unrolled train` does: the same lanes in the same processes as the server's, with a progress bar."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from engine.errors import refuse, shorten
from engine.training import LAB_PRESETS, Lab, RunView, Verdict, lab_as_dict, parse_lab
from server import commands, strict
from server.settings import Settings
from server.store import Writer, open_store
from server.train_flags import PREFIX
from server.training import results
from server.training.messages import RESTING
from server.training.runs import Run
from server.training.service import Training
from server.training_report import report

WHO = "command"
REFRESH_SECONDS = 0.5
MOST_TEXT_BYTES = 5 * 2**20 + 3  # with a byte order mark


def train(arguments: argparse.Namespace) -> int:
    """Trains, and prints the verdict or writes the results. Returns 1 where the run did not come to its end."""
    lab = _lab(arguments)
    view, note = asyncio.run(_trained(lab, arguments.quiet))
    forms: list[tuple[str | None, Callable[[RunView], bytes]]] = [
        (arguments.json, results.as_json),
        (arguments.csv, results.as_csv),
        (arguments.report, lambda found: report(found, results.title_of(lab)).encode()),
    ]
    for target, write in forms:
        if target:
            commands.write(write(view), target)
    if not any(target == "-" for target, _ in forms):
        print("\n".join(_said(view.verdict)) if view.verdict else note)
    if view.status != "done":
        print(f"unrolled: the run is {view.status}. {note}", file=sys.stderr)
    return 0 if view.status == "done" else 1


def _lab(arguments: argparse.Namespace) -> Lab:
    """Returns the lab of the file or the preset, and of the flags, which override it."""
    flags: dict[str, Any] = {
        name.removeprefix(PREFIX): text
        for name, text in vars(arguments).items()
        if name.startswith(PREFIX) and text is not None
    }
    for name in ("text", "series"):
        if file := getattr(arguments, f"{name}_file"):
            flags[name] = commands.read(file, f"{name}-file", MOST_TEXT_BYTES)
            if not flags[name].strip():
                raise refuse(f"{name}-file", file, "is empty", f"Name a file with a {name}, or leave the flag out.")
    return parse_lab(_given(arguments.lab) | flags)


def _given(name: str) -> dict[str, Any]:
    presets = {preset.name: preset.lab for preset in LAB_PRESETS}
    if name in presets:
        return lab_as_dict(presets[name])
    settings = Settings()
    value = strict.loads(commands.read(name, "config", settings.training_body_bytes).encode(), settings.json_depth)
    if not isinstance(value, dict):
        raise refuse("config", shorten(value), "must be a JSON object", 'For example {"tokens": 20000, "seeds": 2}.')
    return value


async def _trained(lab: Lab, quiet: bool) -> tuple[RunView, str]:
    """Returns the run when it has come to rest, and why, where that needs saying."""
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        settings = Settings(data=folder, database="")
        training = Training(settings, Writer(lambda: open_store(settings)))
        try:
            run, _ = await training.create(lab, results.title_of(lab), WHO, WHO, None)
            await _watch(training, run, quiet)
            return await training.view(run), run.note
        finally:
            await training.stop()


async def _watch(training: Training, run: Run, quiet: bool) -> None:
    total = run.lab.tokens * len(run.lanes)
    with tqdm(total=total, unit="token", unit_scale=True, disable=quiet or None, file=sys.stderr) as bar:
        while run.status not in (*RESTING, "paused"):
            await asyncio.sleep(REFRESH_SECONDS)
            bar.update(run.tokens() - bar.n)
            bar.set_postfix_str(_at(run), refresh=False)


def _at(run: Run) -> str:
    """Returns which seed is being trained."""
    seeds = [lane.seed for lane in run.unfinished()]
    return f"seed {min(seeds)}" if seeds else ""


def _said(verdict: Verdict) -> list[str]:
    """Returns the verdict in lines: each strategy, what is compared, how it was made."""
    lines = [verdict.headline, "", f"Held out, {verdict.unit}:"]
    width = max(len(outcome.name) for outcome in verdict.outcomes)
    for outcome in verdict.outcomes:
        memory = f", {outcome.peak_bytes / 2**20:.1f} MiB an update" if outcome.peak_bytes else ""
        lines.append(f"  {outcome.name:<{width}}  {outcome.loss:.4f}  ({outcome.seconds:.1f} s{memory})")
    others = [comparison.text for comparison in verdict.comparisons if comparison.text != verdict.headline]
    return [*lines, *(["", *others] if others else []), *(["", *verdict.notes] if verdict.notes else [])]
