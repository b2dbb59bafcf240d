"""How `borne meter` prints measurements: as JSON for programs, as a table for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from borne.domain.meters.findings import Finding
from borne.domain.meters.measurement import NO_PHASES, Measurement, Phases

UNKNOWN = "-"
_NAME_WIDTH, _WIDTH = 10, 12


def json_line(
    label: str, measurement: Measurement | None, at: datetime, findings: Sequence[Finding]
) -> str:
    """One line of JSON; `at` is the time of the measurement. Without one all values are null."""
    read = measurement or Measurement(at_s=0.0)
    return json.dumps(
        {
            "type": label,
            "serial_number": read.serial_number or None,
            "at": _utc(at) if measurement else None,
            "voltage_v": _rounded(read.voltage_v),
            "current_a": _rounded(read.current_a),
            "power_w": _rounded(read.power_w),
            "power_total_w": _rounded((read.power_total_w,))[0],
            "import_wh": read.import_wh,
            "export_wh": read.export_wh,
            "frequency_hz": _rounded((read.frequency_hz,))[0],
            "findings": [{"code": one.code.value, "text": str(one.text)} for one in findings],
        },
        ensure_ascii=False,
    )


def table(title: str, measurement: Measurement, age_s: float, findings: Sequence[Finding]) -> str:
    """A few lines: a column per phase, then what concerns the whole, then the findings."""
    return "\n".join(_lines(title, measurement, age_s, findings))


def _lines(
    title: str, measurement: Measurement, age_s: float, findings: Sequence[Finding]
) -> Iterator[str]:
    number = measurement.serial_number
    yield f"{title}, serial number {number}" if number else title
    yield _row("", ("L1", "L2", "L3", "total"))
    yield _row("voltage", _shown(measurement.voltage_v, "V", 1))
    yield _row("current", _shown(measurement.current_a, "A", 2))
    total = _shown((measurement.power_total_w,), "W", 0)
    yield _row("power", [*_shown(measurement.power_w, "W", 0), *total])
    for name, energy_wh in (("import", measurement.import_wh), ("export", measurement.export_wh)):
        kwh = None if energy_wh is None else energy_wh / 1000
        yield _row(name, [*_blank(), *_shown((kwh,), "kWh", 3)])
    yield _row("frequency", [*_blank(), *_shown((measurement.frequency_hz,), "Hz", 2)])
    yield _row("age", [*_blank(), f"{age_s:.1f} s"])
    for finding in findings:
        yield f"! {finding.text}"
    if not findings:
        yield "Nothing is in doubt."


def _row(name: str, cells: Sequence[str]) -> str:
    return (f"{name:<{_NAME_WIDTH}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)).rstrip()


def _blank() -> list[str]:
    return [""] * len(NO_PHASES)


def _shown(values: Sequence[float | None], unit: str, digits: int) -> list[str]:
    return [UNKNOWN if value is None else f"{value:.{digits}f} {unit}" for value in values]


def _rounded(values: Phases | tuple[float | None]) -> list[float | None]:
    """Without the digits that only a conversion from single precision adds."""
    return [None if value is None else float(f"{value:.7g}") for value in values]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
