"""A client's pace: so many requests at once, then so many a second; the others are not held up."""

from __future__ import annotations

from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from server.app import create_app
from server.pace import MOST_CLIENTS, SHARE, Buckets
from server.settings import Settings


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_no_more_than_the_burst_and_what_time_gives(pauses: list[float]) -> None:
    buckets, now, taken = Buckets(rate=5, burst=10), 100.0, 0
    for pause in pauses:
        now += pause
        taken += buckets.wait("one", now) == 0
        assert taken <= 10 + 5 * (now - 100) + 1e-6
    assert buckets.wait("other", now) == 0


def test_who_waits_as_long_as_it_is_told_is_served() -> None:
    buckets, now = Buckets(rate=4, burst=1), 0.0
    assert buckets.wait("a", now) == 0
    for _ in range(50):
        wait = buckets.wait("a", now)
        assert 0 < wait <= 0.25
        now += wait + 1e-9
        assert buckets.wait("a", now) == 0


def test_only_so_many_clients_are_remembered() -> None:
    buckets = Buckets(rate=1, burst=1)
    for n in range(MOST_CLIENTS + 10):
        buckets.wait(f"client {n}", 0.0)
    assert len(buckets._left) == MOST_CLIENTS


def test_the_api_is_paced_for_each_client_and_pages_are_not() -> None:
    app = create_app(Settings(workers=1, light_workers=0, requests_per_second=0.0001, requests_at_once=3))
    browser = TestClient(app, base_url="http://localhost")
    statuses = [browser.get("/api/v1/limits").status_code for _ in range(3 * SHARE + 1)]
    assert statuses == [200] * 3 * SHARE + [429]  # without a cookie: a network's share
    refused = browser.get("/api/v1/options")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert f"{3 * SHARE} at once" in refused.json()["problems"][0]["limit"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/").status_code == 200  # which gives a cookie: another client
    statuses = [browser.get("/api/v1/limits").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_strangers_are_paced_and_the_local_user_is_not() -> None:
    public, local = Settings(public=True), Settings(public=False)
    assert (public.requests_per_second, public.requests_at_once) == (20, 60)
    assert local.requests_per_second == 0
