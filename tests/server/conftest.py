"""One application with real compute processes, shared by a session's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from server.app import create_app
from server.settings import Settings
from tests.server.headers import look

SMALL = "steps=12&hidden=4&batch=2"
ADDRESS = "http://localhost"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--disturbed", type=int, default=1, help="runs that test_training_disturbed.py disturbs")


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings(workers=1, light_workers=1)


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the running application; faults of ours are answers here too, as they are outside.

    It looks at the headers of every answer."""
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as running:
        running.event_hooks = {"response": [look]}
        yield running
