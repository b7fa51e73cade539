"""What the training service is like at this moment, for /metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.training.service import Training


class TrainingNow(Collector):
    """Runs, training processes and open streams."""

    def __init__(self, training: Training) -> None:
        self._training = training

    def collect(self) -> Iterator[Metric]:
        conductor = self._training.conductor
        yield GaugeMetricFamily("unrolled_training_runs", "Training runs that go on.", len(conductor.active))
        yield GaugeMetricFamily("unrolled_training_waiting", "Training runs that wait.", self._training.waiting)
        yield GaugeMetricFamily("unrolled_training_processes", "Training processes.", len(conductor.pool.trainers))
        yield GaugeMetricFamily("unrolled_streams", "Open event streams.", self._training.viewers.count)
