"""What the routes share for the life of one server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from jinja2 import Environment
from starlette.requests import Request

from server.assets import Assets
from server.jobs import Jobs
from server.metrics import Metrics
from server.readiness import Readiness
from server.rendered import Pages
from server.settings import Settings
from server.tarpit import Tarpit
from server.training.pictures import Pictures
from server.training.service import Training
from server.visitors import Visitors


@dataclass(frozen=True)
class Services:
    """One server's settings, files, templates and compute processes."""

    settings: Settings
    assets: Assets
    templates: Environment
    pages: Pages
    jobs: Jobs
    metrics: Metrics
    tarpit: Tarpit
    training: Training
    readiness: Readiness
    pictures: Pictures  # of training runs
    visitors: Visitors
    uploads: asyncio.Semaphore  # one for each file that may be held in memory at the same time
    traces: asyncio.Semaphore  # one for each recorded trace that may be on the disk at the same time


def services(request: Request) -> Services:
    """Returns the services of the server that got this request."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found
