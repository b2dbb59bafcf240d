"""`borne_meter_age_seconds`, for every meter."""

from __future__ import annotations

from borne.application.maintenance.metrics import MetricSources, render, station_metrics


class Offers:
    """Offers that never changed."""

    changes = 0

    def offered_a(self, connector: int) -> float:
        return 16.0 * connector


def test_every_meter_has_its_age() -> None:
    sources = MetricSources(
        None, {1: 5}, Offers(), {}, lambda _: (), meter_ages_s={"1": 0.5, "second": 2.0}
    )
    lines = render(station_metrics(sources)).splitlines()
    ages = [line for line in lines if line.startswith("borne_meter_age_seconds")]
    assert ages == [
        'borne_meter_age_seconds{meter="1"} 0.5',
        'borne_meter_age_seconds{meter="second"} 2.0',
    ]
