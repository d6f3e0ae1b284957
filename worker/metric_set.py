"""Metrics that come and go together."""

from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector


class MetricSet:
    """Registers collectors while its context is open.

    Args:
        registry: where they are registered.
        collectors: that were made with `registry=None`.
    """

    def __init__(self, registry: CollectorRegistry, *collectors: Collector) -> None:
        self._registry = registry
        self._collectors = collectors

    def __enter__(self) -> Self:
        for collector in self._collectors:
            self._registry.register(collector)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for collector in self._collectors:
            self._registry.unregister(collector)
