"""From a query to a response: negotiation, entity tag, the compute processes, the headers."""

from __future__ import annotations

import asyncio
import secrets
from hashlib import sha256
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from engine import Config, as_query
from server import long, problems
from server.bodies import read_json_body, read_typed_body
from server.clients import Client
from server.jobs import Done
from server.negotiation import has_it, media_type, takes_gzip
from server.places import place_of
from server.problems import RefusedError
from server.queries import Query, etag, read_body
from server.refusals import busy
from server.seen import seen
from server.services import Services, services
from server.traces.receiving import received
from server.uploads import TYPES, Upload, ending, whose
from server.version import fingerprint
from server.work import COMPRESSED, MEDIA, Task, Unread, check_affordable

READ_HERE = 64 * 1024  # a longer body is read in a compute process
CLIENT_GONE = 499  # nginx's number; nobody is there to see it
CACHE = "public, max-age=3600"


async def read_post(request: Request, kind: str) -> Query:
    """Returns the query of a JSON body; a long one is read in a thread, which lets the event loop run."""
    limits = services(request).settings
    body = await read_json_body(request, limits)
    if len(body) > READ_HERE:
        return await asyncio.to_thread(read_body, kind, body, limits.json_depth)
    return read_body(kind, body, limits.json_depth)


async def answer_get(request: Request, query: Query) -> Response:
    """Returns the answer to a query, from the client's own cache, ours, or a compute process."""
    return await _answer(request, query, [query.figure, query.canonical])


async def answer_post(request: Request, kind: str) -> Response:
    """Returns the answer to a JSON body; without arrays it is the same as that to a GET."""
    limits = services(request).settings
    body = await read_json_body(request, limits)
    if len(body) > READ_HERE:
        return await _answer(request, Unread(kind, body), [sha256(body).hexdigest()])
    query = read_body(kind, body, limits.json_depth)
    return await _answer(request, query, ["", query.canonical, *([sha256(body).hexdigest()] if query.given else [])])


async def answer_long(request: Request, kind: str) -> Response:
    """Returns the answer to a JSON body about a long sequence, whose cost depends on all of it: it is read first."""
    limits = services(request).settings
    body = await read_json_body(request, limits)
    query = await asyncio.to_thread(read_body, kind, body, limits.json_depth)
    return await _answer(request, query, [sha256(body).hexdigest()])


async def answer_upload(request: Request) -> Response:
    """Returns what a file of weights holds; the address says whose weights they are."""
    limits = services(request).settings
    convention, config = whose(request.scope["query_string"])
    held = services(request).uploads
    if held.locked():
        raise busy(f"{limits.uploads_at_once} files are being read", "no more are taken at the same time")
    async with held:
        return await _answer_file(request, convention, config)


async def _answer_file(request: Request, convention: str, config: Config) -> Response:
    limits = services(request).settings
    media, body = await read_typed_body(request, list(TYPES), limits.upload_bytes, limits.body_seconds)
    asked = Upload(body, TYPES[media] or ending(body), convention, config)
    digest = await asyncio.to_thread(lambda: sha256(body).hexdigest())
    return await _answer(request, asked, [digest, asked.ending, convention, urlencode(as_query(config))])


async def answer_trace(request: Request) -> Response:
    """Returns what a recorded trace holds and how far its gradients reach; the file is on disk for as long."""
    here = services(request)
    media = media_type(request.headers.get("accept"), MEDIA["trace"])
    compress = media in COMPRESSED and takes_gzip(request.headers.get("accept-encoding"))
    async with received(request, here.settings, here.traces) as file:
        task = Task(file, media, compress, reply_bytes=here.settings.reply_bytes, keep=False)
        done = await _unless_gone(request, f"trace {secrets.token_hex(16)}", task)
    headers = {"cache-control": "no-store", "vary": "accept, accept-encoding"}
    return Response(status_code=CLIENT_GONE) if done is None else _response(done, headers)


async def _answer(request: Request, asked: Query | Unread | Upload, key: list[str]) -> Response:
    limits = services(request).settings
    media = media_type(request.headers.get("accept"), MEDIA[asked.kind])
    compress = media in COMPRESSED and takes_gzip(request.headers.get("accept-encoding"))
    tag = etag([fingerprint(), asked.kind, *key, media, str(compress)])
    headers = {"etag": tag, "cache-control": CACHE, "vary": "accept, accept-encoding"}
    if request.method == "GET" and has_it(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    seconds = limits.long_seconds if asked.kind in long.KINDS else limits.analysis_seconds
    jobs = services(request).jobs
    if tag in jobs.cache:
        known = Task(asked, media, compress, limits.json_depth, limits.reply_bytes, seconds)
        return _response(_noted(request, known, await jobs.run(tag, known)), headers)
    place = None
    if isinstance(asked, Query):
        check_affordable(asked, seconds)
        place = place_of(asked)
    task = Task(asked, media, compress, limits.json_depth, limits.reply_bytes, seconds, place=place)
    done = await _unless_gone(request, tag, task)
    return Response(status_code=CLIENT_GONE) if done is None else _response(done, headers)


async def _unless_gone(request: Request, key: str, task: Task) -> Done | None:
    """Returns what is computed, or None as soon as the client has gone; the job is then dropped."""
    here = services(request)
    job = asyncio.ensure_future(_run(here, key, task, here.visitors.client(request)))
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({job, gone}, return_when=asyncio.FIRST_COMPLETED)
        return _noted(request, task, job.result()) if job.done() else None
    finally:
        job.cancel()
        gone.cancel()
        del job, gone  # what was raised holds this frame, and would hold itself by it: a circle for each refusal


async def _run(here: Services, key: str, task: Task, client: Client) -> Done:
    try:
        return await here.jobs.run(key, task, client)
    except RefusedError:
        if not here.jobs.stopping:  # then everybody is told at once: there is no later
            await asyncio.sleep(here.tarpit.refused(client.name, asyncio.get_running_loop().time()))
        raise


def _noted(request: Request, task: Task, done: Done) -> Done:
    note = seen(request.scope)
    note.kind, note.kept, note.cost = task.asked.kind, done.kept, done.cost
    note.queue, note.compute = done.queue_ms / 1000, done.compute_ms / 1000
    return done


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _response(done: Done, headers: dict[str, str]) -> Response:
    answer = done.answer
    if answer.status != 200:
        return Response(answer.body, answer.status, {"cache-control": "no-store"}, problems.MEDIA_TYPE)
    timing = f"queue;dur={done.queue_ms:.1f}, engine;dur={0.0 if done.kept else answer.engine_ms:.1f}"
    headers = headers | {"server-timing": timing + (', cache;desc="hit"' if done.kept else "")}
    if answer.compressed:
        headers["content-encoding"] = "gzip"
    return Response(answer.body, 200, headers, answer.media)
