"""Metrics of the station in the Prometheus text format, for `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from borne.application.ports.backend import BackendPort
from borne.domain.station.reading import MeterReading


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample; `labels` in the order of output."""

    name: str
    kind: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def render(metrics: Iterable[Metric]) -> str:
    """The Prometheus text; metrics of the same name must be adjacent."""
    lines: list[str] = []
    described = ""
    for metric in metrics:
        if metric.name != described:
            lines.append(f"# HELP {metric.name} {metric.help}")
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            described = metric.name
        labels = ",".join(f'{key}="{value}"' for key, value in metric.labels)
        braces = f"{{{labels}}}" if labels else ""
        lines.append(f"{metric.name}{braces} {metric.value!r}")
    return "\n".join(lines) + "\n"


def loop_metrics(last_s: float, worst_s: float) -> list[Metric]:
    """Metrics about the lag of the event loop."""
    return [
        Metric("borne_loop_lag_seconds", "gauge", "Lag of the event loop, last", last_s),
        Metric("borne_loop_lag_worst_seconds", "gauge", "Lag of the event loop, worst", worst_s),
    ]


class Offers(Protocol):
    """The limits' part of the metrics."""

    changes: int

    def offered_a(self, connector: int) -> float:
        """The offer in A per phase."""


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Sources of a station's metrics."""

    backend: BackendPort | None
    contactor_cycles: Mapping[int, int]
    """By connector."""
    limits: Offers
    readings: Mapping[int, MeterReading]
    faults: Callable[[int], Collection[object]]
    """Faults of a connector; 0 is the station."""
    meter_ages_s: Mapping[str, float] = field(default_factory=dict)
    """By the number of the socket, or "second"."""


def station_metrics(station: MetricSources) -> list[Metric]:
    """Metrics about connection, limits, contactors and energy of a running station."""
    view = station.backend.view() if station.backend is not None else None
    connected = view is not None and view.link == "connected"
    connections = view.connections if view is not None else 0
    return [
        Metric("borne_backend_connected", "gauge", "1 while connected", float(connected)),
        Metric("borne_backend_connections_total", "counter", "Connections made", connections),
        Metric("borne_limit_changes_total", "counter", "Changed offers", station.limits.changes),
        *_per_connector(
            "borne_contactor_cycles_total",
            "Closings of the contactor",
            station.contactor_cycles,
            "counter",
        ),
        *_per_connector(
            "borne_offered_amperes",
            "Offer per phase",
            {n: station.limits.offered_a(n) for n in station.contactor_cycles},
        ),
        *_per_connector(
            "borne_register_wh",
            "Register of the billing meter",
            {n: reading.register_wh for n, reading in station.readings.items()},
            "counter",
        ),
        *(
            Metric(
                "borne_meter_age_seconds",
                "gauge",
                "Age of the last reading of a meter",
                age_s,
                (("meter", meter),),
            )
            for meter, age_s in station.meter_ages_s.items()
        ),
        *_per_connector(
            "borne_faults",
            "Faults that are present",
            {n: len(station.faults(n)) for n in (0, *station.contactor_cycles)},
        ),
    ]


def queue_metrics(waiting: int, oldest_at: datetime | None, now: datetime) -> list[Metric]:
    """Metrics about the queue; its age is left out while the oldest message has no date."""
    metrics = [Metric("borne_queue_length", "gauge", "Transaction messages that wait", waiting)]
    if oldest_at is not None or not waiting:
        age_s = max(0.0, (now - oldest_at).total_seconds()) if oldest_at else 0.0
        text = "How long the oldest message waits"
        metrics.append(Metric("borne_queue_age_seconds", "gauge", text, age_s))
    return metrics


def _per_connector(
    name: str, help_: str, values: Mapping[int, float], kind: str = "gauge"
) -> list[Metric]:
    return [
        Metric(name, kind, help_, value, (("connector", str(number)),))
        for number, value in values.items()
    ]
