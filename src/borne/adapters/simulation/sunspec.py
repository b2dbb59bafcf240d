"""The registers of a SunSpec meter: the common model, and model 203 (three phases, wye; integers
with scale factors). Source: SunSpec Alliance, "Meter Models" and "Common Elements".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from borne.domain.meters.measurement import Measurement, Phases

BASE, HOLDING = 40_000, 3
COMMON, COMMON_WORDS = 1, 66
METER, METER_WORDS = 203, 105
END = 0xFFFF
NO_I16, NO_U32 = 0x8000, 0
AMPS, VOLTS, HERTZ, ENERGY = -2, -1, -2, 0
"""Scale factors: powers of ten. That of watts grows with the power."""
HIGHEST = 0x7FFF


def registers(measured: Measurement) -> Mapping[tuple[int, int], int]:
    """Every word from the marker "SunS" to the end of the list of models, by function and
    address."""
    words = [0x5375, 0x6E53]
    words += [COMMON, COMMON_WORDS, *_common(measured.serial_number)]
    words += [METER, METER_WORDS, *_meter(measured)]
    words += [END, 0]
    return {(HOLDING, BASE + place): word for place, word in enumerate(words)}


def _common(serial_number: str) -> Iterator[int]:
    for text, length in (("borne", 16), ("Simulated meter", 16), ("", 8), ("1", 8)):
        yield from _text(text, length)
    yield from _text(serial_number, 16)
    yield 1  # unit
    yield 0


def _meter(measured: Measurement) -> list[int]:
    words = [NO_I16] * METER_WORDS
    amps, volts, watts = measured.current_a, measured.voltage_v, measured.power_w
    # Offsets count from the identifier of the model; two words of head come before the data.
    _put(words, 2, (_sum(amps), *amps), AMPS)
    _put(words, 7, (_mean(volts), *volts), VOLTS, gap=4)
    _put(words, 16, (measured.frequency_hz,), HERTZ)
    _put(
        words, 18, (measured.power_total_w, *watts), _power_of_watts(measured.power_total_w, *watts)
    )
    for at, register_wh in ((38, measured.export_wh), (46, measured.import_wh)):
        words[at - 2 : at] = divmod((register_wh or NO_U32) % 2**32, 0x10000)
        words[at : at + 6] = [0] * 6  # by phase: not counted
    words[52:] = [ENERGY, *[0] * (METER_WORDS - 53)]
    return words


def _put(
    words: list[int], at: int, values: tuple[float | None, ...], power: int, gap: int = 0
) -> None:
    """Values from an offset on, then `gap` words, then their scale factor."""
    for place, value in enumerate(values, at - 2):
        if value is not None:
            raw = max(-HIGHEST, min(HIGHEST, round(value * 10.0**-power)))
            words[place] = raw & 0xFFFF
    words[at - 2 + len(values) + gap] = power & 0xFFFF


def _power_of_watts(*watts: float | None) -> int:
    largest = max(abs(value or 0.0) for value in watts)
    return next((power for power in range(4) if largest <= HIGHEST * 10**power), 4)


def _text(text: str, length: int) -> Iterator[int]:
    padded = text.encode("ascii", "replace")[: 2 * length].ljust(2 * length, b"\0")
    for place in range(0, 2 * length, 2):
        yield int.from_bytes(padded[place : place + 2], "big")


def _sum(values: Phases) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: Phases) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
