"""What a client is told when the database fails: 503 or 507 as problem+json, while everything else goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.app import create_app
from server.settings import Settings
from server.store import new_id

BROKEN = {
    "postgresql://nobody:secret@127.0.0.1:1/none": "lost",
    "mysql://nobody:secret@host/none": "neither SQLite nor PostgreSQL",
    "sqlite:////proc/nowhere/runs.sqlite3": "cannot be written",
}


@pytest.mark.parametrize("address", BROKEN)
def test_a_server_without_its_database_serves_everything_else(address: str, tmp_path: Path) -> None:
    settings = Settings(database=address, data=str(tmp_path), database_seconds=0.1, workers=1, light_workers=0)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        for _ in range(2):
            answer = client.get("/api/v1/training")
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert BROKEN[address] in answer.json()["problems"][0]["limit"]
            assert answer.json()["problems"][0]["remedy"]
            assert "secret" not in answer.text
            assert "Traceback" not in answer.text
        assert client.get("/api/v1/analysis?steps=8&hidden=4&batch=1").status_code == 200
        assert client.get("/").status_code == 200


def test_a_database_that_comes_later_is_used_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "runs.sqlite3"
    path.parent.write_text("a file where the folder must be")
    settings = Settings(database=f"sqlite:///{path}", data=str(tmp_path), database_seconds=0.1, workers=1,
                        light_workers=0)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        assert client.get("/api/v1/training").status_code == 503
        path.parent.unlink()
        assert client.get("/api/v1/training").status_code == 200


def test_a_table_that_went_away_is_told_to_the_client(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path), database_seconds=0.1, workers=1, light_workers=0)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        address = f"/api/v1/training/{new_id()}"
        assert client.get(address).status_code == 404
        with closing(sqlite3.connect(tmp_path / "runs.sqlite3")) as other:
            other.execute("DROP TABLE runs")
        answer = client.get(address)
        assert answer.status_code == 503
        assert "missing" in answer.json()["problems"][0]["limit"]
        assert client.get("/healthz").status_code == 200
