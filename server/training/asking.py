"""What is asked of the training service over HTTP: a lab, a control, a place in the events; read strictly."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from engine.errors import InputError, Problem, refuse, shorten
from engine.training import Lab, estimate_lab, parse_lab
from engine.training.options import LAB_OPTION, STRATEGY_OPTION
from server import strict
from server.bodies import JSON, read_typed_body
from server.problems import nearest
from server.problems import refuse as refused
from server.settings import Settings
from server.typed import require_typed

ACTIONS = ("pause", "resume", "step", "stop", "rate")
NUMBER = re.compile(r"[0-9]{1,15}")
LARGEST = 10**15 - 1  # that NUMBER takes
KEY = re.compile(r"[\x21-\x7e]{1,128}")
CONTROL_BYTES = 4096
PROCESS_BYTES = 256 * 2**20  # of address space that a training process takes without any lane
LONG = 64 * 1024  # bytes of a body that is read in a thread


@dataclass(frozen=True)
class Control:
    """What is to be done with a run."""

    action: str
    rate: float = 0.0


async def read_lab(request: Request, settings: Settings) -> Lab:
    """Returns the lab of a JSON body; raises InputError or RefusedError (400, 408, 413, 415)."""
    _, body = await read_typed_body(request, [JSON], settings.training_body_bytes, settings.body_seconds)
    if len(body) > LONG:
        return await asyncio.to_thread(_lab, body, settings)
    return _lab(body, settings)


def _lab(body: bytes, settings: Settings) -> Lab:
    value = _object(body, settings)
    require_typed(value, LAB_OPTION, csv=True)
    strategies = value.get("strategies")
    for strategy in strategies if isinstance(strategies, list) else ():
        require_typed(strategy if isinstance(strategy, dict) else {}, STRATEGY_OPTION)
    return parse_lab(value)


def _object(body: bytes, settings: Settings) -> dict[str, Any]:
    value = strict.loads(body, settings.json_depth)
    if not isinstance(value, dict):
        raise refused(400, "body", shorten(value), "must be a JSON object", 'Send for example {"tokens": 10000}.')
    return value


def check_affordable(lab: Lab, settings: Settings) -> None:
    """Raises InputError if the run would take more time or memory than the settings give a run."""
    cost = estimate_lab(lab)
    held = -(-len(lab.strategies) // settings.training_workers) * cost.bytes + PROCESS_BYTES
    problems = []
    if cost.seconds > settings.training_seconds:
        limit = f"would take about {cost.seconds:,.0f} s, and a run may compute for {settings.training_seconds:,g} s"
        problems.append(Problem("tokens", f"{lab.tokens}", limit, "Use fewer tokens, seeds or strategies."))
    if held > settings.training_process_bytes:
        limit = f"a training process would need {held:,} bytes, and may have {settings.training_process_bytes:,}"
        problems.append(Problem("hidden", f"{lab.hidden}", limit, "Use a smaller network, batch or window."))
    if problems:
        raise InputError(problems)


async def read_control(request: Request, settings: Settings) -> Control:
    """Returns what a JSON body wants done; raises InputError or RefusedError."""
    _, body = await read_typed_body(request, [JSON], CONTROL_BYTES, settings.body_seconds)
    value = _object(body, settings)
    for name in value.keys() - {"action", "rate"}:
        raise refuse(name, name, "is unknown here", "Send action, and with rate the rate.")
    action = value.get("action")
    if action not in ACTIONS:
        remedy = nearest(action, ACTIONS) if isinstance(action, str) else f"Use one of: {', '.join(ACTIONS)}."
        raise refuse("action", action, f"must be one of {', '.join(ACTIONS)}", remedy)
    if action != "rate":
        if "rate" in value:
            raise refuse("rate", value["rate"], "belongs to the action rate alone", "Leave it out.")
        return Control(action)
    rate, option = value.get("rate"), LAB_OPTION["rate"]
    low, high = option.low or 0.0, option.high or 0.0
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not low <= rate <= high:
        raise refuse("rate", rate, f"must be a number from {low:g} to {high:g}", "Give the new learning rate.")
    return Control(action, float(rate))


def read_after(request: Request) -> int:
    """Returns the id after which events are asked for: of the header of a reconnection, or of the query."""
    given = {"Last-Event-ID": request.headers.get("last-event-id"), "after": request.query_params.get("after")}
    for name, text in given.items():
        if text:
            return read_number(name, text, "Send the id of the last event that you have.")
    return 0


def read_number(name: str, text: str, remedy: str) -> int:
    """Returns a whole number that is not negative, or raises InputError with the remedy."""
    if not NUMBER.fullmatch(text):
        raise refuse(name, text, f"must be a whole number from 0 to {LARGEST}", remedy)
    return int(text)


def read_key(request: Request) -> str | None:
    """Returns the Idempotency-Key, or None if there is none."""
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        raise refuse("Idempotency-Key", key, "must be 1 to 128 visible ASCII characters", "Send a random UUID.")
    return key
