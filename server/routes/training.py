"""Training runs: started, watched, controlled, and their results. A run belongs to the visitor who started it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from engine.training.estimate import estimate_lab
from server import openapi_training as told
from server.addresses import register
from server.lab_catalogue import lab_catalogue
from server.problems import refuse
from server.seen import seen
from server.services import Services, services
from server.training import asking, results
from server.training.runs import Run
from server.training.stream import EventStream, follow
from server.training.weights import opened

register()
router = APIRouter(prefix="/api/v1/training", tags=["training"])
NEW, KEPT = 201, 200
MOST_LISTED = 50
NOBODY = "nobody"  # no visitor's name: who has none is told all the same when runs cannot be read
PAGE = 5000


@router.get("/options", **told.options())
async def options(request: Request) -> Response:
    """What can be chosen of a lab and of a strategy: kind, limits, choices, default, meaning."""
    services(request).training.warm()
    found = lab_catalogue()
    return _answer({"options": found["options"], "strategy_options": found["strategy_options"]})


@router.get("/presets", **told.presets())
async def presets(request: Request) -> Response:
    """Labs worth starting from; the first one is what the Train page opens with."""
    return _answer(lab_catalogue()["presets"])


@router.post("/estimate", **told.estimated())
async def estimate(request: Request) -> Response:
    """What a lab would take, before it runs: bytes of its largest lane, seconds of one core for all lanes; and on how
    many processes they run. `unwatched_seconds`: how long nobody may look at it until it is paused; 0: for ever.
    Nothing is trained."""
    settings = services(request).settings
    lab = await asking.read_lab(request, settings)
    cost = await asyncio.to_thread(estimate_lab, lab)
    processes = min(settings.training_workers, len(lab.lanes))
    return _answer({**asdict(cost), "processes": processes, "unwatched_seconds": settings.training_unwatched_seconds})


@router.post("", status_code=NEW, **told.started())
async def start(request: Request) -> Response:
    """Starts a run of the lab in the body. It goes on whether anybody watches or not, but for `unwatched_seconds`."""
    here = services(request)
    key = asking.read_key(request)
    lab = await asking.read_lab(request, here.settings)
    await asyncio.to_thread(asking.check_affordable, lab, here.settings)
    visitor, client = here.visitors.welcome(request), here.visitors.client(request).name
    run, new = await here.training.create(lab, results.title_of(lab), visitor, client, key)
    response = _told(here, run, True, NEW if new else KEPT)
    response.headers["location"] = f"{router.prefix}/{run.id}"
    here.visitors.remember(response, visitor)
    return response


@router.get("", **told.listed())
async def own(request: Request) -> Response:
    """Your own runs, the newest first."""
    here = services(request)
    await here.training.look()
    rows = await here.training.writer.runs(here.visitors.known(request) or NOBODY, MOST_LISTED)
    names = ("id", "title", "status", "note", "created", "updated")
    return _answer([{name: getattr(row, name) for name in names} for row in rows])


@router.get("/{id:run}", **told.one())
async def one(request: Request) -> Response:
    """How a run stands: status, lab, progress, seconds and peak memory of each strategy, verdict."""
    here = services(request)
    run = await here.training.get(request.path_params["id"])
    return _told(here, run, run.visitor == here.visitors.known(request))


@router.get("/{id:run}/events", **told.stream())
async def events(request: Request) -> Response:
    """The run's events as server-sent events: those after `after` or Last-Event-ID, then those that come."""
    here = services(request)
    after = asking.read_after(request)
    run = await here.training.get(request.path_params["id"])
    if run.resting and after >= run.last and request.headers.get("last-event-id"):
        return Response(status_code=204)  # tells a browser that there is nothing to come back for
    if seen(request.scope).method == "HEAD":
        return Response(media_type=EventStream.media_type, headers={"cache-control": "no-store"})
    viewers = here.training.viewers
    viewer = viewers.admit(run.id, here.visitors.client(request).name)
    here.training.elsewhere.look()
    content = follow(here.training.stored, run, viewer, after, here.settings.heartbeat_seconds)
    return EventStream(content, lambda: viewers.leave(viewer))


