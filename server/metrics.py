"""What is counted, in Prometheus' format: requests by route, waiting, computing, refusing, keeping."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.jobs import Jobs
from server.seen import Seen

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The counters of one server; each server has a registry of its own."""

    def __init__(self, jobs: Jobs) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "unrolled_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds, self._queue, self._compute = (
            Histogram(f"unrolled_{name}_seconds", help, labels, buckets=SECONDS, registry=self.registry)
            for name, help, labels in (
                ("request", "From a request's head to the end of its answer.", ("route",)),
                ("queue", "Waiting for a compute process.", ("kind",)),
                ("compute", "Computing in a compute process.", ("kind",)),
            )
        )
        self.lag = Histogram(
            "unrolled_loop_lag_seconds", "How late the event loop is, seen four times a second.", buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(_Now(jobs))
        # Looked up once for each route: to find a label's counter takes longer than to count.
        self._counter = cache(lambda route, method, status: self._requests.labels(route, method, str(status)))
        self._timer = cache(lambda route: self._seconds.labels(route))

    def note(self, seen: Seen) -> None:
        """Counts one request."""
        self._counter(seen.route, seen.method, seen.status).inc()
        self._timer(seen.route).observe(seen.seconds)
        if seen.compute is not None and not seen.kept:
            self._queue.labels(seen.kind).observe(seen.queue or 0.0)
            self._compute.labels(seen.kind).observe(seen.compute)

    def text(self) -> bytes:
        """Returns everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Now(Collector):
    """What the compute processes and their queue are like at this moment."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        jobs, admission = self._jobs, self._jobs.admission
        yield GaugeMetricFamily("unrolled_processes", "Compute processes that are warm.", jobs.ready)
        yield GaugeMetricFamily("unrolled_queue_jobs", "Analyses that wait.", len(admission))
        waits = GaugeMetricFamily("unrolled_queue_work_seconds", "Work that waits, as estimated.", labels=("budget",))
        factor = GaugeMetricFamily("unrolled_cost_factor", "Real seconds over estimated ones.", labels=("budget",))
        for name, light in (("light", True), ("heavy", False)):
            waits.add_metric((name,), admission.waiting(light))
            factor.add_metric((name,), admission.factors[light])
        yield from (waits, factor)
        yield GaugeMetricFamily("unrolled_cache_bytes", "Encoded answers that are kept.", jobs.cache.size)
        refused = CounterMetricFamily("unrolled_refused", "Analyses refused.", labels=("reason",))
        for reason in ("client", "queue"):
            refused.add_metric((reason,), admission.refused[reason])
        yield refused
        for name, help, value in (
            ("cache_hits", "Answers that were kept.", jobs.cache.hits),
            ("cache_misses", "Answers that were not.", jobs.cache.misses),
            ("processes_ended", "Compute processes that ended before the server did.", jobs.lost),
        ):
            yield CounterMetricFamily(f"unrolled_{name}", help, value)