@router.get("/{id:run}/points", **told.points())
async def points(request: Request) -> Response:
    """The same events as JSON, up to 5,000 at a time, without a stream."""
    here = services(request)
    after = asking.read_after(request)
    run = await here.training.get(request.path_params["id"])
    found = await here.training.writer.events(run.id, after, PAGE)
    items = ",".join(f'{{"id":{each.id},"event":"{each.kind}","data":{each.data_json}}}' for each in found)
    last = found[-1].id if found else after
    body = f'{{"status":"{run.status}","last":{last},"more":{str(last < run.last).lower()},"events":[{items}]}}'
    return _json(body.encode())


@router.post("/{id:run}/control", **told.controlled())
async def control(request: Request) -> Response:
    """Pauses, resumes, steps or stops a run of yours, or changes its learning rate while it goes on."""
    here = services(request)
    run = await _own(here, request)
    asked = await asking.read_control(request, here.settings)
    await here.training.control(run, asked.action, asked.rate, here.visitors.client(request).name)
    return _told(here, run, True)


@router.delete("/{id:run}", **told.deleted())
async def delete(request: Request) -> Response:
    """Cancels a run of yours that goes on, which is kept as it stands; deletes one that has come to its end."""
    here = services(request)
    run = await _own(here, request)
    if await here.training.delete(run):
        return Response(status_code=204)
    return _told(here, run, True)


@router.get("/{id:run}/results", **told.results())
async def all_results(request: Request) -> Response:
    """Every number of a run: lab, versions, verdict, points and moments, as JSON or CSV."""
    here = services(request)
    media = told.chosen(request.headers.get("accept"))
    run = await here.training.get(request.path_params["id"])
    view = await here.training.view(run)
    if media == told.CSV:
        return _file(await asyncio.to_thread(results.as_csv, view), run.id, "csv", media)
    return _json(await asyncio.to_thread(results.as_json, view))


@router.get("/{id:run}/results.csv", **told.results(told.CSV))
async def csv(request: Request) -> Response:
    """The same as CSV: a row for each point and each moment."""
    here = services(request)
    run = await here.training.get(request.path_params["id"])
    view = await here.training.view(run)
    return _file(await asyncio.to_thread(results.as_csv, view), run.id, "csv", told.CSV)


@router.get("/{id:run}/moments/{lane}/{tokens}", **told.moment())
async def moment(request: Request) -> Response:
    """The weights of a moment, with the config that belongs to them: ready to be posted to /api/v1/analysis."""
    here = services(request)
    run = await here.training.get(request.path_params["id"])
    lane, tokens = request.path_params["lane"], request.path_params["tokens"]
    if lane not in run.lanes:
        raise refuse(404, "lane", lane, "is no lane of this run", f"Use one of: {', '.join(run.lanes)}.")
    remedy = 'Take one whose event says "weights": true.'
    stored = await here.training.writer.moment(run.id, lane, asking.read_number("tokens", tokens, remedy))
    if stored is None:
        raise refuse(404, "tokens", tokens, "of no moment whose weights are kept", remedy)
    return _json(await asyncio.to_thread(opened, run.lab, lane, stored))


async def _own(here: Services, request: Request) -> Run:
    """Returns a run that the visitor may do something with, or raises RefusedError (403)."""
    run = await here.training.get(request.path_params["id"])
    if run.visitor != here.visitors.known(request):
        remedy = "Send the cookie that came with the answer to your POST, or start a run of your own."
        raise refuse(403, "run", run.id, "belongs to another visitor", remedy)
    return run


def _told(here: Services, run: Run, own: bool, status: int = 200) -> Response:
    told_run = results.summary(run, here.training.processes(run), own)
    return Response(to_json(told_run), status, {"cache-control": "no-store"}, "application/json")


def _answer(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json", headers={"cache-control": "no-cache"})


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


def _file(body: bytes, id: str, ending: str, media: str) -> Response:
    name = f'attachment; filename="unrolled-{id[:8]}.{ending}"'
    return Response(body, media_type=media, headers={"cache-control": "no-store", "content-disposition": name})


